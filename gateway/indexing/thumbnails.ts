import type { CastEvent } from '../../contract/replay/cast-event.ts';
import type { Part } from '../../contract/replay/part.ts';
import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import type { CollectedBlobs } from './collected-blobs.ts';
import { ScreenPicture } from './screen-picture.ts';

/** Microseconds. At the beginning of a segment somebody is mostly still waiting for what comes. */
const FIRST_AFTER = 1_000_000;
const NEXT_AFTER = 10_000_000;
/** A screen that shows nothing yet, or nothing new, is looked at again after this. */
const LOOK_AGAIN_AFTER = 2_000_000;
const MOST_IN_SEGMENT = 16;
const MOST_LOOKS = 48;

/** Takes small pictures of the screen in a segment: where there is something to see, and then where that has changed. */
export class Thumbnails {
  readonly taken: Part['thumbnails'] = [];
  readonly #blobs: CollectedBlobs;
  #newest: ScreenPicture | undefined;
  #due: number;
  #looks = 0;
  /** What is on the screen is there since then. */
  #shownAt: number;

  constructor(blobs: CollectedBlobs, from: number) {
    this.#blobs = blobs;
    this.#due = from + FIRST_AFTER;
    this.#shownAt = from;
  }

  /** Before the screen shows an event: so it shows all of what came before, and nothing of what comes at the same time. */
  before({ at }: CastEvent, emulation: Emulation): void {
    if (at >= this.#due && at > this.#shownAt) this.#look(at, emulation);
    this.#shownAt = at;
  }

  /** A short segment has its picture too. */
  end(emulation: Emulation): void {
    if (this.taken.length === 0) this.#look(this.#shownAt, emulation);
  }

  #look(at: number, emulation: Emulation): void {
    this.#looks += 1;
    const picture = ScreenPicture.of(emulation);
    const isNew = !picture.isEmpty && picture.differsFrom(this.#newest);
    this.#due = at + (isNew ? NEXT_AFTER : LOOK_AGAIN_AFTER);
    if (isNew) {
      this.#newest = picture;
      this.taken.push({ time: this.#shownAt, ...this.#blobs.put(picture.png()) });
    }
    if (this.taken.length >= MOST_IN_SEGMENT || this.#looks >= MOST_LOOKS) this.#due = Number.POSITIVE_INFINITY;
  }
}
