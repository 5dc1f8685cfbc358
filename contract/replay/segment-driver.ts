import type { CastEvent } from './cast-event.ts';
import type { Keyframe, Outline, ReplayDriver } from './driver.ts';
import type { RecordingIndex } from './recording-index.ts';
import type { SegmentSource } from './segment-source.ts';
import type { Timeline } from './timeline.ts';

/** Drives a player from whole segments, through which an index has gone once: a bundle. It has no keyframes. */
export class SegmentDriver implements ReplayDriver {
  readonly outline: Outline;
  readonly timeline: Timeline;
  readonly #source: SegmentSource;
  readonly #index: RecordingIndex;

  constructor(source: SegmentSource, index: RecordingIndex) {
    this.#source = source;
    this.#index = index;
    const { header, duration, terminal, input, idle, pieces, marks, damage, activity } = index;
    this.outline = {
      cut: 0,
      header,
      duration,
      terminal,
      input,
      idle,
      live: false,
      pieces: pieces.map(({ from, to, length, plain }) => ({ from, to, bytes: length, keyframe: false, plain })),
    };
    this.timeline = { marks, damage, commands: [], activity };
  }

  onGrowth(): () => void {
    return () => undefined; // It never grows.
  }

  async load(piece: number): Promise<readonly CastEvent[]> {
    const { segment, firstEvent, events } = this.#index.pieces[piece] ?? { segment: -1, firstEvent: 0, events: 0 };
    const loaded = await this.#source.load(segment);
    return loaded.events.slice(firstEvent, firstEvent + events);
  }

  async keyframe(): Promise<Keyframe | undefined> {
    return undefined;
  }

  close(): void {
    // The source belongs to whoever made it, and holds nothing open.
  }
}
