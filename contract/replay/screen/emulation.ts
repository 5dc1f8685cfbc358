import type { Terminal } from '@xterm/headless';
import { markError } from './error-mark.ts';
import { mendScreen } from './mend-screen.ts';
import { isUnderlined, withoutUnderline } from './pen.ts';
import { quickenLines, spareLine } from './quick-lines.ts';
import { quickPrint } from './quick-print.ts';
import { quickenReset } from './quick-reset.ts';
import { quickenRows } from './quick-rows.ts';
import { dumpScreen } from './screen-dump.ts';
import { clampSize } from './screen-size.ts';
import {
  boundCombined,
  coreOf,
  emptyCell,
  GROUND,
  joinWidth,
  type Params,
  plainTerminal,
  type ScreenLine,
  type TerminalCore,
} from './terminal-internals.ts';
import { takeTitles } from './window-title.ts';

/** Lines above the screen that are kept. */
export const SCROLLBACK = 1000;

/** Parsed in one go, on a screen of so many cells. Four characters may clear all cells, so on a larger screen it is less. */
const SLICE = 16 * 1024;
const SLICE_CELLS = 4000;
const SHORTEST_SLICE = 64;

/** Of a sequence that has begun and does not end, so much is given to whoever takes over in the middle of it. */
const LONGEST_PENDING = 4096;

/** A dump for whoever joins, which is sent in one message. */
const MOST_DUMP = 1024 * 1024;

/** Of the screen on which output is shown that had no terminal. */
export const PLAIN_SIZE = { cols: 120, rows: 36 };

/** Sequences with a count, done in a loop by xterm.js: up to 2^31 times. Beyond the size of the screen it changes nothing any more. */
const COUNTED_ROWS = ['L', 'M', 'S', 'T'];
const COUNTED_COLUMNS = ['@', 'I', 'P', 'Z'];
const COUNTED_COLUMNS_WITH_SPACE = ['@', 'A'];
const COUNTED_COLUMNS_WITH_QUOTE = ['}', '~'];
/** Characters that are repeated fill a line, and no line is longer. */
const MOST_REPEATED = 500;

export interface EmulationOptions {
  /** False where output begins in the middle of a recording. */
  readonly whole?: boolean;
  /** For output that no terminal was meant to show: a line feed begins a new line, and error output is marked as such. */
  readonly plain?: boolean;
}

const NO_TASKS = { enqueue() {}, clear() {} };

/**
 * A terminal that output is shown to, so that its screen can be had at any moment. Output is hostile: what xterm.js
 * would do without end, or keep without bound, is bounded here, and all emulations of Sallyport are bounded alike.
 */
export class Emulation {
  /** False after a beginning in the middle of a recording, until a full reset has made that irrelevant. */
  whole: boolean;
  readonly plain: boolean;
  readonly #terminal: Terminal;
  readonly #core: TerminalCore;
  /** What has come of a sequence that is not complete, without controls that have taken effect already. */
  #pending = '';
  /** First and last row that changed since somebody asked. */
  #dirty: { from: number; to: number } | undefined;
  /** What cells that are printed now are marked as; undefined where output decides, and where a dump does. */
  #error: boolean | undefined;

  constructor(cols: number, rows: number, { whole = true, plain = false }: EmulationOptions = {}) {
    const size = clampSize(cols, rows);
    this.whole = whole;
    this.plain = plain;
    this.#terminal = plainTerminal(size.cols, size.rows, { scrollback: SCROLLBACK, convertEol: plain });
    this.#core = coreOf(this.#terminal);
    boundCombined(this.#core);
    quickenLines(this.#core);
    this.#restoreWhole();
    quickenRows(this.#core);
    quickenReset(this.#core);
    const print = quickPrint(this.#core);
    this.#core._inputHandler._parser.setPrintHandler(print);
    if (plain) this.#markErrors(print);
    this.#boundCounts();
    this.#core._inputHandler.onRequestRefreshRows((rows) => this.#dirtied(rows?.start ?? 0, rows?.end ?? this.rows - 1));
    takeTitles(this.#core);
    this.#core.registerEscHandler({ final: 'c' }, () => {
      this.whole = true;
      return false;
    });
  }

  get cols(): number {
    return this.#core.cols;
  }

  get rows(): number {
    return this.#core.rows;
  }

  /** Nothing has come of a sequence that is not complete. */
  get settled(): boolean {
    return this.#core._inputHandler._parser.currentState === GROUND;
  }

  get core(): TerminalCore {
    return this.#core;
  }

  /** What has come of a sequence that is not complete. */
  get pending(): string {
    return this.#pending;
  }

  /** Shows all of `output`. On a plain screen its cells are marked as error output, or as none, whatever it says itself. */
  show(output: string, { error = false } = {}): void {
    this.#error = this.plain ? error : undefined;
    // xterm.js keeps half a surrogate pair for the next one, where no dump has it.
    for (const slice of this.slices(output.toWellFormed())) this.#show(slice);
  }

  /** Becomes what a terminal of this size was that gave this dump, with its marks. */
  restore(dump: string): void {
    this.#error = undefined;
    for (const slice of this.slices(dump)) this.#show(slice);
  }

  /** Pieces to be shown one by one, so that others have their turn between them. A surrogate pair is not cut. */
  *slices(output: string): Generator<string> {
    const most = Math.max(SHORTEST_SLICE, Math.floor(SLICE * Math.min(1, SLICE_CELLS / (this.cols * this.rows))));
    for (let at = 0; at < output.length; ) {
      let end = Math.min(at + most, output.length);
      const last = output.charCodeAt(end - 1);
      if (end < output.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
      yield output.slice(at, end);
      at = end;
    }
  }

  /** A size of nothing, which a client may ask for, changes nothing. */
  resize(cols: number, rows: number): void {
    if (!(cols > 0 && rows > 0)) return;
    const size = clampSize(cols, rows);
    if (size.cols === this.cols && size.rows === this.rows) return;
    this.#settleSaved();
    const { normal, alt } = this.#core.buffers;
    // Lines that no longer fit are put before the first one, which in a ring is where the last ones stand. A ring that was
    // just made longer or shorter begins at its beginning, and there is nothing before that.
    const most = normal.lines.maxLength;
    normal.lines.maxLength = most + 1;
    normal.lines.maxLength = most;
    // It would free memory in its own time, and say on the console how long that took.
    normal._memoryCleanupQueue = alt._memoryCleanupQueue = NO_TASKS;
    this.#terminal.resize(size.cols, size.rows);
    for (let row = 0; row < normal.lines.length; row += 1) normal.lines.get(row)?.cleanupMemory();
    // Lines of the alternate screen keep what was cut off, for the day they become longer again. No other terminal does.
    for (let row = 0; row < alt.lines.length; row += 1) alt.lines.get(row)?.resize(size.cols, emptyCell());
    this.#dirtied(0, size.rows - 1);
    // An empty alternate screen keeps the length it had, and would then scroll where there is nothing to scroll into.
    if (alt.lines.length === 0) alt.lines.maxLength = size.rows;
    // For good: with what no dump can have, what comes after it would differ from what comes after a dump.
    mendScreen(this.#core, false);
  }

  /** The rows of the screen that may have changed since this was asked last, the cursor's with them. */
  takeDirty(): { from: number; to: number } | undefined {
    const dirty = this.#dirty;
    this.#dirty = undefined;
    return dirty;
  }

  /**
   * Sequences that make a fresh terminal of this size, or one that has been in use, the same as this one. Lines above the
   * screen are left out where it gets longer than `most` with them.
   */
  dump(most = MOST_DUMP): string {
    const undo = mendScreen(this.#core);
    const dump = dumpScreen(this.#core, most) + this.#pending;
    undo();
    return dump;
  }

  /** Its lines become those of others: nobody may look at it any more. */
  dispose(): void {
    for (const { lines } of [this.#core.buffers.normal, this.#core.buffers.alt])
      for (let row = 0; row < lines.length; row += 1) spareLine(lines.get(row) as ScreenLine);
    this.#terminal.dispose();
  }

  /**
   * A saved cursor whose line has left the screen comes back at the top. With fewer lines above the screen it would come
   * back elsewhere, but not in a terminal that was restored.
   */
  #settleSaved(): void {
    const { normal, alt } = this.#core.buffers;
    for (const buffer of [normal, alt]) buffer.savedY = Math.min(Math.max(buffer.savedY, buffer.ybase), buffer.ybase + this.rows - 1);
  }

  #dirtied(from: number, to: number): void {
    this.#dirty = { from: Math.min(from, this.#dirty?.from ?? from), to: Math.max(to, this.#dirty?.to ?? to) };
  }

  #show(slice: string): void {
    try {
      this.#core._inputHandler.parse(slice);
    } catch {
      // A sequence that xterm.js cannot take, such as nobody has found yet. The rest of the slice is lost, and told as such.
      this.#core._inputHandler._parser.reset();
      this.whole = false;
    }
    this.#pending = this.#core._inputHandler._parser.currentState === GROUND ? '' : unfinished(this.#pending + slice);
  }

  /**
   * A restored cursor of xterm.js brings the flags of an underline without its style, and a character set that is not
   * the designated one: states that no other sequence leads to. Here the two always go together.
   */
  #restoreWhole(): void {
    const handler = this.#core._inputHandler;
    const after = (restore: () => boolean): boolean => {
      restore();
      const attributes = handler._curAttrData;
      attributes.extended = attributes.extended.clone();
      attributes.extended.underlineStyle = isUnderlined(attributes) ? 1 : 0;
      attributes.extended.underlineColor = 0;
      attributes.updateExtended();
      const charsets = this.#core._charsetService;
      charsets.setgCharset(charsets.glevel, charsets.charset);
      return true;
    };
    // A screen full of E has the underline's flags without its style in the same way.
    this.#core.registerEscHandler({ intermediates: '#', final: '8' }, () => {
      const attributes = handler._curAttrData;
      const { fg, bg } = attributes;
      Object.assign(attributes, withoutUnderline(attributes));
      handler.screenAlignmentPattern();
      Object.assign(attributes, { fg, bg });
      return true;
    });
    this.#core.registerEscHandler({ final: '8' }, () => after(() => handler.restoreCursor()));
    this.#core.registerCsiHandler({ final: 'u' }, () => after(() => handler.restoreCursor()));
    this.#core.registerCsiHandler({ prefix: '?', final: 'l' }, (params) =>
      params.params.includes(1048) || params.params.includes(1049) ? after(() => handler.resetModePrivate(params)) : false,
    );
  }

  /** The mark is the attribute of protected characters, which output has no use for here: whatever it does to it, printing sets it. */
  #markErrors(print: (codes: Uint32Array, start: number, end: number) => void): void {
    const handler = this.#core._inputHandler;
    const mark = () => {
      if (this.#error !== undefined) markError(handler._curAttrData, this.#error);
    };
    handler._parser.setPrintHandler((codes, start, end) => {
      mark();
      print(codes, start, end);
    });
    const first = () => {
      mark();
      return false;
    };
    this.#core.registerCsiHandler({ final: 'b' }, first);
    this.#core.registerEscHandler({ intermediates: '#', final: '8' }, first);
    // What spares protected characters would spare the marked ones.
    this.#core.registerCsiHandler({ prefix: '?', final: 'J' }, (params) => handler.eraseInDisplay(params));
    this.#core.registerCsiHandler({ prefix: '?', final: 'K' }, (params) => handler.eraseInLine(params));
  }

  /** Of what was printed last, in characters: what is combined is repeated together. */
  #repeatedLength(): number {
    const { active } = this.#core.buffers;
    const x = active.x - joinWidth(this.#core._inputHandler._parser.precedingJoinState);
    return Math.max(1, active.lines.get(active.ybase + active.y)?.getString(Math.max(0, x)).length ?? 1);
  }

  #boundCounts(): void {
    const bound =
      (most: () => number) =>
      ({ params }: Params): boolean => {
        if ((params[0] as number) > most()) params[0] = most();
        return false; // and on to xterm.js
      };
    // Erasing up to the last cell makes xterm.js look at a line below the last one. Erasing everything is the same.
    const eraseAbove = ({ params }: Params): boolean => {
      const { x, y, lines, scrollTop, scrollBottom } = this.#core.buffers.active;
      const row = this.#core.coreService.decPrivateModes.origin ? Math.min(scrollBottom, Math.max(scrollTop, y)) : y;
      if (params[0] === 1 && x >= this.cols - 1 && row >= lines.length - 1) params[0] = 2;
      return false;
    };
    const forget = ({ params }: Params): boolean => {
      if (params[0] !== 3) return false;
      this.#settleSaved();
      // The lines above the screen are gone, and the places of all others count from there.
      const { active } = this.#core.buffers;
      active.savedY -= active.ybase;
      return false;
    };
    for (const handler of [eraseAbove, forget]) {
      this.#core.registerCsiHandler({ final: 'J' }, handler);
      this.#core.registerCsiHandler({ prefix: '?', final: 'J' }, handler);
    }
    // Behind the last column no other sequence sets a stop.
    this.#core.registerEscHandler({ final: 'H' }, () => this.#core.buffers.active.x >= this.cols);
    const [rows, columns] = [bound(() => this.rows), bound(() => this.cols)];
    this.#core.registerCsiHandler(
      { final: 'b' },
      bound(() => Math.max(1, Math.floor(MOST_REPEATED / this.#repeatedLength()))),
    );
    for (const final of COUNTED_ROWS) this.#core.registerCsiHandler({ final }, rows);
    for (const final of COUNTED_COLUMNS) this.#core.registerCsiHandler({ final }, columns);
    for (const final of COUNTED_COLUMNS_WITH_SPACE) this.#core.registerCsiHandler({ intermediates: ' ', final }, columns);
    for (const final of COUNTED_COLUMNS_WITH_QUOTE) this.#core.registerCsiHandler({ intermediates: "'", final }, columns);
  }
}

/** The sequence at the end that is not complete. It begins with the last ESC or C1 control, whatever came before. */
function unfinished(output: string): string {
  let at = output.length - 1;
  while (at > 0 && !isIntroducer(output.charCodeAt(at))) at -= 1;
  let kept = '';
  for (let from = at; from < output.length && kept.length < LONGEST_PENDING; from += 1) {
    const code = output.charCodeAt(from);
    // Controls within a sequence take effect at once, and have done so.
    if (code >= 0x20 || code === 0x1b) kept += output.charAt(from);
  }
  return kept;
}

function isIntroducer(code: number): boolean {
  return code === 0x1b || code === 0x90 || code === 0x98 || code === 0x9b || (code >= 0x9d && code <= 0x9f);
}
