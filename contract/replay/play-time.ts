/** A stretch of a recording in which nothing happens, or of which nothing is left. Microseconds. */
export interface IdleSpan {
  from: number;
  to: number;
  damaged: boolean;
}

/** Silence longer than this folds away; what remains of it is long enough to be seen as a pause. */
export const LONGEST_PAUSE = 2_000_000;
export const FOLDED_PAUSE = 500_000;
/** What is missing stays on the screen long enough to be read. */
export const FOLDED_DAMAGE = 3_000_000;

/**
 * The map between time in the recording and time while playing it: the same, except that idle spans are short. Monotonic
 * in both directions, so a place in one is a place in the other.
 */
export class PlayTime {
  readonly duration: number;
  /** Where each span begins and ends, in both times. */
  readonly folds: readonly { from: number; to: number; playFrom: number; playTo: number }[];

  constructor(recordingDuration: number, idle: readonly IdleSpan[]) {
    let saved = 0;
    this.folds = idle
      .filter(({ from, to, damaged }) => to - from > (damaged ? FOLDED_DAMAGE : LONGEST_PAUSE))
      .map(({ from, to, damaged }) => {
        const playFrom = from - saved;
        saved += to - from - (damaged ? FOLDED_DAMAGE : FOLDED_PAUSE);
        return { from, to, playFrom, playTo: to - saved };
      });
    this.duration = recordingDuration - saved;
  }

  toPlay(at: number): number {
    const fold = this.#lastFold((each) => each.from <= at);
    if (fold === undefined) return at;
    if (at >= fold.to) return at - (fold.to - fold.playTo);
    return fold.playFrom + ((at - fold.from) / (fold.to - fold.from)) * (fold.playTo - fold.playFrom);
  }

  toRecording(play: number): number {
    const fold = this.#lastFold((each) => each.playFrom <= play);
    if (fold === undefined) return play;
    if (play >= fold.playTo) return play + (fold.to - fold.playTo);
    return fold.from + ((play - fold.playFrom) / (fold.playTo - fold.playFrom)) * (fold.to - fold.from);
  }

  #lastFold(fits: (fold: PlayTime['folds'][number]) => boolean): PlayTime['folds'][number] | undefined {
    let low = 0;
    let high = this.folds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const fold = this.folds[middle];
      if (fold !== undefined && fits(fold)) low = middle + 1;
      else high = middle;
    }
    return this.folds[low - 1];
  }
}
