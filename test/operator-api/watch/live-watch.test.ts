import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuditRecord } from '../../../contract/record.ts';
import { Emulation } from '../../../contract/replay/screen/emulation.ts';
import { mendScreen } from '../../../contract/replay/screen/mend-screen.ts';
import { createLog } from '../../../gateway/base/log.ts';
import { type LiveSession, LiveWatch } from '../../../gateway/operator-api/watch/live-watch.ts';
import { castItems } from '../../../gateway/query/cast-events.ts';
import { LiveCasts } from '../../../gateway/query/live-cast/live-casts.ts';
import { readCast } from '../../../gateway/query/read-cast.ts';
import { Screens } from '../../../gateway/query/screen/screens.ts';
import { LiveFeed } from '../../../gateway/relay/live-feed.ts';
import { type RecordedChannel, RecordedData, type RecordedSession } from '../../query/recorded.ts';
import { randomNumbers, randomOutput } from '../../replay/random-output.ts';
import { stateOf } from '../../replay/screen-state.ts';
import { actor, target } from '../../store/support.ts';
import { until } from '../../support/wait.ts';
import { Viewer } from './viewer.ts';

const operator = { actor: { principal: 'engineer@example.com', kind: 'human', source: '192.0.2.9:50100' } } as const;

interface Room {
  data: RecordedData;
  session: RecordedSession;
  live: LiveWatch;
  screens: Screens;
  /** What `find` says of the session; undefined once it is over. */
  running: LiveSession | undefined;
  /** Refuses records from now on. */
  refuseRecords: boolean;
  watch(viewer?: Viewer): Promise<Viewer>;
  views(): Promise<AuditRecord<'access.viewed'>['body'][]>;
}

async function openRoom(change: { segmentBytes?: number } = {}): Promise<Room> {
  const data = await RecordedData.open(change);
  const session = await data.openSession();
  const log = createLog('fatal');
  const feed = new LiveFeed(data.recorder, (error) => {
    throw error;
  });
  const parts = {
    dataDirectory: data.directory,
    segments: (id: string, channel: number) => data.database.segments.ofChannel(id, channel),
    log,
  };
  const screens = new Screens(parts);
  const casts = new LiveCasts({ ...parts, rawSpent: () => undefined });
  const room: Room = {
    data,
    session,
    screens,
    running: { actor, resource: target, paused: false, stepping: false },
    refuseRecords: false,
    live: new LiveWatch({
      feed,
      screens,
      casts,
      log,
      find: (id) => (id === session.id ? room.running : undefined),
      isRecorded: () => Promise.resolve(true),
      records: { append: (draft) => (room.refuseRecords ? Promise.reject(new Error('no')) : data.records.append(draft)) },
    }),
    watch: async (viewer = new Viewer()) => {
      await room.live.watch(session.id, operator, viewer);
      return viewer;
    },
    views: async () => {
      await data.records.flush();
      const rows = await data.database.records.ofSession(session.id);
      const records = rows.map(({ bytes }) => JSON.parse(Buffer.from(bytes ?? []).toString()) as AuditRecord);
      return records.flatMap((record) => (record.type === 'access.viewed' ? [record.body] : []));
    },
  };
  onTestFinished(async () => {
    room.live.close();
    await screens.close();
    await casts.close();
  });
  return room;
}

/** What a replay shows at the end of what is recorded. */
async function replayed({ data, session }: Room, channel = 0): Promise<Emulation> {
  let screen = new Emulation(80, 24);
  for await (const item of castItems(readCast(data.database, session.id, channel))) {
    if (item.kind === 'header') screen = new Emulation(item.header.cols, item.header.rows);
    if (item.kind !== 'event') continue;
    if (item.code === 'o') screen.show(item.data);
    if (item.code === 'r') screen.resize(...(item.data.split('x').map(Number) as [number, number]));
  }
  return screen;
}

/** Halves of wide characters and the like, which no sequence leads to, are mended in a dump; they look the same. */
function expectSame(viewer: Viewer, screen: Emulation, when: string): void {
  const shown = viewer.screens.get(0) as Emulation;
  mendScreen(shown.core);
  mendScreen(screen.core);
  expect(stateOf(shown.core), when).toEqual(stateOf(screen.core));
}

/** Random output in pieces that end anywhere, within sequences and within characters too, with resizes in between. */
class Drawing {
  at = 0;
  readonly #bytes: Buffer;
  readonly #random: (below: number) => number;

  constructor(seed: number, count: number) {
    this.#bytes = Buffer.from(randomOutput(seed, count, false));
    this.#random = randomNumbers(seed);
  }

  get over(): boolean {
    return this.at >= this.#bytes.length;
  }

  draw(channel: RecordedChannel): void {
    if (this.#random(40) === 0) channel.resize(this.at / 1000, 20 + this.#random(60), 5 + this.#random(20));
    const end = this.at + 1 + this.#random(60);
    channel.data(this.at / 1000, 'o', this.#bytes.subarray(this.at, end));
    this.at = end;
  }

  /** To the end of a character that has begun: a replay shows half a one as U+FFFD, and whoever watches waits for the rest. */
  finishCharacter(channel: RecordedChannel): void {
    let end = this.at;
    while (((this.#bytes[end] ?? 0) & 0xc0) === 0x80) end += 1;
    if (end > this.at) channel.data(this.at / 1000, 'o', this.#bytes.subarray(this.at, end));
    this.at = end;
  }
}

describe('whoever joins late', () => {
  it('88 sees what a replay shows at that moment, without a gap, at thirty moments and until the end', async () => {
    const room = await openRoom({ segmentBytes: 6000 });
    const channel = await room.session.openChannel('shell');
    channel.terminal(60, 15);
    const drawing = new Drawing(20, 3500);
    const viewers: Viewer[] = [];
    const gone = new Set<Viewer>();
    const random = randomNumbers(30);
    while (!drawing.over) {
      for (let piece = random(24); piece >= 0 && !drawing.over; piece -= 1) drawing.draw(channel);
      if (viewers.length >= 30) continue;
      const viewer = new Viewer();
      const joining = room.watch(viewer);
      // What is drawn while somebody joins has to reach them exactly once.
      for (let piece = random(15); piece >= 0 && !drawing.over; piece -= 1) {
        drawing.draw(channel);
        if (random(3) === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await joining;
      await viewer.until('a screen', () => viewer.screens.has(0));
      drawing.finishCharacter(channel);
      expectSame(viewer, await replayed(room), `viewer ${viewers.length}, joined`);
      viewers.push(viewer);
      // There may be sixteen at a time; some stay to the end.
      const leaves = viewers[viewers.length - 8];
      if (leaves === undefined || random(4) === 0) continue;
      leaves.vanish();
      gone.add(leaves);
    }
    expect(viewers).toHaveLength(30);
    const end = await replayed(room);
    const staying = viewers.filter((viewer) => !gone.has(viewer));
    expect(staying.length).toBeGreaterThan(3);
    for (const viewer of staying) expectSame(viewer, end, 'at the end');
    expect(viewers.flatMap((viewer) => viewer.of('snapshot')).some(({ partial }) => partial)).toBe(false);
  });

  it('is told of channels as they open and close, of a terminal, and of the end', async () => {
    const room = await openRoom();
    const viewer = await room.watch();
    expect(viewer.of('hello')).toMatchObject([{ target: target.name, principal: actor.principal, channels: [] }]);
    const channel = await room.session.openChannel('shell');
    expect(viewer.of('channel-opened')).toMatchObject([{ channel: 0, kind: 'session' }]);
    channel.terminal(30, 5);
    channel.data(1, 'o', 'hello');
    await viewer.until('a screen', () => viewer.screens.has(0));
    expectSame(viewer, await replayed(room), 'from the beginning');
    room.running = { actor, resource: target, paused: true, stepping: false };
    await viewer.until('the state', () => viewer.of('state').some(({ paused }) => paused));
    await channel.close();
    await viewer.until('the end of the channel', () => viewer.of('channel-closed').length > 0);
    room.running = undefined;
    await viewer.until('the end', () => viewer.of('end').length > 0);
    expect(viewer.closed?.code).toBe(1000);
  });

  it('into a channel without a terminal gets what follows, and no screen', async () => {
    const room = await openRoom();
    const channel = await room.session.openChannel('exec');
    channel.data(0, 'o', 'before');
    const viewer = await room.watch();
    channel.data(1, 'o', 'after');
    await viewer.until('a frame', () => viewer.framed === 5);
    expect(viewer.screens.size).toBe(0);
  });
});

describe('a watcher', () => {
  it('89 that reads nothing costs a bounded amount of memory and no byte of the session, and gets a new screen later', async () => {
    const room = await openRoom();
    const channel = await room.session.openChannel('shell');
    channel.terminal(80, 24);
    const [slow, quick] = [await room.watch(), await room.watch()];
    await Promise.all([slow, quick].map((viewer) => viewer.until('a screen', () => viewer.screens.has(0))));
    slow.stuck = true;
    const piece = Buffer.from('\x1b[1;32mevery line of it counts\x1b[0m\r\n'.repeat(400));
    const before = channel.recording.bytes.o;
    for (let round = 0; round < 200; round += 1) channel.data(round, 'o', piece);
    expect(channel.recording.bytes.o - before).toBe(200 * piece.length);
    expect(quick.framed).toBe(200 * piece.length);
    expect(slow.bufferedAmount).toBeLessThan(1024 * 1024 + 2 * piece.length);
    slow.stuck = false;
    slow.bufferedAmount = 0;
    const had = slow.of('snapshot').length;
    await slow.until('a new screen', () => slow.of('snapshot').length > had);
    expect(slow.of('resync')).toMatchObject([{ channel: 0, reason: 'slow' }]);
    expect(slow.of('resync')[0]?.leftOut).toBe(200 * (piece.length + 24) - slow.framed - 24 * (slow.framed / piece.length));
    channel.data(300, 'o', 'and on');
    expectSame(slow, await replayed(room), 'after it caught up');
  });

  it('whose screen takes longer than what happens meanwhile may wait sees it all the same', async () => {
    const room = await openRoom();
    const channel = await room.session.openChannel('shell');
    channel.terminal(80, 24);
    const line = Buffer.from(`${'x'.repeat(78)}\r\n`.repeat(800));
    for (let round = 0; round < 25; round += 1) channel.data(0, 'o', line);
    const viewer = await room.watch();
    for (let round = 0; round < 30; round += 1) channel.data(1, 'o', line);
    await viewer.until('a screen', () => viewer.of('snapshot').some(({ behind }) => !behind), 30_000);
    channel.data(2, 'o', 'the end');
    expectSame(viewer, await replayed(room), 'at last');
  });

  it('that leaves does not keep the session from being watched by others, and is recorded', async () => {
    const room = await openRoom();
    const channel = await room.session.openChannel('shell');
    channel.terminal(80, 24);
    const [gone, stays] = [await room.watch(), await room.watch()];
    await stays.until('a screen', () => stays.screens.has(0));
    expect(room.live.watchers(room.session.id)).toBe(2);
    gone.vanish();
    channel.data(1, 'o', 'seen by one');
    expect(room.live.watchers(room.session.id)).toBe(1);
    expect(stays.framed).toBe(11);
    stays.vanish();
    const views = await room.views();
    expect(views.slice(0, 2)).toEqual([{ how: 'watch' }, { how: 'watch' }]);
    expect(views.slice(2)).toEqual([
      { how: 'watch', channel: 0, from: expect.any(Number), to: expect.any(Number) },
      { how: 'watch', channel: 0, from: expect.any(Number), to: expect.any(Number) },
    ]);
    for (const { from = 0, to = 0 } of views.slice(2)) expect(to).toBeGreaterThan(from);
  });

  it('sees nothing when it cannot be recorded that it watches', async () => {
    const room = await openRoom();
    await room.session.openChannel('shell');
    room.refuseRecords = true;
    const viewer = await room.watch();
    expect(viewer.messages).toMatchObject([{ type: 'end', code: 'LEDGER_FAILED' }]);
    expect(viewer.closed?.code).toBe(4500);
    expect(room.live.watchers(room.session.id)).toBe(0);
  });

  it('takes no place when the session ends before it has begun', async () => {
    const room = await openRoom();
    for (let left = 0; left < 130; left += 1) {
      const watching = room.watch();
      room.running = undefined;
      expect((await watching).messages).toEqual([{ type: 'end', reason: 'the session is over' }]);
      room.running = { actor, resource: target, paused: false, stepping: false };
    }
    expect((await room.watch()).of('hello')).toHaveLength(1);
  });

  it('of a session that does not run, or that has sixteen of them, is sent away', async () => {
    const room = await openRoom();
    const stranger = new Viewer();
    await room.live.watch('019a1b2c-3d4e-7f00-8000-000000000001', operator, stranger);
    expect(stranger.of('end')).toMatchObject([{ code: 'SESSION_NOT_LIVE' }]);
    const viewers = await Promise.all(Array.from({ length: 17 }, () => room.watch()));
    expect(viewers.filter((viewer) => viewer.of('hello').length > 0)).toHaveLength(16);
    expect(viewers.at(-1)?.of('end')).toMatchObject([{ code: 'CONFLICT' }]);
  });

  it('finds a place beside an operator who has taken all of them, also while those begin', async () => {
    for (const begun of [true, false]) {
      const room = await openRoom();
      const channel = await room.session.openChannel('shell');
      channel.terminal(40, 10);
      channel.data(0, 'o', 'rm -rf /srv\r\n');
      const all = Array.from({ length: 16 }, () => new Viewer());
      const taken = Promise.all(all.map((viewer) => room.watch(viewer)));
      if (begun) await taken;
      const second = new Viewer();
      await room.live.watch(room.session.id, { actor: { ...operator.actor, principal: 'second@example.com' } }, second);
      await taken;
      await second.until('a screen', () => second.screens.has(0));
      const ended = all.filter(({ closed }) => closed !== undefined);
      expect(ended).toEqual([all[0]]);
      expect(ended[0]?.of('end')).toMatchObject([{ code: 'CONFLICT' }]);
      // Nor does whoever lost it get it back.
      const again = await room.watch();
      expect(again.of('end')).toMatchObject([{ code: 'CONFLICT' }]);
      expect(second.closed).toBeUndefined();
      expect(room.live.watchers(room.session.id)).toBe(16);
    }
  });
});

describe('the thread that keeps screens', () => {
  it('may die: watchers are told, the session goes on, and whoever joins next sees everything', async () => {
    const room = await openRoom();
    const channel = await room.session.openChannel('shell');
    channel.terminal(40, 10);
    channel.data(0, 'o', 'before ');
    const first = await room.watch();
    await first.until('a screen', () => first.screens.has(0));
    const worker = room.screens.worker;
    if (worker === undefined) throw new Error('there is no thread');
    const exit = once(worker, 'exit');
    const second = new Viewer();
    const joining = room.watch(second);
    await worker.terminate();
    await Promise.all([exit, joining]);
    channel.data(1, 'o', 'after');
    await second.until('the screen, after the news or at once', () => second.screens.has(0));
    if (second.of('no-screen').length > 0) expect(second.of('resync')).toMatchObject([{ reason: 'screen-lost' }]);
    expect(first.framed).toBe(5);
    const third = await room.watch();
    await third.until('a screen', () => third.screens.has(0));
    expectSame(third, await replayed(room), 'from a new thread');
    expectSame(first, await replayed(room), 'of the one who was there');
  });

  it('is given back when nobody has watched for a while', async () => {
    const room = await openRoom();
    const channel = await room.session.openChannel('shell');
    channel.terminal(40, 10);
    const viewer = await room.watch();
    await viewer.until('a screen', () => viewer.screens.has(0));
    viewer.vanish();
    await channel.close();
    await until('the end of the thread', async () => (room.screens.worker === undefined ? true : undefined));
  });
});
