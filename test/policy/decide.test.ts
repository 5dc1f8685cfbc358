import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action, ActionRequest } from '../../contract/policy.ts';
import { policyOf, type RuledTarget } from '../../gateway/policy/allow-list.ts';
import { decide as decideIn, visibleTargets } from '../../gateway/policy/decide.ts';

const targets: RuledTarget[] = [
  { name: 'web-1', kind: 'ssh', tags: { env: 'prod' }, allow: ['bot', { group: 'platform' }], forwarding: ['local'] },
  { name: 'db-1', kind: 'ssh', tags: {}, allow: ['engineer'], forwarding: ['remote', 'agent'] },
  { name: 'local', kind: 'shell', tags: {}, allow: [] },
];
const policy = policyOf(targets);

const circumstances = { time: 1_772_358_600_000_000, source: '192.0.2.1:50000', authentication: 'publickey', sessionAge: 0 };

function decide(request: Omit<ActionRequest, 'circumstances'>, inForce: typeof policy) {
  return decideIn({ ...request, circumstances }, inForce);
}

const bot = { name: 'bot', kind: 'agent', onBehalfOf: 'engineer', groups: [] } as const;
const engineer = { name: 'engineer', kind: 'human', groups: ['platform'] } as const;
const stranger = { name: 'stranger', kind: 'human', groups: ['web-1', 'bot'] } as const;

function ask(principal: ActionRequest['principal'], target: string, action: Action, facts: Record<string, unknown> = {}) {
  return decide({ principal, target: { name: target, kind: 'ssh', tags: {} }, action, facts }, policy);
}

const onceConnected: Action[] = ['connect', 'ssh:shell', 'ssh:exec', 'ssh:subsystem', 'ssh:read-file', 'ssh:write-file'];

describe('who is named in allow may connect and work', () => {
  test.each(onceConnected)('%s by name', (action) => {
    expect(ask(bot, 'web-1', action)).toEqual({
      verdict: 'allow',
      policies: ['targets.web-1.allow'],
      policySet: policy.policySet,
      reason: 'targets.web-1.allow names bot',
    });
  });

  test.each(onceConnected)('%s by group', (action) => {
    expect(ask(engineer, 'web-1', action)).toMatchObject({ verdict: 'allow', reason: 'targets.web-1.allow names the group platform' });
  });
});

describe('nobody else may do anything', () => {
  const everything: Action[] = [...onceConnected, 'ssh:forward', 'ssh:agent-forward'];

  test.each(everything)('%s', (action) => {
    const reason = 'targets.web-1.allow names neither stranger nor a group of it';
    expect(ask(stranger, 'web-1', action, { direction: 'local' })).toEqual({
      verdict: 'deny',
      policies: ['targets.web-1.allow'],
      policySet: policy.policySet,
      reason,
    });
  });

  test('an empty list lets nobody in', () => {
    for (const principal of [bot, engineer, stranger]) expect(ask(principal, 'local', 'connect').verdict).toBe('deny');
  });

  test('an agent does not inherit what its human may', () => {
    expect(ask(engineer, 'db-1', 'connect').verdict).toBe('allow');
    expect(ask(bot, 'db-1', 'connect').verdict).toBe('deny');
  });

  test('the name of a group is not the name of a principal, nor the other way round', () => {
    expect(ask({ ...stranger, name: 'platform', groups: [] }, 'web-1', 'connect').verdict).toBe('deny');
    expect(ask({ ...stranger, groups: ['bot'] }, 'web-1', 'connect').verdict).toBe('deny');
  });

  test('a target that no rule knows is denied', () => {
    for (const name of ['web-2', '', '__proto__', 'constructor']) {
      expect(ask(bot, name, 'connect')).toMatchObject({ verdict: 'deny', policies: ['targets'], reason: `no target is named ${name}` });
    }
  });

  test('an action that no rule knows is denied', () => {
    const request = JSON.parse(
      '{"principal":{"name":"bot","kind":"agent","groups":[]},"target":{"name":"web-1","kind":"ssh","tags":{}},"action":"ssh:teleport","facts":{}}',
    ) as ActionRequest;
    expect(decide(request, policy)).toMatchObject({ verdict: 'deny', reason: 'no rule speaks of the action ssh:teleport' });
  });
});

describe('forwarding is a rule of its own', () => {
  const rows: [
    principal: ActionRequest['principal'],
    target: string,
    action: Action,
    direction: unknown,
    verdict: string,
    reason: string,
  ][] = [
    [bot, 'web-1', 'ssh:forward', 'local', 'allow', 'targets.web-1.forwarding allows local forwarding'],
    [bot, 'web-1', 'ssh:forward', 'remote', 'deny', 'targets.web-1.forwarding does not allow remote forwarding'],
    [bot, 'web-1', 'ssh:agent-forward', undefined, 'deny', 'targets.web-1.forwarding does not allow agent forwarding'],
    [engineer, 'db-1', 'ssh:forward', 'local', 'deny', 'targets.db-1.forwarding does not allow local forwarding'],
    [engineer, 'db-1', 'ssh:forward', 'remote', 'allow', 'targets.db-1.forwarding allows remote forwarding'],
    [engineer, 'db-1', 'ssh:agent-forward', undefined, 'allow', 'targets.db-1.forwarding allows agent forwarding'],
    [bot, 'web-1', 'ssh:forward', undefined, 'deny', 'the direction of the forwarding is not known'],
    [bot, 'web-1', 'ssh:forward', ['local'], 'deny', 'the direction of the forwarding is not known'],
  ];

  test.each(rows)('%o to %s: %s %o is %s', (principal, target, action, direction, verdict, reason) => {
    const decision = ask(principal, target, action, { direction });
    expect(decision).toMatchObject({ verdict, reason });
    expect(decision.policies).toContain(`targets.${target}.forwarding`);
  });

  test('a shell of the gateway itself forwards nothing', () => {
    const open = policyOf([{ name: 'local', kind: 'shell', tags: {}, allow: ['bot'] }]);
    const request = { principal: bot, target: { name: 'local', kind: 'shell', tags: {} }, facts: { direction: 'local' } };
    expect(decide({ ...request, action: 'ssh:forward' }, open).verdict).toBe('deny');
    expect(decide({ ...request, action: 'ssh:agent-forward' }, open).verdict).toBe('deny');
  });

  test('forwarding an agent is not a direction that a client can name', () => {
    expect(ask(engineer, 'db-1', 'ssh:forward', { direction: 'agent' }).verdict).toBe('deny');
  });
});

describe('a principal sees the targets that it may connect to', () => {
  test('and no others, by name', () => {
    expect(visibleTargets(engineer, policy)).toEqual([
      { name: 'db-1', kind: 'ssh', tags: {} },
      { name: 'web-1', kind: 'ssh', tags: { env: 'prod' } },
    ]);
    expect(visibleTargets(bot, policy).map(({ name }) => name)).toEqual(['web-1']);
    expect(visibleTargets(stranger, policy)).toEqual([]);
  });

  test('exactly those', () => {
    const word = fc.constantFrom('a', 'b', 'c');
    const entry = fc.oneof(
      word,
      word.map((group) => ({ group })),
    );
    const someTargets = fc.uniqueArray(fc.record({ name: fc.constantFrom('t', 'u', 'v'), allow: fc.array(entry, { maxLength: 3 }) }), {
      selector: ({ name }) => name,
    });
    fc.assert(
      fc.property(someTargets, word, fc.array(word, { maxLength: 2 }), (some, name, groups) => {
        const set = policyOf(some.map((target) => ({ ...target, kind: 'ssh', tags: {} })));
        const principal = { name, kind: 'human', groups } as const;
        const allowed = some.filter(
          (target) =>
            decide({ principal, target: { name: target.name, kind: 'ssh', tags: {} }, action: 'connect', facts: {} }, set).verdict ===
            'allow',
        );
        expect(visibleTargets(principal, set).map((target) => target.name)).toEqual(allowed.map((target) => target.name).toSorted());
        const named = some.filter(({ allow }) =>
          allow.some((one) => (typeof one === 'string' ? one === name : groups.includes(one.group))),
        );
        expect(allowed).toEqual(named);
      }),
    );
  });
});

describe('the hash names the rules', () => {
  const hash = (changed: Partial<RuledTarget>) => policyOf([{ ...(targets[0] as RuledTarget), ...changed }]).policySet;

  test('whose form is kept for ever, because records hold it', () => {
    // printf '%s' '{"web-1":{"allow":["group:platform","principal:bot"],"forwarding":["local"]}}' | sha256sum
    expect(hash({})).toBe('6810cda33ae70d776aed39558896def5595f752832529d3c3faf7f838a26c0f4');
    // printf '%s' '{}' | sha256sum
    expect(policyOf([]).policySet).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  });

  test('and changes with every rule', () => {
    const hashes = [
      hash({}),
      hash({ name: 'web-2' }),
      hash({ allow: ['bot'] }),
      hash({ allow: ['bot', 'platform'] }),
      hash({ forwarding: [] }),
      hash({ forwarding: ['local', 'agent'] }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('and with nothing else', () => {
    expect(hash({ allow: [{ group: 'platform' }, 'bot', 'bot'], tags: {} })).toBe(hash({}));
    expect(policyOf(targets.toReversed()).policySet).toBe(policy.policySet);
  });
});
