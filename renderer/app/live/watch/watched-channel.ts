import type { Frame } from '../../../../contract/frame-codec.ts';
import type { LiveChannel, LiveMessage } from '../../../../contract/live-frames.ts';
import type { CastEvent, Note } from '../../../../contract/replay/cast-event.ts';
import { ChannelScreen } from '../../../../contract/replay/channel-screen.ts';
import type { Keyframe } from '../../../../contract/replay/driver.ts';
import type { Emulation } from '../../../../contract/replay/screen/emulation.ts';

/**
 * `waiting`: its screen has not come yet. `behind`: there is something between the screen and what follows, and a new one is
 * on its way. `none`: it has no screen, and `why` says so.
 */
export type ScreenState = 'waiting' | 'shown' | 'behind' | 'none';

/** What has come and is not drawn yet. `length`: characters of it. */
interface Waiting {
  readonly length: number;
  readonly begin: () => Generator<void> | undefined;
}

type Snapshot = Extract<LiveMessage, { type: 'snapshot' }>;

/** Characters that may wait to be shown. Whoever has more is so far behind that a new screen is quicker. */
export const MOST_WAITING = 2 * 1024 * 1024;

/** One channel of a session that is watched: its screen as far as it has been drawn, and what waits to be drawn. */
export class WatchedChannel {
  readonly channel: number;
  readonly openedAt: number;
  kind: string;
  hasTerminal: boolean;
  state: ScreenState;
  open = true;
  /** The screen begins somewhere in the middle, and may lack what was drawn before. */
  partial = false;
  why = '';
  /** Bytes that the gateway left out since the last screen, because this device was too slow. */
  leftOut = 0;
  /** Wall clock in milliseconds, by the gateway, of the last output. */
  lastOutput: number | undefined;
  readonly #noted: (note: Note) => void;
  #screen: ChannelScreen | undefined;
  #decoder = newDecoder();
  #waiting: Waiting[] = [];
  /** Of all that waits, and of what is being drawn. */
  #waitingLength = 0;
  #now: { readonly drawing: Generator<void>; readonly length: number } | undefined;

  constructor({ channel, kind, openedAt, terminal }: LiveChannel, noted: (note: Note) => void) {
    this.channel = channel;
    this.kind = kind;
    this.openedAt = openedAt;
    this.hasTerminal = terminal !== undefined;
    this.state = this.hasTerminal ? 'waiting' : 'shown';
    this.#noted = noted;
    // Of a channel with a terminal nothing comes before its first snapshot. Without one there is no snapshot.
    if (!this.hasTerminal) this.#screen = ChannelScreen.begin(undefined);
  }

  get emulation(): Emulation | undefined {
    return this.#screen?.emulation;
  }

  get waits(): boolean {
    return this.#now !== undefined || this.#waiting.length > 0;
  }

  /** More than is sensible to draw. */
  get overflows(): boolean {
    return this.#waitingLength > MOST_WAITING;
  }

  snapshot({ cols, rows, data, partial, behind }: Snapshot): void {
    const decoder = newDecoder();
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const keyframe = { cols, rows, data: decoder.decode(bytes, { stream: true }) };
    this.#decoder = decoder;
    // What waits is in the snapshot already.
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#now = undefined;
    this.hasTerminal = true;
    this.#wait(keyframe.data.length, () => this.#restoring(keyframe, { partial, behind }));
  }

  frame(frame: Frame): void {
    switch (frame.kind) {
      case 'data': {
        if (frame.stream === 'i') return;
        this.lastOutput = this.openedAt / 1000 + frame.at / 1e6;
        const text = this.#decoder.decode(frame.bytes, { stream: true });
        this.#show({ kind: 'data', at: 0, stream: frame.stream, text }, text.length);
        return;
      }
      case 'resize':
        this.#show({ kind: 'resize', at: 0, cols: frame.cols, rows: frame.rows }, 1);
        return;
      case 'event': {
        const { event } = frame;
        // A terminal brings a snapshot with it.
        if (event.t === 'terminal') this.hasTerminal = true;
        this.#noted(event);
        return;
      }
      case 'header':
      case 'exit':
      case 'clock':
        return;
    }
  }

  /** What had been written before somebody joined, of a channel without a terminal: from its recording, before anything else. */
  past(events: readonly CastEvent[]): void {
    if (this.hasTerminal) return;
    const before = events.map((event): Waiting => ({ length: 0, begin: () => this.#screen?.begin(event) }));
    this.#waiting.unshift(...before);
  }

  noScreen(why: string): void {
    this.state = 'none';
    this.why = why;
  }

  resync(leftOut: number): void {
    this.leftOut += leftOut;
    if (this.state === 'shown') this.state = 'behind';
    // Without a terminal there is no new screen to come: what is missing is missing.
    if (!this.hasTerminal) {
      this.state = 'shown';
      this.partial = true;
    }
  }

  /** Draws one piece of what waits. Whether there is more. */
  step(): boolean {
    if (this.#now === undefined) {
      const next = this.#waiting.shift();
      if (next === undefined) return false;
      const drawing = next.begin();
      if (drawing === undefined) this.#waitingLength -= next.length;
      else this.#now = { drawing, length: next.length };
    } else if (this.#now.drawing.next().done === true) {
      this.#waitingLength -= this.#now.length;
      this.#now = undefined;
    }
    return this.waits;
  }

  dispose(): void {
    this.#screen?.dispose();
    this.#screen = undefined;
    this.#waiting = [];
    this.#now = undefined;
  }

  /** The screen before stays in sight until the new one is whole. */
  *#restoring(keyframe: Keyframe, { partial, behind }: Pick<Snapshot, 'partial' | 'behind'>): Generator<void> {
    const next = ChannelScreen.from(keyframe, false);
    yield* next.restoring(keyframe);
    this.#screen?.dispose();
    this.#screen = next;
    this.state = behind ? 'behind' : 'shown';
    this.partial = partial;
    if (!behind) this.leftOut = 0;
  }

  #show(event: CastEvent, length: number): void {
    this.#wait(length, () => this.#screen?.begin(event));
  }

  #wait(length: number, begin: () => Generator<void> | undefined): void {
    this.#waiting.push({ length, begin });
    this.#waitingLength += length;
  }
}

/** U+FFFD for what is no UTF-8; a mark at the beginning is text like any other (contract/live-frames.ts). */
function newDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}
