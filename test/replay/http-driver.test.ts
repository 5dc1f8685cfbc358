import { describe, expect, it } from 'vitest';
import type { LiveMessage } from '../../contract/live-frames.ts';
import type { RecordingOutline } from '../../contract/operator-api.ts';
import { openHttpRecording } from '../../contract/replay/http-driver.ts';
import { Player } from '../../contract/replay/player.ts';
import type { RecordingTransport, SocketEvents, TransportAnswer } from '../../contract/replay/recording-transport.ts';
import { nodeHost, textOf } from './memory-driver.ts';

const SECOND = 1_000_000_000;
const session = '01234567-89ab-7def-8123-456789abcdef';
const sealed = (segment: number, from: number, to: number) => ({
  segment,
  state: 'sealed' as const,
  from: from * SECOND,
  to: to * SECOND,
  bytes: 100,
  sha256: '0'.repeat(64),
});

/** A gateway that has these segments, and nothing made of them. Its time passes when a test says so. */
class SealingGateway implements RecordingTransport {
  live: RecordingOutline['live'] = { position: '1:0:00000000' };
  segments: RecordingOutline['segments'];
  longestWait = 0;
  readonly #texts: ReadonlyMap<number, string>;
  #events: SocketEvents | undefined;
  #due: (() => void)[] = [];

  constructor(texts: ReadonlyMap<number, string>, segments: RecordingOutline['segments']) {
    this.#texts = texts;
    this.segments = segments;
  }

  async request(path: string): Promise<TransportAnswer> {
    const segment = /segments\/(\d+)\/cast$/.exec(path)?.[1];
    const outline: RecordingOutline = {
      ...{ session, channel: 0, kind: 'shell', opened: '2026-03-01T09:30:00.123456Z', duration: 0 },
      ...{ terminal: true, input: false, live: this.live, complete: false, segments: this.segments },
    };
    const text = segment === undefined ? JSON.stringify(outline) : this.#texts.get(Number(segment));
    return { status: text === undefined ? 404 : 200, text: async () => text ?? '' };
  }

  connect(_path: string, events: SocketEvents): { close(): void } {
    this.#events = events;
    return { close: () => undefined };
  }

  after(millis: number, run: () => void): () => void {
    this.longestWait = Math.max(this.longestWait, millis);
    this.#due.push(run);
    return () => {
      this.#due = this.#due.filter((each) => each !== run);
    };
  }

  say(message: LiveMessage): void {
    this.#events?.message(JSON.stringify(message));
  }

  passTime(): void {
    for (const run of this.#due.splice(0)) run();
  }

  /** Everything that was asked is answered: nothing here waits for anything else. */
  async answered(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await nodeHost.pause();
  }
}

function over(...parts: ConstructorParameters<typeof SealingGateway>): SealingGateway {
  return Object.assign(new SealingGateway(...parts), { live: null });
}

describe('a recording at a gateway', () => {
  it('of which a segment is missing goes on behind it, and a sequence that was cut by that is over', async () => {
    const header = JSON.stringify({ version: 3, term: { cols: 80, rows: 24 }, 'x-sallyport': { pty: true } });
    const texts = new Map([
      [1, `${header}\n[1.0,"o","before \\u001b[3"]\n`],
      [3, '[1.0,"o","1m behind"]\n'],
    ]);
    const missing = { segment: 2, state: 'missing' as const, from: 10 * SECOND, to: 10 * SECOND };
    const driver = await openHttpRecording(over(texts, [sealed(1, 0, 10), missing, sealed(3, 20, 30)]), session, 0);
    const player = new Player(driver, nodeHost);
    player.seek(driver.outline.duration, 0);
    await player.shown();
    expect(textOf(player.screen)).toBe('before 1m behind');
    const damage = { from: 10_000_000, to: 20_000_000, words: 'Part 2 of this recording is missing.' };
    expect(driver.timeline.damage).toEqual([damage]);
    expect(driver.outline.idle).toContainEqual({ from: damage.from, to: damage.to, damaged: true });
    await player.close();
  });

  it('that is over before all of it is sealed is shown to its end all the while', async () => {
    const texts = new Map<number, string>();
    const gateway = new SealingGateway(texts, [{ segment: 1, state: 'journal', from: 0, to: 0 }]);
    const driver = await openHttpRecording(gateway, session, 0);
    const header = JSON.stringify({ version: 3, term: { cols: 80, rows: 24 }, 'x-sallyport': { pty: true } });
    const text = `${header}\n[1.0,"o","all of it"]\n`;
    gateway.say({ type: 'cast', channel: 0, segment: 1, text, position: `1:${text.length}:00000000` });
    gateway.live = null;
    gateway.say({ type: 'channel-closed', channel: 0 });
    const player = new Player(driver, nodeHost);
    const expectAll = async () => {
      player.seek(driver.outline.duration, 0);
      await player.shown();
      expect([textOf(player.screen), driver.outline.duration >= 1_000_000]).toEqual(['all of it', true]);
    };
    await gateway.answered();
    await expectAll();
    gateway.passTime(); // Asked again too early.
    await gateway.answered();
    await expectAll();
    texts.set(1, text);
    gateway.segments = [sealed(1, 0, 2)];
    gateway.passTime();
    await gateway.answered();
    await expectAll();
    expect(driver.outline).toMatchObject({ live: false, duration: 2_000_000 });
    await player.close();
  });

  it('is not asked for ever whether it is sealed', async () => {
    const gateway = over(new Map([[1, '']]), [sealed(1, 0, 2), { segment: 2, state: 'journal', from: 2 * SECOND, to: 2 * SECOND }]);
    const driver = await openHttpRecording(gateway, session, 0);
    for (let turn = 0; turn < 20; turn += 1) {
      gateway.passTime();
      await gateway.answered();
    }
    expect(gateway.longestWait).toBeLessThanOrEqual(60_000);
    expect(driver.outline).toMatchObject({ live: false, duration: 2_000_000 });
    driver.close();
  });
});
