import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../gateway/base/clock.ts';
import { SallyportError } from '../../gateway/base/errors.ts';
import { LiveSessions } from '../../gateway/session/live-sessions.ts';
import { Session } from '../../gateway/session/session.ts';
import { shellTarget, type TestGateway, testGateway } from '../protocol/ssh/support.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await testGateway(belongings, { targets: [shellTarget()] });
});
afterAll(() => belongings.release());

function session(principal: string): Session {
  const actor = { principal, kind: 'human' as const, source: '192.0.2.1:5' };
  return new Session('ssh', { actor, facts: { name: principal, kind: 'human', groups: [] } }, shellTarget(), {
    ...gateway.parts,
    clock: systemClock,
  });
}

describe('live sessions', () => {
  it('are so many at most, of all and of one principal, and a place is free again when one leaves', () => {
    const limits = { sessions: 3, sessionsPerPrincipal: 2 };
    const live = new LiveSessions(() => limits);
    const [one, two] = [session('a'), session('a')];
    live.enter(one);
    live.enter(two);
    expect(() => live.enter(session('a'))).toThrow(/a already has 2 sessions/);
    live.enter(session('b'));
    expect(() => live.enter(session('c'))).toThrow(/already has 3 sessions/);
    live.leave(one);
    live.leave(one);
    expect(live.size).toBe(2);
    live.enter(session('a'));
    expect(() => live.enter(session('a'))).toThrow(SallyportError);
    limits.sessions = 10;
    limits.sessionsPerPrincipal = 10;
    live.enter(session('a'));
    expect(live.find(two.id)).toBe(two);
  });

  it('are drained when the last has left, and nobody enters meanwhile', async () => {
    const live = new LiveSessions(() => ({ sessions: 3, sessionsPerPrincipal: 3 }));
    const last = session('a');
    live.enter(last);
    const drained = live.drain();
    expect(() => live.enter(session('b'))).toThrow(/shutting down/);
    live.endAll(new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down'));
    expect(last.endReason?.code).toBe('GATEWAY_DRAINING');
    let done = false;
    void drained.then(() => {
      done = true;
    });
    live.leave(last);
    await Promise.resolve();
    expect(done, 'its end is not recorded yet').toBe(false);
    live.closed(last);
    await drained;
    await live.drain();
  });
});

describe('a session', () => {
  it('that was paused before its protocol could hold it is held as soon as it can', () => {
    const conduct = { hold: vi.fn<(on: boolean) => void>(), say: () => 0, note: () => undefined };
    const paused = session('a');
    paused.pause(true);
    paused.superviseWith(conduct);
    expect(conduct.hold.mock.calls).toEqual([[true]]);
    paused.pause(false);
    expect(conduct.hold.mock.calls).toEqual([[true], [false]]);
  });
});
