import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Route, ssh } from '../support/clients.ts';
import { type Gateway, sallyport, startGateway } from '../support/gateway.ts';
import { learnHostKey, makeKey } from '../support/keys.ts';
import { recordedAs, recordsOf } from '../support/records.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { jsonLines } from './run-cli.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const before = `// Agents look, and the platform group does as it likes.
@id("connect") permit(principal, action == Action::"connect", resource in Env::"prod");
@id("look") permit(principal is Agent, action == Action::"ssh:exec", resource)
when { !context.opaque && ["echo", "ls"].containsAll(context.programs) };
`;
const after = `@id("connect") permit(principal, action == Action::"connect", resource in Env::"prod");
@id("look") permit(principal is Agent, action == Action::"ssh:exec", resource)
when { !context.opaque && ["cat"].containsAll(context.programs) };
`;

let gateway: Gateway;
let directory: string;
let policyFile: string;
let configFile: string;
let agent: Route;

function writePolicy(text: string, path = policyFile): string {
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  return path;
}

async function reload(): Promise<void> {
  process.kill(gateway.pid, 'SIGHUP');
}

beforeAll(async () => {
  directory = belongings.directory('policy-command');
  policyFile = join(directory, 'policy.cedar');
  writePolicy(before);
  const key = await makeKey(directory, 'agent');
  gateway = await startGateway(belongings, {
    configuration: {
      humans: [{ name: 'engineer@example.com', groups: ['platform'], operator: ['reviewer'] }],
      agents: [{ name: 'bot', 'on-behalf-of': 'engineer@example.com', 'ssh-keys': [key.publicLine] }],
      targets: [
        { name: 'local', kind: 'shell', tags: { env: 'prod' } },
        { name: 'hidden', kind: 'shell' },
      ],
      policy: policyFile,
      approvals: { ask: { reviewers: { group: 'platform' } } },
    },
  });
  configFile = join(dirname(gateway.data), 'sallyport.yaml');
  const knownHosts = join(directory, 'known_hosts');
  const hostKey = await learnHostKey(knownHosts, gateway.host, gateway.port);
  agent = { host: gateway.host, port: gateway.port, user: 'local', key, knownHosts, hostKey };
}, 240_000);

const words = (principal: string, target: string, action: string, ...more: string[]) => [
  'policy',
  'try',
  '--config',
  configFile,
  '--principal',
  principal,
  '--target',
  target,
  '--action',
  action,
  ...more,
];

describe('policy try', () => {
  test('decides as the gateway would, and says by which policies and what it understood', async () => {
    const allowed = await sallyport(words('bot', 'local', 'ssh:exec', '--command', 'echo "a b"'));
    expect([allowed.status, allowed.stdout.toString().split('\n').slice(0, 2)]).toEqual([
      0,
      ['allowed: ssh:exec on local is permitted by "look"', 'policies: look'],
    ]);
    expect(allowed.stdout.toString()).toContain('understood: {"program":"echo","programs":["echo"],"words":["echo","a b"],"opaque":false}');
    const denied = await sallyport(words('bot', 'local', 'ssh:exec', '--command', 'echo $(rm x)', '--json'));
    expect(denied.status).toBe(1);
    expect(JSON.parse(denied.stdout.toString())).toMatchObject({
      verdict: 'deny',
      policies: [],
      understood: { opaque: true },
      request: { principal: { name: 'bot', onBehalfOf: 'engineer@example.com' }, facts: { command: 'echo $(rm x)', terminal: false } },
    });
  });

  test('of another file, time, source and facts', async () => {
    const other = writePolicy(
      `@id("x") @approval("ask") permit(principal, action in [Action::"ssh:write-file", Action::"ssh:forward"], resource) when { context.weekday == "sunday" && context.source == ip("10.0.0.9") };`,
      join(directory, 'other.cedar'),
    );
    const on = ['--policy', other, '--time', '2026-03-01T10:00', '--source', '10.0.0.9', '--json'];
    const file = await sallyport(words('bot', 'local', 'ssh:write-file', '--path', '/a', '--to', '/b', '--operation', 'rename', ...on));
    expect(JSON.parse(file.stdout.toString())).toMatchObject({
      verdict: 'ask',
      rule: 'ask',
      request: { facts: { operation: 'rename', path: '/a', to: '/b' } },
    });
    expect(file.status).toBe(0);
    const forward = await sallyport(words('bot', 'local', 'ssh:forward', '--facts', '{"direction":"remote","listen":"*:80"}', ...on));
    expect(JSON.parse(forward.stdout.toString())).toMatchObject({
      verdict: 'ask',
      understood: { direction: 'remote', host: '*', port: 80 },
    });
  });

  test('says what is missing', async () => {
    const misuses: [args: string[], said: string][] = [
      [words('nobody', 'local', 'connect'), 'No principal is named nobody'],
      [words('bot', 'nowhere', 'connect'), 'No target is named nowhere'],
      [words('bot', 'local', 'ssh:input'), 'There is no action ssh:input'],
      [words('bot', 'local', 'ssh:exec'), 'add --command COMMAND'],
      [words('bot', 'local', 'ssh:exec', '--facts', '[]'), '--facts is not a JSON object'],
    ];
    for (const [args, said] of misuses) {
      const { status, stderr } = await sallyport(args);
      expect([status, stderr]).toEqual([2, expect.stringContaining(said)]);
    }
  });
});

describe('a gateway with a policy file', () => {
  test('decides by it, records what was understood, and has recorded the policy itself', async () => {
    expect((await ssh(agent, 'echo hello')).stdout.toString()).toBe('hello\n');
    const refused = await ssh(agent, 'echo a; cat /etc/hostname');
    expect(refused.status).not.toBe(0);
    expect(refused.stdout.toString()).toBe('');
    const hidden = await ssh({ ...agent, user: 'hidden' }, 'echo hello');
    expect(hidden.stderr).toContain('no policy permits connect on hidden');
    expect(hidden.stderr).toContain('you may reach: local');
    const decided = await recordedAs(gateway.data, 'action.decided', ({ body }) => body.decision.verdict === 'deny');
    expect(decided.body).toMatchObject({ action: 'ssh:exec', understood: { programs: ['echo', 'cat'], opaque: false } });
    const [policy, ...more] = await recordsOf(gateway.data, 'policy.changed');
    expect(more).toEqual([]);
    expect(policy?.body).toEqual({ policySet: decided.body.decision.policySet, source: 'cedar', text: before, part: 1, parts: 1 });
  });

  test('keeps deciding as it did when a reload brings a file with a fault, and says so', async () => {
    writePolicy(`${before}permit(principal, action, resource) whn { true };`);
    await reload();
    await until('the fault is told', async () => gateway.log().includes('policy.cedar:5:37: invalid policy condition: whn') || undefined);
    expect(gateway.log()).toContain('not reloaded, the running configuration stays in force');
    expect((await ssh(agent, 'echo still')).stdout.toString()).toBe('still\n');
    expect((await ssh(agent, 'cat /etc/hostname')).status).not.toBe(0);
    writePolicy(`@approval("nobody") ${before}`);
    await reload();
    await until('the fault is told', async () => gateway.log().includes('there is no approval rule "nobody"') || undefined);
    expect(await recordsOf(gateway.data, 'policy.changed')).toHaveLength(1);
    expect(await recordsOf(gateway.data, 'config.changed')).toHaveLength(0);
  });

  test('says which decisions another file would change', async () => {
    const other = writePolicy(after, join(directory, 'after.cedar'));
    const replay = (...more: string[]) =>
      sallyport(['policy', 'replay', '--config', configFile, '--data', gateway.data, '--policy', other, ...more]);
    const lines = jsonLines<Record<string, unknown>>((await replay('--json')).stdout.toString());
    const summary = lines.pop()?.summary;
    expect(lines).toEqual([
      expect.objectContaining({
        principal: 'bot',
        target: 'local',
        action: 'ssh:exec',
        facts: { command: 'echo hello', terminal: false },
        was: 'allow',
        becomes: 'deny',
      }),
      expect.objectContaining({ facts: { command: 'echo still', terminal: false }, was: 'allow', becomes: 'deny' }),
      expect.objectContaining({
        facts: { command: 'cat /etc/hostname', terminal: false },
        was: 'deny',
        becomes: 'allow',
        policies: ['look'],
      }),
    ]);
    expect(summary).toMatchObject({
      changed: 3,
      changes: { 'allow → deny': 2, 'deny → allow': 1 },
      undecidable: 0,
      unknownPrincipals: [],
      faults: [],
    });
    // Four sessions, a refusal, and four commands.
    expect(summary).toMatchObject({ decisions: 9 });
    const people = (await replay()).stdout.toString();
    expect(people).toContain('bot at local: ssh:exec echo hello\n    allowed then, would be denied: no policy permits ssh:exec on local');
    expect(people).toContain('9 decisions in the period, of which 3 would change');
    expect(people).toContain('Groups, tags and the humans behind agents are those of');
    const none = jsonLines<Record<string, unknown>>((await replay('--json', '--to', '2026-01-01')).stdout.toString());
    expect(none).toEqual([{ summary: expect.objectContaining({ decisions: 0, changed: 0 }) }]);
    const same = await sallyport([
      'policy',
      'replay',
      '--config',
      configFile,
      '--data',
      gateway.data,
      '--policy',
      writePolicy(before, other),
    ]);
    expect(same.stdout.toString()).toContain('9 decisions in the period, of which 0 would change');
  });

  test('decides by the next file once it is right, and records it once', async () => {
    writePolicy(after);
    await reload();
    const changed = await recordedAs(gateway.data, 'policy.changed', ({ body }) => body.text === after);
    const [first] = await recordsOf(gateway.data, 'policy.changed');
    expect(changed.body.previous).toBe(first?.body.policySet);
    await gateway.logged('the reload', ({ msg }) => msg === 'the configuration was reloaded');
    expect((await ssh(agent, 'echo hello')).status).not.toBe(0);
    expect((await ssh(agent, 'cat /etc/hostname')).status).toBe(0);
    await gateway.stop();
    await gateway.start();
    expect(await recordsOf(gateway.data, 'policy.changed')).toHaveLength(2);
  });

  test('does not start with a file that has a fault', async () => {
    await gateway.stop();
    writePolicy('permit(principal, action, resource) whn { true };');
    await expect(gateway.start()).rejects.toThrow(/did not start[\s\S]*policy\.cedar:1:37: invalid policy condition: whn/);
  });
});
