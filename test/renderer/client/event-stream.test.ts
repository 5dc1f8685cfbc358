import { expect, it } from 'vitest';
import type { OperatorEvent } from '../../../contract/operator-events.ts';
import { changedBy } from '../../../renderer/app/client/changed-answers.ts';
import { EventStream } from '../../../renderer/app/client/event-stream.ts';
import type { HostSocketEvents, HostTransport } from '../../../renderer/app/host/host.ts';

/** A gateway whose connections and clock the test has in its hands. */
function world() {
  const sockets: HostSocketEvents[] = [];
  const timers: { millis: number; run: () => void }[] = [];
  const transport: HostTransport = {
    request: () => Promise.reject(new Error('nothing is asked here')),
    connect: (_path, events) => {
      sockets.push(events);
      return { close: () => events.closed(1000, '') };
    },
    after: (millis, run) => {
      const timer = { millis, run };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
  };
  return { sockets, timers, stream: new EventStream(transport) };
}

const opened: OperatorEvent = { event: 'session.opened', session: 's', principal: 'p', target: 't', time: '2026-01-01T00:00:00.000000Z' };

it('tells events, and leaves out what it does not know', () => {
  const { sockets, stream } = world();
  const told: OperatorEvent[] = [];
  stream.onEvent((event) => told.push(event));
  stream.start();
  sockets[0]?.message(JSON.stringify(opened));
  sockets[0]?.message(JSON.stringify({ event: 'of.tomorrow' }));
  expect(told).toEqual([opened]);
});

it('tries again, ever later, and says that it is lost meanwhile', () => {
  const { sockets, timers, stream } = world();
  stream.start();
  timers.shift()?.run();
  expect(stream.state).toBe('up');
  const waits: number[] = [];
  for (let at = 0; at < 7; at += 1) {
    sockets.at(-1)?.closed(1006, '');
    expect(stream.state).toBe('lost');
    const wait = timers.splice(0).find(({ millis }) => millis !== 300);
    waits.push(wait?.millis ?? 0);
    wait?.run();
  }
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
  expect(sockets).toHaveLength(8);
});

it('is not up because a connection was taken and ended at once', () => {
  const { sockets, timers, stream } = world();
  stream.start();
  sockets[0]?.closed(4401, '');
  expect(stream.state).toBe('lost');
  expect(timers.map(({ millis }) => millis)).toEqual([250]);
});

it('does not connect again once it was stopped', () => {
  const { sockets, timers, stream } = world();
  stream.start();
  stream.stop();
  expect(sockets).toHaveLength(1);
  expect(timers).toEqual([]);
});

it('knows for each event what it makes old', () => {
  expect(changedBy(opened)).toContain('session.list');
  expect(changedBy({ event: 'missed', count: 3 })).toBe('everything');
});
