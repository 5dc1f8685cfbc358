import type { CastEvent } from './cast-event.ts';
import type { ChannelScreen } from './channel-screen.ts';

/** A screen, and how far the recording is shown on it. */
export class ScreenCursor {
  readonly screen: ChannelScreen;
  /** Of the outline that piece numbers are from. */
  readonly cut: number;
  piece: number;
  /** Events of the piece that are shown. */
  event = 0;
  /** Time of the last event that was begun: never later than what is wanted. */
  at = 0;
  /** Something was missing on the way: the screen is what is left of it. */
  damaged = false;
  /** The rest of that event, when it is long. */
  #rest: Generator<void> | undefined;

  constructor(screen: ChannelScreen, cut: number, piece: number, at: number) {
    this.screen = screen;
    this.cut = cut;
    this.piece = piece;
    this.at = at;
  }

  /** Shows a little more. False when there is nothing more in the piece up to `until`. */
  step(events: readonly CastEvent[], until: number): boolean {
    if (this.#rest !== undefined) {
      if (this.#rest.next().done === true) this.#rest = undefined;
      return true;
    }
    const event = events[this.event];
    if (event === undefined || event.at > until) return false;
    this.event += 1;
    this.at = Math.max(this.at, event.at);
    this.damaged ||= event.kind === 'damage';
    this.#rest = this.screen.begin(event);
    return true;
  }

  nextPiece(): void {
    this.piece += 1;
    this.event = 0;
  }
}
