import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action, ActionRequest, Verdict } from '../../contract/policy.ts';
import { contextOf } from '../../gateway/policy/cedar/context.ts';
import { loadCedar } from '../../gateway/policy/cedar/library.ts';
import { cedarSchema } from '../../gateway/policy/cedar/schema.ts';
import { agent, circumstances, dev, exec, human, policiesOf, policyOfText, prod, request } from './written-policies.ts';

const everything = 'permit(principal, action, resource);\n';

describe('the verdict', () => {
  const rows: [promise: string, text: string, verdict: Verdict, rule: string | undefined, policies: string[]][] = [
    ['is to deny where nothing is said', '', 'deny', undefined, []],
    ['is to deny where nothing fits', 'permit(principal is Human, action, resource);', 'deny', undefined, []],
    ['is to allow where a permit fits', everything, 'allow', undefined, ['policy0']],
    ['is that of a forbid, whatever permits', `${everything}@id("no") forbid(principal, action, resource);`, 'deny', undefined, ['no']],
    ['is to ask where the permit asks', '@id("p") @approval("r") permit(principal, action, resource);', 'ask', 'r', ['p']],
    ['is to allow where one of the permits does not ask', `@approval("r") ${everything}${everything}`, 'allow', undefined, ['policy1']],
    [
      'is that of a forbid, where a permit asks',
      `@approval("r") ${everything}forbid(principal, action, resource);`,
      'deny',
      undefined,
      ['policy1'],
    ],
    ['names every permit that asks by the rule', `@approval("r") ${everything}`.repeat(2), 'ask', 'r', ['policy0', 'policy1']],
    ['asks by the rule that comes first in the file', `@approval("b") ${everything}@approval("a") ${everything}`, 'ask', 'b', ['policy0']],
    [
      'asks by break-glass only where nothing else is',
      `@approval("glass") ${everything}@approval("a") ${everything}`,
      'ask',
      'a',
      ['policy1'],
    ],
    ['and then it does', `@approval("glass") ${everything}`, 'ask', 'glass', ['policy0']],
    [
      'comes in the order of the file also beyond the tenth policy',
      `${'permit(principal is Human, action, resource);\n'.repeat(9)}@approval("first") ${everything}@approval("second") ${everything}`,
      'ask',
      'first',
      ['policy9'],
    ],
  ];

  test.each(rows)('%s', async (_promise, text, verdict, rule, policies) => {
    const policy = await policyOfText(text, ['glass']);
    const decision = policy.decide(request('connect'));
    expect(decision).toMatchObject({ verdict, policies, policySet: policy.policySet });
    expect(decision.rule).toBe(rule);
  });

  test('says in words which policies decided, and what a forbid has to say', async () => {
    const policy = await policyOfText(
      `@id("all") ${everything}@id("no-agents") @reason("agents rest") forbid(principal is Agent, action, resource);`,
    );
    expect(policy.decide(request('connect')).reason).toBe('connect on web-1 is forbidden by "no-agents": agents rest');
    expect(policy.decide(request('connect', {}, { principal: human })).reason).toBe('connect on web-1 is permitted by "all"');
    expect((await policyOfText('')).decide(request('connect')).reason).toBe('no policy permits connect on web-1');
  });

  const overflowing = 'when { 9223372036854775807 + context.hour > 0 }';

  test('a forbid that cannot be evaluated denies, and is named', async () => {
    const policy = await policyOfText(`${everything}@id("sum") forbid(principal, action, resource) ${overflowing};`);
    const decision = policy.decide(request('connect'));
    expect(decision).toMatchObject({ verdict: 'deny', policies: ['sum'] });
    expect(decision.reason).toContain('the policy "sum", which may forbid connect on web-1, could not be evaluated');
  });

  test('a permit that cannot be evaluated permits nothing', async () => {
    const policy = await policyOfText(`@id("sum") permit(principal, action, resource) ${overflowing};`);
    expect(policy.decide(request('connect'))).toMatchObject({ verdict: 'deny', policies: [] });
    expect(policy.decide(request('connect')).reason).toContain('"sum" could not be evaluated');
    expect(
      (await policyOfText(`permit(principal, action, resource) ${overflowing};\n${everything}`)).decide(request('connect')).verdict,
    ).toBe('allow');
  });

  test('the hash names the exact text', async () => {
    // printf 'permit(principal, action, resource);\n' | sha256sum
    const policy = await policyOfText(everything);
    expect([policy.policySet, policy.text, policy.source]).toEqual([
      'ae6f3bbc10d4275226be91b066f1cc3f381fdfef0924005ad6d9c410c2f9d5df',
      everything,
      'cedar',
    ]);
    expect((await policyOfText(`${everything}\n`)).policySet).not.toBe(policy.policySet);
  });
});

describe('facts that are not those of the action are denied, even where everything is permitted', () => {
  const rows: [action: Action, facts: ActionRequest['facts']][] = [
    ['ssh:exec', {}],
    ['ssh:exec', { command: ['ls'] }],
    ['ssh:subsystem', {}],
    ['ssh:read-file', { path: '/a' }],
    ['ssh:write-file', { operation: 'open' }],
    ['ssh:forward', { direction: 'agent', to: 'a:1' }],
    ['ssh:input', {}],
  ];

  test.each(rows)('%s %j', async (action, facts) => {
    expect((await policyOfText(everything)).decide(request(action, facts))).toMatchObject({ verdict: 'deny', policies: [] });
  });

  test('and so is who asks from nowhere, and an action that nobody knows', async () => {
    const policy = await policyOfText(everything);
    expect(policy.decide(request('connect', {}, { circumstances: { ...circumstances, source: 'somewhere' } })).verdict).toBe('deny');
    expect(policy.decide(request('connect', {}, { circumstances: { ...circumstances, time: Number.NaN } })).verdict).toBe('deny');
    expect(policy.decide(request('ssh:teleport' as Action)).verdict).toBe('deny');
  });
});

describe('a policy may look at', () => {
  const rows: [what: string, condition: string, request: ActionRequest, fits: boolean][] = [
    ['the group of a principal', 'principal in Group::"bots"', request('connect'), true],
    ['not the groups of its human as its own', 'principal in Group::"platform"', request('connect'), false],
    ['the groups of its human', 'principal has onBehalfOf && principal.onBehalfOf in Group::"platform"', request('connect'), true],
    ['the human', 'principal has onBehalfOf && principal.onBehalfOf == Human::"engineer@example.com"', request('connect'), true],
    ['the name', 'principal.name like "deploy-*"', request('connect'), true],
    ['a tag', 'resource.hasTag("team") && resource.getTag("team") == "web"', request('connect'), true],
    ['a tag that is missing', 'resource.hasTag("team")', request('connect', {}, { target: dev }), false],
    ['the environment', 'resource in Env::"prod"', request('connect'), true],
    ['no environment', 'resource in Env::"prod"', request('connect', {}, { target: dev }), false],
    ['the kind', 'resource.kind == "ssh"', request('connect'), true],
    ['the group of an action', 'action in Action::"ssh"', request('ssh:shell'), true],
    ['that connecting is not of SSH', 'action in Action::"ssh"', request('connect'), false],
    ['the hour', 'context.hour == 10', request('connect'), true],
    ['the day', 'context.weekday == "wednesday"', request('connect'), true],
    ['the time', 'context.time >= datetime("2026-03-04") && context.time < datetime("2026-03-05")', request('connect'), true],
    ['the source', 'context.source.isInRange(ip("10.0.0.0/8"))', request('connect'), true],
    ['how somebody logged in', 'context.authentication == "publickey"', request('connect'), true],
    ['the age of the session', 'context.sessionAge == 60', request('connect'), true],
    ['a terminal', 'context.terminal', request('ssh:shell', { terminal: true }), true],
    ['no terminal', 'context.terminal', request('ssh:shell', {}), false],
    ['a program', 'context.program == "ls" && !context.opaque', exec('ls -la'), true],
    ['programs', '!context.opaque && ["ls", "cat"].containsAll(context.programs)', exec('ls | cat'), true],
    ['words', '!context.opaque && context.words.contains("--force")', exec('git push --force'), true],
    ['a whole command', 'context.opaque || context.command like "*rm*"', exec('rm x'), true],
    ['what is opaque', 'context.opaque', exec('$(rm x)'), true],
    ['bytes that are no text', 'context.opaque', request('ssh:exec', { command: 'ls', commandBytes: 'bHM=' }), true],
    ['a subsystem', 'context.subsystem == "sftp"', request('ssh:subsystem', { name: 'sftp' }), true],
    [
      'a path',
      'context.path like "/etc/*" && !context.opaque && context.operation == "open" && context.flags.contains("write")',
      request('ssh:write-file', { operation: 'open', path: '/etc//passwd', flags: ['write'] }),
      true,
    ],
    [
      'the other path',
      'context has to && context.to == "/etc/x" && !context.opaque',
      request('ssh:write-file', { operation: 'rename', path: '/tmp/x', to: '/etc/x' }),
      true,
    ],
    [
      'that there is none',
      'context has to && (context.opaque || true)',
      request('ssh:write-file', { operation: 'remove', path: '/a' }),
      false,
    ],
    [
      'where a forwarding leads',
      'context.direction == "local" && context.host == "db.internal" && context.port == 5432 && !context.opaque',
      request('ssh:forward', { direction: 'local', to: 'db.internal:5432' }),
      true,
    ],
    [
      'its address',
      'context has address && context.address.isLoopback() && !context.opaque',
      request('ssh:forward', { direction: 'local', to: '127.0.0.1:5432' }),
      true,
    ],
  ];

  test.each(rows)('%s', async (_what, condition, asked, fits) => {
    const policy = await policyOfText(`permit(principal, action == Action::"${asked.action}", resource) when { ${condition} };`);
    expect(policy.decide(asked)).toMatchObject({ verdict: fits ? 'allow' : 'deny' });
    // The same where the human has no entity of its own, or the head of the policy leaves nothing open.
    expect(
      (await policyOfText(`forbid(principal, action == Action::"${asked.action}", resource) when { ${condition} };${everything}`)).decide(
        asked,
      ).verdict,
    ).toBe(fits ? 'deny' : 'allow');
  });

  test('and the record has what was understood, within bounds', async () => {
    const policy = await policyOfText(everything);
    expect(policy.decide(exec('sudo ls "a b"')).understood).toEqual({
      program: '',
      programs: ['sudo', 'ls'],
      words: ['sudo', 'ls', 'a b'],
      opaque: false,
    });
    expect(policy.decide(exec('$x')).understood).toMatchObject({ opaque: true, because: 'there is a variable' });
    const { understood } = policy.decide(
      exec(`ls ${Array.from({ length: 900 }, (_, index) => `${index}${'x'.repeat(60)}`).join(' ')} ${'y'.repeat(2000)}`),
    );
    expect(JSON.stringify(understood).length).toBeLessThan(16_384);
    expect(policy.decide(request('connect')).understood).toBeUndefined();
  });
});

/** Policies of every shape over a small world, so that many of them fit. */
const heads = {
  principal: fc.constantFrom(
    'principal',
    'principal is Agent',
    'principal is Human',
    'principal is Agent in Group::"bots"',
    'principal in Group::"bots"',
    'principal in Group::"platform"',
    'principal == Agent::"deploy-bot"',
    'principal == Human::"engineer@example.com"',
    'principal == Human::"deploy-bot"',
    'principal in Human::"engineer@example.com"',
  ),
  action: fc.constantFrom(
    'action',
    'action == Action::"connect"',
    'action in Action::"ssh"',
    'action in [Action::"connect", Action::"ssh:exec"]',
    'action == Action::"ssh:exec"',
  ),
  resource: fc.constantFrom(
    'resource',
    'resource == Target::"web-1"',
    'resource in Env::"prod"',
    'resource is Target',
    'resource is Target in Env::"dev"',
  ),
  when: fc.constantFrom(
    '',
    'when { context.hour > 12 }',
    'when { principal.name == "deploy-bot" }',
    'when { principal has onBehalfOf && principal.onBehalfOf in Group::"platform" }',
    'unless { resource.hasTag("team") }',
    'when { context has opaque && context.opaque }',
    'when { action in Action::"ssh" }',
    'when { context.source.isInRange(ip("10.0.0.0/8")) }',
    'when { 9223372036854775807 + context.hour > 0 }',
  ),
};
const head = fc.record(heads).map(({ principal, action, resource, when }) => `(${principal}, ${action}, ${resource}) ${when};\n`);
const permit = fc.tuple(fc.constantFrom('', '@approval("a") ', '@approval("glass") '), head).map(([asks, rest]) => `${asks}permit${rest}`);
const forbid = head.map((rest) => `forbid${rest}`);
const file = fc.array(fc.oneof({ weight: 3, arbitrary: permit }, forbid), { maxLength: 24 }).map((policies) => policies.join(''));
const asked = fc
  .record({
    principal: fc.constantFrom<ActionRequest['principal']>(agent, human, { ...agent, name: 'other', groups: [] }),
    target: fc.constantFrom<ActionRequest['target']>(prod, dev, { ...prod, tags: { env: 'dev' } }),
    action: fc.constantFrom<Action>('connect', 'ssh:exec', 'ssh:shell'),
    command: fc.constantFrom('ls', '$(x)'),
  })
  .map(({ command, ...rest }): ActionRequest => ({ ...rest, facts: rest.action === 'ssh:exec' ? { command } : {}, circumstances }));

describe('whatever the policies are', () => {
  const rank = { deny: 0, ask: 1, allow: 2 } as const;

  test('one more forbid never opens what was closed', async () => {
    await fc.assert(
      fc.asyncProperty(file, forbid, asked, async (text, more, one) => {
        const before = (await policyOfText(text, ['glass'])).decide(one);
        const after = (await policyOfText(`${text}${more}`, ['glass'])).decide(one);
        expect(rank[after.verdict]).toBeLessThanOrEqual(rank[before.verdict]);
        if (after.verdict === before.verdict) expect(after.rule).toBe(before.rule);
      }),
      { numRuns: 40 },
    );
  });

  test('one more permit never closes, unless it breaks the glass no longer needed', async () => {
    await fc.assert(
      fc.asyncProperty(file, permit, asked, async (text, more, one) => {
        const before = (await policyOfText(text, ['glass'])).decide(one);
        const after = (await policyOfText(`${text}${more}`, ['glass'])).decide(one);
        expect(rank[after.verdict]).toBeGreaterThanOrEqual(rank[before.verdict]);
      }),
      { numRuns: 40 },
    );
  });

  // So many that only those are asked whose heads fit.
  const many = 'permit(principal == Human::"nobody", action, resource);\n'.repeat(45);

  test('Cedar says the same when it is given all of them, all that we know, and the schema', async () => {
    const cedar = await loadCedar();
    await fc.assert(
      fc.asyncProperty(file, fc.boolean(), asked, async (some, padded, one) => {
        const text = padded ? `${many}${some}` : some;
        const read = contextOf(one);
        if (read.problem !== undefined) throw new Error(read.problem);
        const { policies } = await policiesOf(text);
        const answer = cedar.isAuthorized({
          principal: { type: one.principal.kind === 'human' ? 'Human' : 'Agent', id: one.principal.name },
          action: { type: 'Action', id: one.action },
          resource: { type: 'Target', id: one.target.name },
          context: read.context,
          schema: cedarSchema,
          validateRequest: true,
          policies: { staticPolicies: text },
          entities: [
            { uid: { type: 'Human', id: human.name }, attrs: { name: human.name }, parents: [{ type: 'Group', id: 'platform' }] },
            ...(one.principal.kind === 'human'
              ? []
              : [
                  {
                    uid: { type: 'Agent', id: one.principal.name },
                    attrs: { name: one.principal.name, onBehalfOf: { __entity: { type: 'Human', id: human.name } } },
                    parents: one.principal.groups.map((id) => ({ type: 'Group', id })),
                  },
                ]),
            {
              uid: { type: 'Target', id: one.target.name },
              attrs: { name: one.target.name, kind: one.target.kind },
              parents: one.target.tags.env === undefined ? [] : [{ type: 'Env', id: one.target.tags.env }],
              tags: { ...one.target.tags },
            },
          ],
        });
        if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
        const { decision, diagnostics } = answer.response;
        const effect = (id: string) => policies[Number(id.replace('policy', ''))]?.effect;
        const brokenForbid = diagnostics.errors.some(({ policyId }) => effect(policyId) === 'forbid');
        const ours = (await policyOfText(text, ['glass'])).decide(one);
        expect(ours.verdict !== 'deny').toBe(decision === 'allow' && !brokenForbid);
        if (ours.verdict !== 'deny') expect(diagnostics.reason).toEqual(expect.arrayContaining([...ours.policies]));
        if (ours.verdict === 'deny' && diagnostics.reason.some((id) => effect(id) === 'forbid'))
          expect(ours.policies.toSorted()).toEqual(diagnostics.reason.toSorted());
      }),
      { numRuns: 70 },
    );
  });

  test('more of them than one question has room for decide together', async () => {
    const many = Array.from(
      { length: 300 },
      (_, index) =>
        `@id("p${index}") @approval("r${index}") permit(principal, action, resource) when { context.hour == ${index % 2 === 0 ? 10 : 11} };`,
    );
    expect((await policyOfText(many.join('\n'))).decide(request('connect'))).toMatchObject({
      verdict: 'ask',
      rule: 'r0',
      policies: ['p0'],
    });
    const denied = `${many.join('\n')}@id("last") forbid(principal, action, resource);`;
    expect((await policyOfText(denied)).decide(request('connect'))).toMatchObject({ verdict: 'deny', policies: ['last'] });
  });
});

describe('a principal sees the targets', () => {
  test('that it may connect to or ask for, by name, and no others', async () => {
    const policy = await policyOfText(
      '@approval("a") permit(principal, action == Action::"connect", resource in Env::"prod");permit(principal, action, resource) when { resource.kind == "shell" && principal is Human };',
    );
    expect(await policy.visibleTargets(agent, circumstances)).toEqual([prod]);
    expect(await policy.visibleTargets(human, circumstances)).toEqual([dev, prod]);
  });

  test('of a large configuration without holding up anybody else', async () => {
    const { cedarPolicy } = await import('../../gateway/policy/cedar-policy.ts');
    const targets = Array.from({ length: 2000 }, (_, index) => ({ name: `t${index}`, kind: 'ssh', tags: { env: 'dev' } }));
    const policies = await policiesOf('permit(principal, action, resource in Env::"dev") when { context.hour == 10 };');
    const policy = await cedarPolicy(policies, { humans: new Map(), targets, breakGlass: new Set() });
    let turns = 0;
    let watching = true;
    const watch = (): void => {
      turns += 1;
      if (watching) setImmediate(watch);
    };
    setImmediate(watch);
    expect(await policy.visibleTargets(agent, circumstances)).toHaveLength(2000);
    watching = false;
    expect(turns).toBeGreaterThan(10);
  });
});
