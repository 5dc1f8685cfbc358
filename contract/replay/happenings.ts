import { Activity } from './activity.ts';
import type { CastEvent } from './cast-event.ts';
import type { MarkKind } from './describe-note.ts';
import type { Part } from './part.ts';
import { LONGEST_PAUSE } from './play-time.ts';
import { type HappeningListener, tellHappening } from './tell-happening.ts';

/** Of a segment. What comes beyond is in the recording all the same. */
const MOST_MARKS = 1000;
const MOST_PAUSES = 10_000;
const LONGEST_TITLE = 200;
/** Moments of activity that are told apart. */
const MOST_MOMENTS = 128;

/** What happens when in a segment, without what stands on its screen. To be told of its events in their order. */
export class Happenings implements HappeningListener {
  readonly #marks: Part['marks'] = [];
  readonly #idle: [number, number][] = [];
  readonly #activity = new Activity(MOST_MOMENTS);
  #first: number | undefined;
  #last = 0;

  take(event: CastEvent): void {
    tellHappening(event, this);
    if (event.kind === 'damage') this.#last = Math.max(this.#last, event.until);
  }

  get part(): Pick<Part, 'busy' | 'heat' | 'marks'> {
    const heat = this.#activity.points.map(([at, amount]): [number, number] => [at, amount]);
    const busy = this.#first === undefined ? {} : { busy: { from: this.#first, to: this.#last, idle: this.#idle } };
    return { ...busy, heat, marks: this.#marks };
  }

  happened(at: number, amount: number): void {
    if (this.#first === undefined) this.#first = this.#last = at;
    if (at - this.#last > LONGEST_PAUSE && this.#idle.length < MOST_PAUSES) this.#idle.push([this.#last, at]);
    this.#last = Math.max(this.#last, at);
    if (amount > 0) this.#activity.add(at, amount);
  }

  mark(at: number, kind: MarkKind, title: string): void {
    if (this.#marks.length < MOST_MARKS) this.#marks.push({ at, kind, title: title.slice(0, LONGEST_TITLE) });
  }
}
