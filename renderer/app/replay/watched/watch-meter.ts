import { MOMENT_MICROS, ShownStretches } from './shown-stretches.ts';

/** What is on the screen at a moment of the reader's clock. */
export interface Shown {
  /** Milliseconds of a clock that never goes back. */
  readonly now: number;
  /** Microseconds since the channel opened. */
  readonly position: number;
  /** It plays, or follows what is live. */
  readonly playing: boolean;
  /** The screen shows that position, and the window is in sight. */
  readonly visible: boolean;
  /** Everything up to that position stands on the screen: output without a terminal that has not scrolled. */
  readonly whole: boolean;
}

/** Frames further apart than this were not watched: the window was hidden, or the machine was busy with something else. */
const LONGEST_FRAME_MILLIS = 700;
/** Somewhere gone to counts when it was looked at for so long. */
const REST_MILLIS = 1000;

/** Tells from what was drawn when which parts of a recording somebody was shown: passed while playing, or rested at. */
export class WatchMeter {
  readonly stretches = new ShownStretches();
  #before: Shown | undefined;
  #rested = 0;

  /** To be told of each frame, and now and then while nothing changes. */
  see(shown: Shown): void {
    const before = this.#before;
    this.#before = shown;
    if (!shown.visible) {
      this.#rested = 0;
      return;
    }
    if (before === undefined || !before.visible) return;
    const passed = shown.playing && before.playing && shown.position >= before.position && shown.now - before.now <= LONGEST_FRAME_MILLIS;
    if (passed) this.stretches.add(before.position, shown.position);
    this.#rested = shown.position === before.position ? this.#rested + shown.now - before.now : 0;
    if (this.#rested < REST_MILLIS) return;
    if (shown.whole) this.stretches.add(0, shown.position);
    else this.stretches.add(shown.position, shown.position + MOMENT_MICROS);
  }

  /** Somewhere else was gone to: what lies between was not shown. */
  jumped(): void {
    this.#before = undefined;
    this.#rested = 0;
  }
}
