import { describe, expect, test } from 'vitest';
import { canonicalText } from '../../contract/canonical.ts';
import { isoMicros } from '../../gateway/base/clock.ts';
import { LogIns, type MadeToken, makeToken } from '../../gateway/operator-api/log-ins.ts';
import { LoginChallenges } from '../../gateway/operator-api/login-challenges.ts';
import { programToken } from '../../gateway/operator-api/operator-operations.ts';
import type { Operator } from '../../gateway/operator-api/operators.ts';

const SECOND = 1_000_000;
const HOUR = 3600 * SECOND;

function world(...people: Operator[]) {
  let now = Date.parse('2026-03-01T09:00:00Z') * 1000;
  const known = new Map(people.map((operator) => [operator.name, operator]));
  const locked = new Set<string>();
  const clock = { wallMicros: () => now, monotonicNanos: () => now * 1000 };
  const operators = {
    find: (name: string) => known.get(name),
    all: () => [...known.values()],
    isLocked: (name: string) => locked.has(name),
  };
  const logIns = new LogIns(operators, clock);
  return { clock, known, locked, logIns, pass: (micros: number) => (now += micros) };
}

const key = { blob: Buffer.alloc(0), fingerprint: 'SHA256:abc', line: 'ssh-ed25519 abc' };
const alice: Operator = { name: 'alice', roles: ['reviewer', 'admin'], groups: ['ops'], keys: [key], disabled: false };
const byKey = { method: 'publickey', key: key.fingerprint };

function enter(logIns: LogIns, operator = 'alice'): MadeToken {
  const made = logIns.make({ operator, authentication: byKey });
  logIns.put(made.known);
  return made;
}

function program(logIns: LogIns, roles: Operator['roles'], expires: number): MadeToken {
  const made = makeToken(programToken({ id: '', hash: Buffer.alloc(0), operator: 'alice', roles, expires }));
  logIns.put(made.known);
  return made;
}

describe('a log-in', () => {
  test('is found by its token, with what the configuration gives it', () => {
    const { logIns } = world(alice);
    const { token } = enter(logIns);
    expect(token).toMatch(/^sp_[A-Za-z0-9_-]{43}$/);
    expect(logIns.find(token)).toMatchObject({
      name: 'alice',
      roles: ['reviewer', 'admin'],
      groups: ['ops'],
      kind: 'login',
    });
    expect(JSON.stringify(logIns.held({}))).not.toContain(token.slice(3));
  });

  test('does not count before it is put, which its record has to come before', () => {
    const { logIns } = world(alice);
    const { token } = logIns.make({ operator: 'alice', authentication: byKey });
    expect(logIns.find(token)).toBeUndefined();
  });

  test.each([
    '',
    'sp_',
    `sp_${'A'.repeat(43)}`,
    `sp_${'A'.repeat(42)}`,
    `xx_${'A'.repeat(43)}`,
    `sp_${'A'.repeat(42)}é`,
    'x'.repeat(100_000),
  ])('is not found by %j', (token) => {
    const { logIns } = world(alice);
    enter(logIns);
    expect(logIns.find(token)).toBeUndefined();
  });

  test('lasts twelve hours', () => {
    const { logIns, pass } = world(alice);
    const { token, known } = enter(logIns);
    pass(12 * HOUR - 1);
    expect(logIns.find(token)).toBeDefined();
    pass(1);
    expect([logIns.find(token), logIns.stillGood(known.id)]).toEqual([undefined, undefined]);
  });

  test.each<[string, Operator | undefined]>([
    ['is removed', undefined],
    ['is disabled', { ...alice, disabled: true }],
    ['has no role left', { ...alice, roles: [] }],
    ['has the key no more that it was made with', { ...alice, keys: [{ ...key, fingerprint: 'SHA256:def' }] }],
  ])('is refused at the next request when its operator %s, and counts again when that is taken back', (_how, changed) => {
    const { logIns, known } = world(alice);
    const { token } = enter(logIns);
    if (changed === undefined) known.delete('alice');
    else known.set('alice', changed);
    expect(logIns.find(token)).toBeUndefined();
    known.set('alice', alice);
    expect(logIns.find(token)).toBeDefined();
  });

  test('is refused while its operator is locked', () => {
    const { logIns, locked } = world(alice);
    const { token } = enter(logIns);
    locked.add('alice');
    expect([logIns.find(token), logIns.all()]).toEqual([undefined, []]);
  });

  test('takes the place of the oldest of its operator when there are too many, and of nobody else', () => {
    const { logIns } = world(alice, { ...alice, name: 'bob' });
    const bob = enter(logIns, 'bob');
    const [first, ...others] = Array.from({ length: 33 }, () => enter(logIns));
    expect(logIns.find(first?.token ?? '')).toBeUndefined();
    for (const { token } of [...others, bob]) expect(logIns.find(token)).toBeDefined();
  });
});

describe('the token of a program', () => {
  test('has no more than its operator has at the moment, nor than it was given', () => {
    const { logIns, known, clock } = world(alice);
    const { token } = program(logIns, ['reviewer', 'auditor'], clock.wallMicros() + HOUR);
    expect(logIns.find(token)?.roles).toEqual(['reviewer']);
    known.set('alice', { ...alice, roles: ['auditor', 'admin'] });
    expect(logIns.find(token)?.roles).toEqual(['auditor']);
    known.set('alice', { ...alice, roles: ['admin'] });
    expect(logIns.find(token)).toBeUndefined();
  });

  test('does not depend on the keys of its operator', () => {
    const { logIns, known, clock } = world(alice);
    const { token } = program(logIns, ['reviewer'], clock.wallMicros() + HOUR);
    known.set('alice', { ...alice, keys: [] });
    expect(logIns.find(token)).toBeDefined();
  });

  test('is not pushed out by log-ins', () => {
    const { logIns, clock } = world(alice);
    const { token } = program(logIns, ['reviewer'], clock.wallMicros() + HOUR);
    for (let count = 0; count < 40; count += 1) enter(logIns);
    expect(logIns.find(token)).toBeDefined();
  });
});

describe('a challenge', () => {
  const challenges = (clock = world().clock, certificate = 'AB:CD') =>
    new LoginChallenges({ clock, origin: 'bastion/1', certificate: () => certificate });

  test('names the gateway, its certificate and the operator, and is known again once', () => {
    const ours = challenges();
    const { challenge } = ours.make('alice');
    expect(JSON.parse(challenge)).toMatchObject({ origin: 'bastion/1', certificate: 'AB:CD', operator: 'alice' });
    const opened = ours.open(challenge);
    expect([opened?.operator, opened?.use(), opened?.use(), ours.open(challenge)]).toEqual(['alice', true, false, undefined]);
  });

  test('is good for two minutes', () => {
    const { clock, pass } = world();
    const ours = challenges(clock);
    const { challenge, expires } = ours.make('alice');
    expect(expires).toBe(isoMicros(clock.wallMicros() + 120 * SECOND));
    pass(120 * SECOND - 1000);
    expect(ours.open(challenge)).toBeDefined();
    pass(2000);
    expect(ours.open(challenge)).toBeUndefined();
  });

  test('of another process, changed or written otherwise is none', () => {
    const ours = challenges();
    const { challenge } = ours.make('alice');
    const fields = JSON.parse(challenge) as Record<string, unknown>;
    const forgeries = [
      challenges().make('alice').challenge,
      canonicalText({ ...fields, operator: 'bob' }),
      canonicalText({ ...fields, expires: '2099-01-01T00:00:00.000000Z' }),
      canonicalText({ ...fields, more: 1 }),
      JSON.stringify(fields, null, 1),
      ` ${challenge}`,
      challenge.replace('alice', '\\u0061lice'),
      '',
      'null',
      '[]',
      '{"__proto__":1}',
      '\ud800',
    ];
    for (const text of forgeries) expect(ours.open(text)).toBeUndefined();
    expect(ours.open(challenge)).toBeDefined();
  });
});
