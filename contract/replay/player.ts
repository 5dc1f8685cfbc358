import type { CastEvent, Stream } from './cast-event.ts';
import {
  neighbourSpeed,
  type PlayClock,
  positionOf,
  type Speed,
  stoppedClock,
  withPlaying,
  withPosition,
  withSpeed,
} from './play-clock.ts';
import { PlayTime } from './play-time.ts';
import type { RecordingIndex } from './recording-index.ts';
import type { SegmentSource } from './segment-source.ts';

/** What a recording is played on. */
export interface Screen {
  /** An empty screen of this size, as the channel began. */
  reset(cols: number, rows: number): void;
  resize(cols: number, rows: number): void;
  write(text: string, stream: 'o' | 'e'): void;
  /** What was sent to the target. */
  input(text: string): void;
  /** Resolves when everything that was written is on the screen. */
  settled(): Promise<void>;
}

/** As much is written before the screen is waited for; more would only pile up in front of it. */
const WRITTEN_AT_ONCE = 256 * 1024;

/** Ends an escape sequence that was cut by what is missing (CAN, ECMA-48 section 8.3.6). */
const CANCEL = '\x18';

/**
 * Plays a recording on a screen. Exact: the screen at a moment is what results from every byte before it, so going back
 * begins anew and going forward only adds. It owns no timer: its host calls `tick` as often as it draws, with a
 * monotonic clock in milliseconds.
 */
export class Player {
  readonly #source: SegmentSource;
  readonly #index: RecordingIndex;
  readonly #screen: Screen;
  readonly #folded: PlayTime;
  readonly #unfolded: PlayTime;
  #folding = true;
  #clock: PlayClock = stoppedClock;
  /** Recording time that the screen is to show, and the last that it shows. */
  #target = 0;
  #shown = -1;
  #segment = 0;
  #event = 0;
  /** The stream whose bytes were said to be no text; said once for a run of them. */
  #binary: Stream | undefined;
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(source: SegmentSource, index: RecordingIndex, screen: Screen) {
    this.#source = source;
    this.#index = index;
    this.#screen = screen;
    this.#folded = new PlayTime(index.duration, index.idle);
    this.#unfolded = new PlayTime(index.duration, []);
  }

  get playTime(): PlayTime {
    return this.#folding ? this.#folded : this.#unfolded;
  }

  get folding(): boolean {
    return this.#folding;
  }

  get playing(): boolean {
    return this.#clock.playing;
  }

  get speed(): Speed {
    return this.#clock.speed;
  }

  /** Recording time, microseconds. */
  get position(): number {
    return this.#target;
  }

  /** Share of the way to the wanted moment that the screen has come, while it takes long; else undefined. */
  get underway(): number | undefined {
    return this.#working === undefined || this.#target <= 0 ? undefined : Math.max(0, Math.min(1, this.#shown / this.#target));
  }

  tick(now: number): void {
    if (!this.#clock.playing) return;
    if (this.#working !== undefined) {
      // The screen is behind: time stands still until it has caught up, nothing is skipped.
      this.#clock = withPosition(this.#clock, this.playTime.toPlay(this.#target), now);
      return;
    }
    const position = positionOf(this.#clock, now);
    if (position >= this.playTime.duration) {
      this.#clock = withPlaying(withPosition(this.#clock, this.playTime.duration, now), false, now);
      this.#show(this.#index.duration);
      return;
    }
    this.#show(this.playTime.toRecording(position));
  }

  setPlaying(playing: boolean, now: number): void {
    const atEnd = this.#target >= this.#index.duration;
    if (playing && atEnd) this.seek(0, now);
    this.#clock = withPlaying(this.#clock, playing, now);
  }

  setSpeed(speed: Speed, now: number): void {
    this.#clock = withSpeed(this.#clock, speed, now);
  }

  changeSpeed(by: -1 | 1, now: number): void {
    this.setSpeed(neighbourSpeed(this.#clock.speed, by), now);
  }

  setFolding(folding: boolean, now: number): void {
    this.#folding = folding;
    this.#clock = withPosition(this.#clock, this.playTime.toPlay(this.#target), now);
  }

  /** `at` is recording time. */
  seek(at: number, now: number): void {
    const target = Math.max(0, Math.min(at, this.#index.duration));
    this.#clock = withPosition(this.#clock, this.playTime.toPlay(target), now);
    this.#show(target);
  }

  /** Resolves when the screen shows the moment that was asked for last. */
  async shown(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** The time of the next or the previous thing on the screen, so that a recording can be stepped through. */
  async neighbour(by: -1 | 1): Promise<number> {
    const here = this.#target;
    let best = by < 0 ? 0 : this.#index.duration;
    for (let at = 0; at < this.#source.segments.length; at += 1) {
      const { from = 0, to = 0 } = this.#source.segments[at] ?? {};
      if (by < 0 ? from / 1000 >= here : to / 1000 < here - 10) continue;
      for (const event of (await this.#source.load(at)).events) {
        if (event.kind !== 'data' && event.kind !== 'resize') continue;
        if (by > 0 && event.at > here) return event.at;
        if (by < 0 && event.at < here) best = Math.max(best, event.at);
      }
    }
    return best;
  }

  close(): void {
    this.#closed = true;
    this.#clock = withPlaying(this.#clock, false, 0);
  }

  #show(target: number): void {
    this.#target = target;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Goes on until the screen shows the target, which may change meanwhile. */
  async #work(): Promise<void> {
    while (!this.#closed) {
      if (this.#target < this.#shown || this.#shown < 0) this.#rewind();
      const target = this.#target;
      if ((await this.#advance()) && this.#target === target) return;
    }
  }

  #rewind(): void {
    this.#segment = 0;
    this.#event = 0;
    this.#shown = 0;
    this.#binary = undefined;
    this.#screen.reset(this.#index.header?.cols ?? 80, this.#index.header?.rows ?? 24);
  }

  /** Writes what there is up to the target. False when the target moved before what is shown already. */
  async #advance(): Promise<boolean> {
    let written = 0;
    while (this.#segment < this.#source.segments.length) {
      const { from = 0 } = this.#source.segments[this.#segment] ?? {};
      if (from / 1000 > this.#target + 10) break;
      const { events } = await this.#source.load(this.#segment);
      for (let event = events[this.#event]; event !== undefined; event = events[this.#event]) {
        if (this.#closed) return true;
        if (event.at > this.#target) break;
        this.#event += 1;
        written += this.#apply(event);
        this.#shown = Math.max(this.#shown, event.at);
        if (written < WRITTEN_AT_ONCE) continue;
        written = 0;
        await this.#screen.settled();
        if (this.#target < this.#shown) return false;
      }
      if (this.#event < events.length) break;
      this.#segment += 1;
      this.#event = 0;
    }
    const reached = this.#target;
    await this.#screen.settled();
    this.#shown = Math.max(this.#shown, reached);
    return this.#target >= reached;
  }

  /** Gives the length of what was written. */
  #apply(event: CastEvent): number {
    switch (event.kind) {
      case 'data':
        if (event.stream === 'i') this.#screen.input(event.text);
        else if (event.binary !== undefined && !this.#index.terminal) {
          if (this.#binary !== event.stream) this.#screen.write('[bytes that are not text]\r\n', event.stream);
          this.#binary = event.stream;
        } else {
          this.#binary = undefined;
          this.#screen.write(event.text, event.stream);
          return event.text.length;
        }
        return 0;
      case 'resize':
        this.#screen.resize(event.cols, event.rows);
        return 0;
      case 'damage':
        this.#screen.write(CANCEL, 'o');
        return 0;
      default: // Marks, notes and the exit status are no part of the screen.
        return 0;
    }
  }
}
