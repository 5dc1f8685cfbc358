import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../../gateway/base/log.ts';
import { beginningOf, type CastPosition, parseCastPosition, writeCastPosition } from '../../../gateway/query/live-cast/cast-position.ts';
import { type FollowedCast, LiveCasts } from '../../../gateway/query/live-cast/live-casts.ts';
import { SegmentTexts } from '../../../gateway/query/segment-text.ts';
import { randomNumbers, randomOutput } from '../../replay/random-output.ts';
import { until } from '../../support/wait.ts';
import { type RecordedChannel, RecordedData } from '../recorded.ts';

interface Room {
  readonly data: RecordedData;
  readonly session: string;
  readonly channel: RecordedChannel;
  readonly casts: LiveCasts;
}

async function openRoom(segmentBytes: number, terminal: boolean): Promise<Room> {
  const data = await RecordedData.open({ segmentBytes });
  const session = await data.openSession();
  const channel = await session.openChannel('shell');
  if (terminal) channel.terminal(80, 24);
  const casts = new LiveCasts({
    dataDirectory: data.directory,
    segments: (id, number) => data.database.segments.ofChannel(id, number),
    rawSpent: () => channel.recording.rawSpent,
    log: createLog('fatal'),
  });
  onTestFinished(() => casts.close());
  return { data, session: session.id, channel, casts };
}

/** Somebody who follows, and may let go and come back to where they were. */
class Follower {
  readonly texts = new Map<number, string>();
  position: CastPosition;
  state: 'more' | 'waiting' | 'ended' | 'lost' = 'more';
  readonly #room: Room;
  #cast: FollowedCast | undefined;

  constructor(room: Room, position: CastPosition) {
    this.#room = room;
    this.position = position;
  }

  /** Takes what there is. */
  async take(over = false): Promise<void> {
    this.#cast ??= this.#room.casts.follow(this.#room.session, 0, this.position);
    do {
      const { texts, state } = await this.#cast.read(20_000, over ? undefined : this.#room.channel.recording.position);
      for (const { text, position } of texts) {
        const known = this.texts.get(position.segment) ?? '';
        this.texts.set(position.segment, known + text);
        this.position = position;
      }
      this.state = state;
    } while (this.state === 'more');
  }

  letGo(): void {
    this.#cast?.forget();
    this.#cast = undefined;
  }
}

/** What the recording says, once it is sealed. */
async function sealedTexts({ data, session }: Room): Promise<string[]> {
  const texts = new SegmentTexts(data.directory);
  const sealed: string[] = [];
  for (const row of await data.database.segments.ofChannel(session, 0)) {
    const text = await texts.open(row);
    let content = '';
    for await (const piece of text.read(0, text.bytes)) content += piece.toString('utf8');
    sealed.push(content);
  }
  return sealed;
}

/** Output in pieces that end anywhere, also within a character; now and then input, error output, a size, bytes that are no text. */
function write({ channel }: Room, seed: number, count: number, at: number, terminal: boolean): void {
  const random = randomNumbers(seed);
  const bytes = Buffer.from(`${randomOutput(seed, count)}${'好🙂'.repeat(random(4))}`);
  for (let from = 0, time = at; from < bytes.length; time += 0.0001) {
    const length = 1 + random(200);
    const chance = random(20);
    if (chance === 0) channel.data(time, 'i', 'ls\r');
    if (chance === 1) channel.data(time, 'e', Buffer.from('error ü\n'));
    if (chance === 2 && terminal) channel.resize(time, 60 + random(40), 20 + random(20));
    // Of binary content a pipe keeps 64 KiB, and then its digest.
    if (chance === 3) channel.data(time, 'o', randomBytes(terminal ? 40 : 3000));
    channel.data(time, 'o', bytes.subarray(from, from + length));
    from += length;
  }
}

describe('a cast that is followed while it is written', () => {
  it.each([
    ['a terminal', true, 1],
    ['a pipe', false, 3],
  ])(
    'is what is sealed, from wherever it is followed, across seals and after any interruption: %s %s %i',
    async (_what, terminal, seed) => {
      const room = await openRoom(16 * 1024, terminal);
      const random = randomNumbers(seed);
      const followers: Follower[] = [];
      const places: CastPosition[] = [beginningOf(1)];
      for (let round = 0; round < 24; round += 1) {
        write(room, seed * 1000 + round, 500, round, terminal);
        if (round % 2 === 0) followers.push(new Follower(room, places[random(places.length)] as CastPosition));
        await Promise.all(
          followers.map(async (follower) => {
            if (random(3) === 0) return; // It is slow.
            await follower.take();
            places.push(follower.position);
            if (random(4) === 0) follower.letGo();
          }),
        );
      }
      room.channel.exit(50, 0);
      await room.channel.close();
      const sealed = await sealedTexts(room);
      expect(sealed.length).toBeGreaterThan(4);
      const begun = new Map(followers.map((follower) => [follower, follower.texts.size]));
      for (const follower of followers) {
        await follower.take(true);
        expect(follower.state).toBe('ended');
        for (const [segment, text] of follower.texts) {
          const whole = sealed[segment - 1] ?? '';
          // The first of its segments may have been joined in the middle.
          expect(whole.endsWith(text), `segment ${segment}`).toBe(true);
          if (segment !== Math.min(...follower.texts.keys())) expect(text).toBe(whole);
        }
        expect(Math.max(...follower.texts.keys())).toBe(sealed.length + 1);
        follower.letGo();
      }
      expect(followers.length).toBe(12);
      expect([...begun.values()].some((segments) => segments > 3)).toBe(true);
    },
  );

  it('goes on from a position that is sealed by now, and is told where there is none', async () => {
    const room = await openRoom(8 * 1024, true);
    write(room, 7, 100, 0, true);
    const first = new Follower(room, beginningOf(1));
    await first.take();
    const early = parseCastPosition(writeCastPosition(first.position)) as CastPosition;
    first.letGo();
    for (let round = 1; round < 10; round += 1) write(room, 70 + round, 800, round, true);
    await until('seals', async () => (await room.data.database.segments.ofChannel(room.session, 0)).length > 3 || undefined);

    const late = new Follower(room, early);
    await late.take();
    expect(late.state).toBe('waiting');
    const { segment, bytes, check } = early;
    for (const wrong of [
      { segment, bytes: bytes - 1, check },
      { segment, bytes, check: check ^ 1 },
      { segment, bytes: bytes + 1_000_000, check },
      { segment: 500, bytes: 0, check: 0 },
      { segment: late.position.segment, bytes: late.position.bytes + 100, check },
    ]) {
      const lost = new Follower(room, wrong);
      await lost.take();
      expect([wrong, lost.state, lost.texts.size]).toEqual([wrong, 'lost', 0]);
      lost.letGo();
    }
    late.letGo();
  });

  it('survives the end of its thread: whoever follows begins again where they were', async () => {
    const room = await openRoom(1024 * 1024, true);
    write(room, 5, 50, 0, true);
    const follower = new Follower(room, beginningOf(1));
    await follower.take();
    const before = follower.texts.get(1);
    await room.casts.worker?.terminate();
    await expect(follower.take()).rejects.toMatchObject({ code: 'INTERNAL' });
    follower.letGo();
    write(room, 6, 50, 1, true);
    await follower.take();
    expect(follower.texts.get(1)?.length).toBeGreaterThan(before?.length ?? 0);
    follower.letGo();
    expect(room.casts.followed).toBe(0);
  });
});

describe('a position', () => {
  it('is read as it was written, and nothing else is one', () => {
    for (const position of [beginningOf(1), { segment: 12, bytes: 99_999_999, check: 0xffff_ffff }])
      expect(parseCastPosition(writeCastPosition(position))).toEqual(position);
    expect(parseCastPosition('3:0')).toEqual(beginningOf(3));
    for (const text of [
      '',
      '3',
      '0:0',
      '3:1',
      '3:1:',
      '3:1:0a',
      '-1:0',
      '3:1:0A0A0A0A',
      '3:1:00000000 ',
      '1e3:0',
      '3:1:00000000:0',
      `${'9'.repeat(40)}:0`,
    ])
      expect([text, parseCastPosition(text)]).toEqual([text, undefined]);
  });
});
