import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Frame, FrameEncoder } from '../../../contract/frame-codec.ts';
import { type LiveMessage, liveFrames } from '../../../contract/live-frames.ts';
import type { Note } from '../../../contract/replay/cast-event.ts';
import type { Emulation } from '../../../contract/replay/screen/emulation.ts';
import type { HostSocketEvents, HostTransport } from '../../../renderer/app/host/host.ts';
import { webCodecHost } from '../../../renderer/app/live/watch/codec-host.ts';
import { describeLag, describeView, sinceOutput } from '../../../renderer/app/live/watch/describe-view.ts';
import { LiveView } from '../../../renderer/app/live/watch/live-view.ts';
import { MOST_WAITING } from '../../../renderer/app/live/watch/watched-channel.ts';

const SESSION = '01a2bc3d-1111-7000-8000-000000000001';
const OPENED = 1_772_000_000_000_000;

/** A gateway's side of the sockets that a view opens, and its clocks. */
class Gateway {
  readonly paths: string[] = [];
  readonly closed: number[] = [];
  readonly drawn: number[] = [];
  readonly notes: Note[] = [];
  changes = 0;
  wall = OPENED / 1000;
  slow = false;
  readonly #encoder = new FrameEncoder(webCodecHost);
  #sockets: HostSocketEvents[] = [];
  #timers: { millis: number; run: () => void }[] = [];
  #soon: (() => void)[] = [];
  #now = 0;
  readonly view: LiveView;

  constructor() {
    const transport = {
      connect: (path: string, events: HostSocketEvents) => {
        const number = this.#sockets.push(events);
        this.paths.push(path);
        return { close: () => void this.closed.push(number) };
      },
      after: (millis: number, run: () => void) => {
        const timer = { millis, run };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        };
      },
    } as unknown as HostTransport;
    this.view = new LiveView(
      SESSION,
      transport,
      {
        now: () => {
          this.#now += this.slow ? 5 : 0;
          return this.#now;
        },
        wall: () => this.wall,
        soon: (run) => void this.#soon.push(run),
      },
      {
        changed: () => {
          this.changes += 1;
        },
        drawn: ({ channel }) => void this.drawn.push(channel),
        noted: (_, note) => void this.notes.push(note),
      },
    );
  }

  say(message: LiveMessage): void {
    this.#sockets.at(-1)?.message(JSON.stringify(message));
  }

  send(channel: number, ...frames: Frame[]): void {
    this.#sockets.at(-1)?.message(new Uint8Array(liveFrames(channel, this.#encoder.encode(frames))));
  }

  output(text: string | Uint8Array, { channel = 0, at = 0, stream = 'o' as const } = {}): void {
    this.send(channel, { kind: 'data', at, stream, bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text });
  }

  hello(...channels: Extract<LiveMessage, { type: 'hello' }>['channels']): void {
    this.say({ type: 'hello', session: SESSION, target: 'web', principal: 'bot', channels, paused: false, stepping: false });
  }

  snapshot(text: string | Uint8Array, rest: Partial<Extract<LiveMessage, { type: 'snapshot' }>> = {}): void {
    const data = Buffer.from(text).toString('base64');
    this.say({ type: 'snapshot', channel: 0, cols: 20, rows: 4, at: 0, data, partial: false, behind: false, ...rest });
  }

  end(code: number, reason = ''): void {
    this.#sockets.at(-1)?.closed(code, reason);
  }

  /** Runs the timer that waits, and says how long it would have waited. */
  time(): number | undefined {
    const timer = this.#timers.shift();
    timer?.run();
    return timer?.millis;
  }

  turn(): boolean {
    const run = this.#soon.shift();
    run?.();
    return run !== undefined;
  }
}

const terminal = { channel: 0, kind: 'shell', openedAt: OPENED, terminal: { cols: 20, rows: 4 } };
const plain = { channel: 0, kind: 'exec', openedAt: OPENED };

function textOf(emulation: Emulation | undefined): string[] {
  const lines: string[] = [];
  const buffer = emulation?.core.buffers.active;
  for (let row = 0; row < (emulation?.rows ?? 0); row += 1)
    lines.push(buffer?.lines.get(buffer.ybase + row)?.translateToString(true) ?? '');
  return lines.join('\n').trimEnd().split('\n');
}

const shown = ({ view }: Gateway, channel = 0) => textOf(view.channels.get(channel)?.emulation);

test('a browser’s checksum is that of zlib', () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, at) => (at * 7919) & 0xff);
  expect(webCodecHost.crc32(bytes, 0)).toBe(crc32(bytes));
  expect(webCodecHost.crc32(bytes.subarray(100), webCodecHost.crc32(bytes.subarray(0, 100), 0))).toBe(crc32(bytes));
});

describe('a session that is watched', () => {
  test('is joined with the present screen, and goes on from there', () => {
    const gateway = new Gateway();
    expect(gateway.view.state).toBe('joining');
    gateway.hello(terminal);
    expect(gateway.view.main?.state).toBe('waiting');
    gateway.snapshot('orders $ ls\r\n');
    expect(shown(gateway)).toEqual(['orders $ ls']);
    gateway.output('a.txt\r\n');
    expect(shown(gateway)).toEqual(['orders $ ls', 'a.txt']);
    expect(gateway.view).toMatchObject({ state: 'watching', main: { state: 'shown', partial: false } });
    expect(gateway.paths).toEqual([`/api/sessions/${SESSION}/live`]);
  });

  test('a character that was cut between snapshot and frame is whole', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    const bytes = new TextEncoder().encode('é');
    gateway.snapshot(Uint8Array.of(0x61, bytes[0] as number));
    gateway.output(Uint8Array.of(bytes[1] as number, 0x62));
    expect(shown(gateway)).toEqual(['aéb']);
  });

  test('input is not shown, and a resize is', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    gateway.snapshot('');
    gateway.send(
      0,
      { kind: 'data', at: 1, stream: 'i', bytes: new TextEncoder().encode('secret') },
      { kind: 'resize', at: 2, cols: 40, rows: 10 },
    );
    expect(shown(gateway)).toEqual(['']);
    expect(gateway.view.main?.emulation).toMatchObject({ cols: 40, rows: 10 });
  });

  test('a snapshot takes the place of what waits to be drawn, and the screen before stays until it is whole', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    gateway.snapshot('before');
    gateway.slow = true;
    gateway.output(`${'x'.repeat(40_000)}\r\nmiddle`);
    gateway.snapshot(`${' '.repeat(40_000)}\r\nafter`);
    while (gateway.turn()) expect(shown(gateway).join('')).not.toMatch(/middle/);
    expect(shown(gateway).at(-1)).toBe('after');
  });

  test('much output is drawn in turns, so that keys and clicks come in between', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    gateway.snapshot('');
    gateway.slow = true;
    gateway.output(`${'y'.repeat(100_000)}\r\nend`);
    expect(shown(gateway).at(-1)).not.toBe('end');
    let turns = 0;
    while (gateway.turn()) turns += 1;
    expect(turns).toBeGreaterThan(2);
    expect(shown(gateway).at(-1)).toBe('end');
  });

  test('more than can be drawn in time is given up for a new screen', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    gateway.snapshot('');
    gateway.slow = true;
    const piece = 'z'.repeat(1024 * 1024);
    for (let sent = 0; sent <= MOST_WAITING; sent += piece.length) gateway.output(piece);
    expect(gateway.closed).toEqual([1]);
    expect(gateway.paths).toHaveLength(2);
    expect(gateway.view.main?.state).toBe('behind');
    gateway.hello(terminal);
    gateway.snapshot('now');
    while (gateway.turn());
    expect(shown(gateway)).toEqual(['now']);
    expect(gateway.view.main?.state).toBe('shown');
  });

  test('what the gateway left out is told, until a screen without a gap has come', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    gateway.snapshot('');
    gateway.say({ type: 'resync', channel: 0, reason: 'slow', leftOut: 5000 });
    expect(gateway.view.main).toMatchObject({ state: 'behind', leftOut: 5000 });
    gateway.snapshot('a', { behind: true });
    expect(gateway.view.main).toMatchObject({ state: 'behind' });
    gateway.snapshot('b', { partial: true });
    expect(gateway.view.main).toMatchObject({ state: 'shown', partial: true, leftOut: 0 });
  });

  test('without a terminal the lines are shown as they come, error output as such', () => {
    const gateway = new Gateway();
    gateway.hello(plain);
    gateway.output('one\ntwo\n');
    expect(shown(gateway)).toEqual(['one', 'two']);
    expect(gateway.view.main).toMatchObject({ hasTerminal: false, state: 'shown', emulation: { plain: true } });
  });

  test('a channel that is given a terminal shows that from its snapshot on', () => {
    const gateway = new Gateway();
    gateway.hello(plain);
    gateway.send(0, { kind: 'event', at: 1, event: { t: 'terminal', cols: 20, rows: 4, type: 'xterm' } });
    gateway.snapshot('$ ');
    expect(gateway.view.main).toMatchObject({ hasTerminal: true, emulation: { plain: false, cols: 20 } });
  });

  test('the newest open channel with a terminal is shown; those that are closed are forgotten but for a few', () => {
    const gateway = new Gateway();
    gateway.hello({ ...terminal, channel: 0 }, { ...plain, channel: 1 });
    expect(gateway.view.main?.channel).toBe(0);
    for (let channel = 2; channel < 40; channel += 1) {
      gateway.say({ type: 'channel-opened', ...plain, channel });
      gateway.say({ type: 'channel-closed', channel });
    }
    expect(gateway.view.channels.size).toBeLessThan(10);
    expect(gateway.view.main?.channel).toBe(0);
    gateway.say({ type: 'channel-closed', channel: 0 });
    expect(gateway.view.main?.channel).toBe(1);
  });

  test('it is told what happens besides output, and how it stands', () => {
    const gateway = new Gateway();
    gateway.hello(plain);
    const event = { t: 'supervise', what: 'pause', by: 'alice@example.com', reason: 'look' };
    gateway.send(0, { kind: 'event', at: 1, event, marker: 'paused' });
    gateway.say({ type: 'state', paused: true, stepping: true });
    expect(gateway.notes).toEqual([event]);
    expect(gateway.view).toMatchObject({ paused: true, stepping: true });
  });

  test('the delay is what lies between the time in the recording and the time of arrival', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    gateway.snapshot('');
    gateway.wall = OPENED / 1000 + 5250;
    gateway.output('x', { at: 5_000_000_000 });
    expect(gateway.view.lag).toBe(250);
    expect(gateway.view.lastOutput).toBe(OPENED / 1000 + 5000);
  });
});

describe('a watching that ends', () => {
  test('with the session, keeps the last screen and says why', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    gateway.snapshot('bye');
    gateway.say({ type: 'end', reason: 'the session is over' });
    gateway.end(1000, 'the session is over');
    expect(gateway.view).toMatchObject({ state: 'ended', why: 'the session is over', main: { open: false } });
    expect(shown(gateway)).toEqual(['bye']);
    expect(gateway.time()).toBeUndefined();
  });

  test('with the connection, is tried again, ever later, and the screen stays until the new one has come', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    gateway.snapshot('as it was');
    const waits: (number | undefined)[] = [];
    for (let tries = 0; tries < 7; tries += 1) {
      gateway.end(1006);
      expect(gateway.view.state).toBe('lost');
      waits.push(gateway.time());
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
    expect(shown(gateway)).toEqual(['as it was']);
    gateway.hello(terminal);
    gateway.snapshot('as it is');
    expect(gateway.view.state).toBe('watching');
    expect(shown(gateway)).toEqual(['as it is']);
    gateway.end(1006);
    expect(gateway.time()).toBe(500);
  });

  test.each([
    [4401, 'refused'],
    [4403, 'refused'],
    [4500, 'refused'],
    [4404, 'ended'],
  ] as const)('for good, with %i', (code, state) => {
    const gateway = new Gateway();
    gateway.end(code, 'why');
    expect(gateway.view.state).toBe(state);
    expect(gateway.time()).toBeUndefined();
  });

  test('because too many watch already, is tried again after a while', () => {
    const gateway = new Gateway();
    gateway.say({ type: 'end', reason: 'too many', code: 'CONFLICT' });
    gateway.end(4429, 'too many');
    expect(gateway.view.state).toBe('full');
    expect(gateway.time()).toBe(10_000);
    gateway.hello(terminal);
    expect(gateway.view.state).toBe('watching');
  });

  test('with something that is not understood, is no watching', () => {
    const gateway = new Gateway();
    gateway.say({ type: 'surprise' } as never);
    expect(gateway.view).toMatchObject({ state: 'refused' });
    expect(gateway.closed).toEqual([1]);
  });

  test('by whoever watched, lets go of everything', () => {
    const gateway = new Gateway();
    gateway.hello(terminal);
    gateway.snapshot('x');
    gateway.view.close();
    gateway.output('late');
    gateway.end(1006);
    expect(gateway.view.channels.size).toBe(0);
    expect(gateway.time()).toBeUndefined();
  });
});

describe('words for how a watching stands', () => {
  const good = { state: 'shown', why: '', partial: false, leftOut: 0, hasTerminal: true, open: true } as const;
  test('none where all is well', () => {
    expect(describeView({ state: 'watching', why: '' }, good)).toBeUndefined();
  });

  test.each([
    ['lost', good, /Not connected/, true],
    ['full', good, /too many/, true],
    ['refused', good, /not watched any more/i, true],
    ['ended', good, /^Ended/, true],
    ['watching', undefined, /Nothing is open/, false],
    ['watching', { ...good, state: 'waiting' as const }, /Waiting/, false],
    ['watching', { ...good, state: 'behind' as const }, /Catching up/, true],
    ['watching', { ...good, state: 'none' as const, why: 'it died' }, /no screen of it: it died/, true],
    ['watching', { ...good, partial: true }, /middle/, false],
    ['watching', { ...good, open: false }, /closed/, true],
  ] as const)('%s %j', (state, channel, words, stale) => {
    const told = describeView({ state, why: '' }, channel);
    expect(told?.words).toMatch(words);
    expect(told?.stale).toBe(stale);
  });

  test.each([
    [undefined, 'no output yet'],
    [40, 'delay under 0.1 s'],
    [-100, 'delay under 0.1 s'],
    [1240, 'delay 1.2 s'],
    [61_000, 'delay 61 s'],
    [-4000, 'clocks differ by 4.0 s'],
  ])('a delay of %s ms', (lag, words) => {
    expect(describeLag(lag).words).toBe(words);
  });

  test('since when nothing was written', () => {
    expect(sinceOutput(0, 4900)).toBe('0:04 ago');
    expect(sinceOutput(0, 3_671_000)).toBe('1:01:11 ago');
    expect(sinceOutput(5000, 0)).toBe('0:00 ago');
  });
});
