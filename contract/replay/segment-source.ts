import type { CastEvent, CastHeader } from './cast-event.ts';
import { MOST_SEGMENT_LENGTH, parseSegment } from './parse-segment.ts';

/** One segment of a channel. Times are nanoseconds since the channel opened. */
export interface SegmentText {
  number: number;
  from: number;
  to: number;
  /** The cast text, or why there is none. Must not reject. */
  load(): Promise<{ text: string } | { damage: string }>;
}

export interface LoadedSegment {
  header: CastHeader | undefined;
  events: readonly CastEvent[];
  length: number;
}

/** Parsed segments are kept up to this many characters of text; what is beyond is loaded again when it is wanted. */
const KEPT_LENGTH = 32 * 1024 * 1024;

/** The segments of a channel as events. A segment that cannot be had is one event: damage over its time. */
export class SegmentSource {
  readonly segments: readonly SegmentText[];
  readonly #loaded = new Map<number, Promise<LoadedSegment>>();
  readonly #lengths = new Map<number, number>();

  constructor(segments: readonly SegmentText[]) {
    this.segments = segments;
  }

  /** Microseconds from the channel's opening to the end of its last segment. */
  get duration(): number {
    return this.segments.reduce((latest, { to }) => Math.max(latest, micros(to)), 0);
  }

  load(index: number): Promise<LoadedSegment> {
    let loading = this.#loaded.get(index);
    this.#loaded.delete(index);
    loading ??= this.#read(index);
    this.#loaded.set(index, loading); // The last used is the last to go.
    this.#shrink();
    return loading;
  }

  async #read(index: number): Promise<LoadedSegment> {
    const segment = this.segments[index];
    if (segment === undefined) return { header: undefined, events: [], length: 0 };
    const got = await segment.load();
    if ('text' in got && got.text.length <= MOST_SEGMENT_LENGTH) {
      this.#lengths.set(index, got.text.length);
      this.#shrink();
      return { ...parseSegment(got.text, segment.from), length: got.text.length };
    }
    const words = 'damage' in got ? got.damage : 'It is larger than any part that Sallyport writes.';
    const damage: CastEvent = {
      kind: 'damage',
      at: micros(segment.from),
      until: micros(segment.to),
      words: `Part ${segment.number} of this recording is not shown. ${words}`,
    };
    return { header: undefined, events: [damage], length: 0 };
  }

  #shrink(): void {
    let total = 0;
    for (const index of [...this.#loaded.keys()].reverse()) {
      total += this.#lengths.get(index) ?? 0;
      if (total > KEPT_LENGTH && this.#loaded.size > 2) this.#loaded.delete(index);
    }
  }
}

export function micros(nanos: number): number {
  return Math.floor(nanos / 10_000) * 10;
}
