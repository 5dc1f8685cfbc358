import { Activity } from './activity.ts';
import type { CastEvent } from './cast-event.ts';
import { describeNote, type MarkKind } from './describe-note.ts';
import type { Part } from './part.ts';
import { LONGEST_PAUSE } from './play-time.ts';

/** Of a segment. What comes beyond is in the recording all the same. */
const MOST_MARKS = 1000;
const MOST_PAUSES = 10_000;
const LONGEST_TITLE = 200;
/** Moments of activity that are told apart. */
const MOST_MOMENTS = 128;

/** What happens when in a segment, without what stands on its screen. To be told of its events in their order. */
export class Happenings {
  readonly #marks: Part['marks'] = [];
  readonly #idle: [number, number][] = [];
  readonly #activity = new Activity(MOST_MOMENTS);
  #first: number | undefined;
  #last = 0;

  take(event: CastEvent): void {
    const { at } = event;
    switch (event.kind) {
      case 'data':
        return this.#happened(at, event.text.length);
      case 'resize':
        return this.#happened(at, 1);
      case 'marker':
        this.#happened(at, 1);
        return this.#mark(at, 'marker', event.title);
      case 'exit':
        this.#happened(at, 1);
        return this.#mark(at, 'end', `Exit status ${event.status}`);
      case 'damage':
        this.#happened(at, 0);
        this.#last = Math.max(this.#last, event.until);
        return this.#mark(at, 'damage', event.words);
      case 'note': {
        const { note, title } = event;
        if (note.t !== 'clock' && note.t !== 'fd') this.#happened(at, 1);
        const { words, mark } = describeNote(note);
        if (mark !== undefined) this.#mark(at, mark, title ?? words ?? note.t);
      }
    }
  }

  get part(): Pick<Part, 'busy' | 'heat' | 'marks'> {
    const heat = this.#activity.points.map(([at, amount]): [number, number] => [at, amount]);
    const busy = this.#first === undefined ? {} : { busy: { from: this.#first, to: this.#last, idle: this.#idle } };
    return { ...busy, heat, marks: this.#marks };
  }

  #happened(at: number, amount: number): void {
    if (this.#first === undefined) this.#first = this.#last = at;
    if (at - this.#last > LONGEST_PAUSE && this.#idle.length < MOST_PAUSES) this.#idle.push([this.#last, at]);
    this.#last = Math.max(this.#last, at);
    if (amount > 0) this.#activity.add(at, amount);
  }

  #mark(at: number, kind: MarkKind, title: string): void {
    if (this.#marks.length < MOST_MARKS) this.#marks.push({ at, kind, title: title.slice(0, LONGEST_TITLE) });
  }
}
