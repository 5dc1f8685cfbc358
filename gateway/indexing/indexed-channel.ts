import type { CastEvent, CastHeader } from '../../contract/replay/cast-event.ts';
import { ChannelScreen } from '../../contract/replay/channel-screen.ts';
import type { FinderState } from '../../contract/replay/command-finder.ts';
import type { Keyframe } from '../../contract/replay/driver.ts';
import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import type { ScreenLine } from './screen-text.ts';
import { SeenLines } from './seen-lines.ts';
import { TextTracker } from './text-tracker.ts';

/** How far the index of a channel has come: what its next segment goes on from. */
export class IndexedChannel {
  /** Its last segment. */
  through = 0;
  /** There was a terminal, or input. */
  terminal = false;
  input = false;
  /** Since the last keyframe, or the beginning. */
  textSinceKeyframe = 0;
  segmentsSinceKeyframe = 0;
  finder: FinderState | undefined;
  /** As parts say it: which segments were damaged, and how. */
  across: string | undefined;
  /** What stood on its screens since `takeLines`. */
  readonly #seen = new SeenLines();
  readonly #text = new TextTracker(this.#seen);
  #followed: Emulation | undefined;
  #screen: ChannelScreen | undefined;

  /** To be called with the header of the first segment, where it can be read, before any event. */
  begin(header: CastHeader | undefined): void {
    this.#screen?.dispose();
    this.#screen = ChannelScreen.begin(header);
    this.terminal = header?.pty === true;
  }

  restore(keyframe: Keyframe): void {
    this.#screen?.dispose();
    this.#screen = ChannelScreen.from(keyframe, !this.terminal);
    const restoring = this.#screen.restoring(keyframe);
    while (restoring.next().done !== true);
  }

  /**
   * What comes next has a keyframe before it, where there is one piece more: whoever has to play across what is missing,
   * or cannot read as much of it, goes on from there.
   */
  wantKeyframe(): void {
    this.textSinceKeyframe = Number.POSITIVE_INFINITY;
  }

  /** A plain one where nothing has said yet what it is. */
  get screen(): ChannelScreen {
    this.#screen ??= ChannelScreen.begin(undefined);
    return this.#screen;
  }

  /** Shows an event, and notes what it says of the channel. */
  show(event: CastEvent): void {
    if (event.kind === 'data' && event.stream === 'i') this.input = true;
    if (event.kind === 'note' && event.note.t === 'terminal') this.terminal = true;
    this.screen.show(event);
  }

  /** The same, and what stands on the screen is text to be found. */
  showForText(event: CastEvent): void {
    const { emulation } = this.screen;
    this.#follow(emulation);
    if (event.kind === 'data') this.#text.begin(event.at, event.text.length);
    // Its size becomes another, or a terminal takes its place: what stood there is told first.
    else if (event.kind === 'resize' || (event.kind === 'note' && event.note.t === 'terminal')) this.#text.flush(event.at);
    this.show(event);
  }

  /** All lines until then, what is on the screen now included. To be read to the end before anything else is shown. */
  takeLines(until: number): { readonly count: number; readonly lines: Iterable<ScreenLine> } {
    this.#text.end(until);
    return { count: this.#seen.count, lines: this.#seen.take() };
  }

  #follow(emulation: Emulation): void {
    if (emulation === this.#followed) return;
    this.#followed = emulation;
    this.#text.follow(emulation);
  }

  dispose(): void {
    this.#screen?.dispose();
  }
}
