import type { CastEvent, CastHeader } from './cast-event.ts';
import type { Keyframe } from './driver.ts';
import { isBinary } from './parse-segment.ts';
import { Emulation, PLAIN_SIZE } from './screen/emulation.ts';
import { isErrorCell } from './screen/error-mark.ts';
import { emptyCell } from './screen/terminal-internals.ts';

/** Stands for bytes that are not text where there is no terminal that could have shown them. */
export const BINARY_NOTICE = '[bytes that are not text]';

/** Ends an escape sequence that was cut by what is missing (CAN, ECMA-48 section 8.3.6). */
const CANCEL = '\x18';

/** What was typed last is remembered up to so many characters. */
const MOST_TYPED = 200;

/** Shown at once, without a turn for others in between. */
const SHORT = 4096;

/**
 * What a channel's events make of a screen: the one place that says so, for the indexer, the player and whoever looks at
 * a screen. Everything that decides how it goes on is in the emulation, so that a keyframe of that is enough.
 */
export class ChannelScreen {
  /** The end of what was sent to the target. No part of the screen. */
  typed = '';
  #emulation: Emulation;

  constructor(emulation: Emulation) {
    this.#emulation = emulation;
  }

  /** As the channel began: a terminal if it had one, else a plain screen. */
  static begin(header: CastHeader | undefined): ChannelScreen {
    const plain = header?.pty !== true;
    const { cols, rows } = plain ? PLAIN_SIZE : header;
    return new ChannelScreen(new Emulation(cols, rows, { plain }));
  }

  /** With what `restoring` yields done, it is as it was. */
  static from({ cols, rows }: Keyframe, plain: boolean): ChannelScreen {
    return new ChannelScreen(new Emulation(cols, rows, { plain }));
  }

  /** Another one when the channel gets its terminal. */
  get emulation(): Emulation {
    return this.#emulation;
  }

  *restoring({ data }: Keyframe): Generator<void> {
    for (const slice of this.#emulation.slices(data)) {
      this.#emulation.restore(slice);
      yield;
    }
  }

  show(event: CastEvent): void {
    const rest = this.begin(event);
    if (rest !== undefined) while (rest.next().done !== true);
  }

  /** Shows an event, or gives what shows it step by step if it is long. */
  begin(event: CastEvent): Generator<void> | undefined {
    switch (event.kind) {
      case 'data':
        if (event.stream === 'i') this.typed = `${this.typed}${event.text}`.slice(-MOST_TYPED);
        else return this.#output(event.text, event.stream === 'e');
        return undefined;
      case 'resize':
        if (!this.#emulation.plain) this.#emulation.resize(event.cols, event.rows);
        return undefined;
      case 'damage':
        this.#emulation.show(CANCEL);
        return undefined;
      case 'note':
        if (event.note.t === 'terminal') this.#becomeTerminal(Number(event.note.cols), Number(event.note.rows));
        return undefined;
      default: // Marks and the exit status are no part of the screen.
        return undefined;
    }
  }

  dispose(): void {
    this.#emulation.dispose();
  }

  #output(text: string, error: boolean): Generator<void> | undefined {
    if (this.#emulation.plain && isBinary(text)) {
      if (!this.#endsWithNotice(error)) this.#emulation.show(`${BINARY_NOTICE}\r\n`, { error });
      return undefined;
    }
    if (text.length > SHORT) return this.#steps(text, error);
    this.#emulation.show(text, { error });
    return undefined;
  }

  *#steps(text: string, error: boolean): Generator<void> {
    for (const slice of this.#emulation.slices(text)) {
      this.#emulation.show(slice, { error });
      yield;
    }
  }

  #becomeTerminal(cols: number, rows: number): void {
    // The first line of a cast says the size of a terminal as far as other players can show it.
    if (!this.#emulation.plain) {
      this.#emulation.resize(cols, rows);
      return;
    }
    this.#emulation.dispose();
    this.#emulation = new Emulation(cols, rows);
  }

  /** Whether the notice is the last that was shown: it is said once for a run of such bytes. */
  #endsWithNotice(error: boolean): boolean {
    const { lines, x, y, ybase } = this.#emulation.core.buffers.active;
    const line = lines.get(ybase + y - 1);
    if (x > 0 || line === undefined) return false;
    const cell = emptyCell();
    let text = '';
    for (let at = 0; at <= BINARY_NOTICE.length; at += 1) {
      line.loadCell(at, cell);
      if (at < BINARY_NOTICE.length && isErrorCell(cell) !== error) return false;
      text += cell.getChars();
    }
    return text === BINARY_NOTICE;
  }
}
