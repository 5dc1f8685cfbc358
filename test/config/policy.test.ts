import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkPolicy } from '../../gateway/config/policy-check.ts';
import { describeFault, loadConfig } from '../../gateway/config.ts';
import { sallyport } from '../support/gateway.ts';
import { plainEnvironment } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { changed, environment, faultsOf, valid, writeConfig } from './written.ts';

const belongings = new Belongings();
const directory = belongings.directory('policy-config');
afterAll(() => belongings.release());

const withoutLists = changed('    allow: [deploy-bot, { group: platform }]\n', '');

function writePolicy(text: string | Uint8Array, mode = 0o644): void {
  writeFileSync(join(directory, 'policy.cedar'), text);
  chmodSync(join(directory, 'policy.cedar'), mode);
}

/** Notes and faults of the policy file beside a configuration that is right. */
async function saidOf(policy: string, more = ''): Promise<string[]> {
  writePolicy(policy);
  const config = loadConfig(writeConfig(directory, `${withoutLists}policy: policy.cedar\n${more}`), environment);
  const check = await checkPolicy(config);
  if (check === undefined) throw new Error('there is no policy');
  const said = 'faults' in check ? check.faults.map(describeFault) : check.notes;
  return said.map((line) => line.replaceAll(`${directory}/`, ''));
}

const rule = (text: string) => `approvals:\n  prod-write: ${text}\n`;

describe('approval rules', () => {
  const approvalsOf = (text: string) => [...loadConfig(writeConfig(directory, `${valid}${text}`), environment).approvals.values()];

  test('have defaults', () => {
    expect(approvalsOf(rule('{ reviewers: { group: platform } }'))).toEqual([
      {
        name: 'prod-write',
        reviewers: { groups: ['platform'], names: [] },
        needed: 1,
        withinSeconds: 600,
        reasonRequired: false,
        grants: 'once',
        breakGlass: false,
      },
    ]);
    expect(approvalsOf('')).toEqual([]);
  });

  test('say everything', () => {
    const text =
      '{ reviewers: { groups: [platform], names: [reviewer@example.com] }, needed: 1, within: 1h, reason: required, for: 30m, break-glass: true }';
    expect(approvalsOf(rule(text))).toEqual([
      {
        name: 'prod-write',
        reviewers: { groups: ['platform'], names: ['reviewer@example.com'] },
        needed: 1,
        withinSeconds: 3600,
        reasonRequired: true,
        grants: 1800,
        breakGlass: true,
      },
    ]);
    expect(approvalsOf(rule('{ reviewers: { names: [reviewer@example.com] }, for: session }'))[0]?.grants).toBe('session');
  });

  const faults: [what: string, text: string, fault: string][] = [
    [
      'a group that nobody is in',
      rule('{ reviewers: { group: platfrom } }'),
      'gateway.yaml:16:37: no human is in a group "platfrom". Did you mean "platform"?',
    ],
    [
      'one of several',
      rule('{ reviewers: { groups: [platform, security] } }'),
      'gateway.yaml:16:49: no human is in a group "security". Add the group to the `groups` of a human, or remove it here.',
    ],
    [
      'a name that nobody has',
      rule('{ reviewers: { names: [nobody] } }'),
      'gateway.yaml:16:38: no human is named "nobody". Add them to humans, or remove the name here.',
    ],
    [
      'an agent',
      rule('{ reviewers: { names: [deploy-bot] } }'),
      'gateway.yaml:16:38: no human is named "deploy-bot". Add them to humans, or remove the name here.',
    ],
    [
      'nobody at all',
      rule('{ reviewers: {} }'),
      'gateway.yaml:16:28: nobody could decide by this rule. Name a human who is not disabled and has operator: [reviewer], or a group that one is in.',
    ],
    [
      'more reviewers than there are',
      rule('{ reviewers: { group: platform }, needed: 2 }'),
      'gateway.yaml:16:57: 2 reviewers are needed, and there is one. Need fewer, or name more humans who have operator: [reviewer].',
    ],
    [
      'no reviewers',
      rule('{ needed: 1 }'),
      'gateway.yaml:16:15: "reviewers" is missing. Write a section, for example reviewers: { group: platform }.',
    ],
    [
      'a word for how long',
      rule('{ reviewers: { group: platform }, for: ever }'),
      'gateway.yaml:16:54: "ever" is not a duration. Write once, session, or a time such as 30m, up to 1d.',
    ],
    [
      'too long a time',
      rule('{ reviewers: { group: platform }, for: 2d }'),
      'gateway.yaml:16:54: "2d" is not from 1s to 1d. Write once, session, or a time such as 30m, up to 1d.',
    ],
    [
      'a key that is not known',
      rule('{ reviewers: { group: platform }, neded: 1 }'),
      'gateway.yaml:16:49: unknown key "neded". Did you mean "needed"?',
    ],
    [
      'a list of rules',
      'approvals: []\n',
      'gateway.yaml:15:12: a list stands where rules of approval belong. Write rules by their names, for example approvals: { prod-write: { reviewers: { group: platform } } }.',
    ],
    [
      'a name that is none',
      'approvals: { "a b": { reviewers: { group: platform } } }\n',
      'gateway.yaml:15:14: "a b" is not the name of a rule. A name is up to 63 letters, digits and . _ - and begins with a letter or a digit.',
    ],
  ];

  test.each(faults)('%s is a fault', (_what, text, fault) => {
    expect(faultsOf(directory, `${valid}${text}`)).toEqual([fault]);
  });

  test('a reviewer who is disabled, or has no role, is none', () => {
    for (const [piece, replacement] of [
      ['operator: [reviewer]', 'operator: [auditor]'],
      ['operator: [reviewer]', 'operator: [reviewer], disabled: true'],
    ] as const)
      expect(faultsOf(directory, `${changed(piece, replacement)}${rule('{ reviewers: { group: platform } }')}`)).toEqual([
        expect.stringContaining('nobody could decide by this rule'),
      ]);
  });
});

describe('a policy file', () => {
  test('decides alone: lists on a target are faults beside it', () => {
    writePolicy('permit(principal, action, resource);');
    const forwarding = changed('    allow:', '    forwarding: [local]\n    allow:');
    expect(faultsOf(directory, `${forwarding}policy: policy.cedar\n`)).toEqual([
      'gateway.yaml:14:5: "forwarding" says nothing where a policy file decides. Remove it, and write a policy instead.',
      'gateway.yaml:15:5: "allow" says nothing where a policy file decides. Remove it, and write a policy instead.',
    ]);
    expect(faultsOf(directory, `${withoutLists}policy: policy.cedar\n`)).toEqual([]);
  });

  test('that cannot be read is a fault', () => {
    expect(faultsOf(directory, `${withoutLists}policy: none.cedar\n`)).toEqual([
      'gateway.yaml:14:9: "none.cedar" cannot be opened: there is no such file. Check the path, and that the user who runs the gateway may read the file.',
    ]);
    expect(faultsOf(directory, `${withoutLists}policy: [policy.cedar]\n`)).toEqual([
      'gateway.yaml:14:9: a list stands where text belongs. Name the file of policies, for example policy: policy.cedar.',
    ]);
    writePolicy(new Uint8Array([0xff, 0xfe]));
    expect(faultsOf(directory, `${withoutLists}policy: policy.cedar\n`)).toEqual([
      'gateway.yaml:14:9: "policy.cedar" is not UTF-8. Save it as UTF-8 text.',
    ]);
    writePolicy(' '.repeat(1024 * 1024 + 1));
    expect(faultsOf(directory, `${withoutLists}policy: policy.cedar\n`)).toEqual([
      'gateway.yaml:14:9: "policy.cedar" has 1048577 bytes, and a policy file has at most 1048576. Say it with groups, environments and tags instead of one policy each.',
    ]);
    expect(faultsOf(directory, `${withoutLists}policy: ${dirname(directory)}\n`)[0]).toContain('is a directory');
  });

  test('that everybody may change is a fault', () => {
    writePolicy('permit(principal, action, resource);', 0o666);
    expect(faultsOf(directory, `${withoutLists}policy: policy.cedar\n`)).toEqual([
      'gateway.yaml:14:9: everybody may change "policy.cedar", and so decide what is allowed. Run: chmod o-w "policy.cedar"',
    ]);
  });

  test('has its faults told by its own lines', async () => {
    expect(await saidOf('\npermit(principal == User::"x", action, resource);')).toEqual([
      'policy.cedar:2:21: unrecognized entity type `User`. Did you mean `Env`?',
    ]);
  });

  test('asks by rules that there are', async () => {
    const asks = '@approval("prod-wrte")\npermit(principal, action, resource);';
    expect(await saidOf(asks, rule('{ reviewers: { group: platform } }'))).toEqual([
      'policy.cedar:1:1: there is no approval rule "prod-wrte". Did you mean "prod-write"?',
    ]);
    expect(await saidOf(asks)).toEqual([
      'policy.cedar:1:1: there is no approval rule "prod-wrte". Add the rule to `approvals` of the configuration, or remove @approval.',
    ]);
    expect(await saidOf(asks.replace('wrte', 'write'), rule('{ reviewers: { group: platform } }'))).toEqual([]);
  });

  test('is told what is worth a look: names that nobody has, rules that no policy asks by', async () => {
    const policy =
      'permit(principal in Group::"platfrom", action, resource in Env::"prod");\nforbid(principal == Agent::"reviewer@example.com", action, resource == Target::"web-1");';
    expect(await saidOf(policy, `${rule('{ reviewers: { group: platform } }')}  step: { reviewers: { group: platform } }\n`)).toEqual([
      'policy.cedar:1:1: nothing in the configuration is Group::"platfrom". Look whether the name is right.',
      'policy.cedar:1:1: nothing in the configuration is Env::"prod". Look whether the name is right.',
      'policy.cedar:2:1: nothing in the configuration is Agent::"reviewer@example.com". Look whether the name is right.',
      'approvals.prod-write: no policy asks by this rule.',
    ]);
  });
});

describe('check-config', () => {
  const check = async (...more: string[]) => {
    const { status, stdout } = await sallyport(['check-config', join(directory, 'gateway.yaml'), ...more], {
      env: plainEnvironment(environment),
    });
    return { status, said: stdout.toString().replaceAll(`${directory}/`, '') };
  };

  test('says who may reach what by the policy, who has to ask, and who could decide', async () => {
    writePolicy(
      '@approval("prod-write") permit(principal is Agent, action == Action::"connect", resource);permit(principal == Human::"reviewer@example.com", action, resource) when { resource.name == "web-1" };',
    );
    writeConfig(
      directory,
      `${withoutLists}  - { name: local, kind: shell }\npolicy: policy.cedar\n${rule('{ reviewers: { group: platform } }')}`,
    );
    expect(await check()).toEqual({
      status: 0,
      said: expect.stringContaining(`Targets, and who may reach them from here and now:
  web-1, ssh at 10.0.0.5:22: reviewer@example.com, deploy-bot (asks)
  local, shell: deploy-bot (asks)
Approvals, and who could decide:
  prod-write, 1 of reviewer@example.com
`) as string,
    });
    const summary = JSON.parse((await check('--json')).said) as Record<string, unknown>;
    expect(summary).toMatchObject({
      valid: true,
      policy: 'policy.cedar',
      approvals: [{ name: 'prod-write', couldDecide: ['reviewer@example.com'] }],
    });
  });

  test('tells the faults of the policy file, and exits with 1', async () => {
    writePolicy('permit(principal, action, resource) whn { true };');
    writeConfig(directory, `${withoutLists}policy: policy.cedar\n`);
    expect(await check()).toEqual({
      status: 1,
      said: 'policy.cedar:1:37: invalid policy condition: whn. Condition must be either `when` or `unless`.\n\n1 fault in gateway.yaml\n',
    });
    expect(JSON.parse((await check('--json')).said)).toEqual({
      valid: false,
      file: 'policy.cedar',
      line: 1,
      column: 37,
      code: 'POLICY_INVALID',
      problem: 'invalid policy condition: whn',
      mend: 'Condition must be either `when` or `unless`.',
    });
  });
});
