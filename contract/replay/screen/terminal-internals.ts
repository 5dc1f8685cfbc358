import headless, { type Terminal } from '@xterm/headless';
import { currentWidths } from './character-width.ts';
import { BLANK } from './packed-cells.ts';

/**
 * What is read and set of xterm.js beyond its public interface: scroll region, character sets, saved cursors, tab
 * stops, the parser's state. Nothing else in the gateway looks inside it. A test (screen-dump.test.ts) fails when a
 * version of it is built differently.
 */
export interface TerminalCore {
  readonly cols: number;
  readonly rows: number;
  readonly buffers: {
    readonly active: ScreenBuffer;
    readonly normal: ScreenBuffer;
    readonly alt: ScreenBuffer;
    activateNormalBuffer(): void;
  };
  readonly coreService: {
    readonly isCursorHidden: boolean;
    readonly modes: { readonly insertMode: boolean };
    readonly decPrivateModes: {
      readonly applicationCursorKeys: boolean;
      readonly applicationKeypad: boolean;
      readonly bracketedPasteMode: boolean;
      readonly cursorBlink: boolean | undefined;
      readonly cursorStyle: 'block' | 'underline' | 'bar' | undefined;
      readonly origin: boolean;
      readonly reverseWraparound: boolean;
      readonly sendFocus: boolean;
      readonly synchronizedOutput: boolean;
      readonly wraparound: boolean;
    };
  };
  readonly coreMouseService: { readonly activeProtocol: string; readonly activeEncoding: string };
  readonly optionsService: { readonly rawOptions: { readonly convertEol: boolean; readonly cursorBlink: boolean } };
  readonly unicodeService: { wcwidth(code: number): number };
  readonly _bufferService: { isUserScrolling: boolean; reset(): void; scroll: (attributes: Attributes, isWrapped?: boolean) => void };
  readonly _charsetService: {
    readonly charset: object | undefined;
    readonly glevel: number;
    readonly _charsets: readonly (object | undefined)[];
    setgCharset(level: number, charset: object | undefined): void;
  };
  readonly _inputHandler: {
    readonly _windowTitle: string;
    readonly _curAttrData: CurrentAttributes;
    /** Rows of the screen that are told to whoever draws it. */
    readonly _dirtyRowTracker: { markRangeDirty(from: number, to: number): void };
    readonly _parser: {
      readonly currentState: number;
      precedingJoinState: number;
      reset(): void;
      readonly _oscParser: { registerHandler(number: number, handler: OscHandler): void };
      clearOscHandler(number: number): void;
      clearDcsHandler(id: { intermediates?: string; final: string }): void;
      setCsiHandlerFallback(handler: () => void): void;
      setEscHandlerFallback(handler: () => void): void;
      setOscHandlerFallback(handler: () => void): void;
      setDcsHandlerFallback(handler: () => void): void;
      readonly _printHandler: (codes: Uint32Array, start: number, end: number) => void;
      setPrintHandler(print: (codes: Uint32Array, start: number, end: number) => void): void;
    };
    /** Rows counted from the top of the screen; undefined for all of them. */
    onRequestRefreshRows(listener: (rows: { start: number; end: number } | undefined) => void): void;
    setTitle(title: string): boolean;
    parse(text: string): void;
    print(codes: Uint32Array, start: number, end: number): void;
    eraseInDisplay(params: Params): boolean;
    eraseInLine(params: Params): boolean;
    _restrictCursor(): void;
    _eraseAttrData(): Attributes;
    restoreCursor(): boolean;
    screenAlignmentPattern(): boolean;
    resetModePrivate(params: Params): boolean;
  };
  registerCsiHandler(id: { prefix?: string; intermediates?: string; final: string }, handler: (params: Params) => boolean): void;
  registerEscHandler(id: { intermediates?: string; final: string }, handler: () => boolean): void;
  registerOscHandler(number: number, handler: (text: string) => boolean): { dispose(): void };
  /** After each line feed. */
  onLineFeed(listener: () => void): { dispose(): void };
}

/** A row that is followed when others are added and removed above it, and lines are wrapped anew. */
export interface LineMarker {
  readonly line: number;
  readonly isDisposed: boolean;
  dispose(): void;
}

/** Of an operating system command, which comes in pieces of code points. */
export interface OscHandler {
  start(): void;
  put(codes: Uint32Array, start: number, end: number): void;
  /** Whether it was taken. */
  end(complete: boolean): boolean;
}

export interface Params {
  readonly params: Int32Array;
  readonly length: number;
}

/** Of what is printed next. `extended` is shared with the cells that have it, and replaced when it changes. */
export interface CurrentAttributes extends Attributes {
  bg: number;
  extended: { underlineStyle: number; underlineColor: number; clone(): CurrentAttributes['extended'] };
  updateExtended(): void;
}

export interface ScreenBuffer {
  readonly lines: {
    readonly length: number;
    maxLength: number;
    get(index: number): ScreenLine | undefined;
    set(index: number, line: ScreenLine): void;
    trimStart(count: number): void;
  };
  x: number;
  y: number;
  readonly ybase: number;
  readonly scrollTop: number;
  readonly scrollBottom: number;
  readonly tabs: Record<number, boolean | undefined>;
  savedX: number;
  savedY: number;
  readonly savedCurAttrData: { readonly fg: number; readonly bg: number };
  savedCharset: object | undefined;
  readonly _bufferService: { readonly cols: number };
  getNullCell(attributes?: Attributes): Cell;
  clear(): void;
  setupTabStops(): void;
  _memoryCleanupQueue: { enqueue(): void; clear(): void };
  addMarker(row: number): LineMarker;
}

export interface ScreenLine {
  readonly length: number;
  isWrapped: boolean;
  readonly _data: Uint32Array;
  _combined: Record<number, string>;
  _extendedAttrs: Record<number, Attributes['extended'] | undefined>;
  translateToString(trimRight: boolean, from?: number, to?: number): string;
  loadCell(index: number, cell: Cell): Cell;
  setCell(index: number, cell: Cell): void;
  getString(index: number): string;
  fill(cell: Cell): void;
  resize(cols: number, fill: Cell): void;
  copyFrom(line: ScreenLine): void;
  cleanupMemory(): number;
  clone(): ScreenLine;
  setCellFromCodepoint(index: number, code: number, width: number, attributes: Attributes): void;
}

/** Colours and flags of a cell, or of what is printed next, as xterm.js packs them (its Constants.ts). */
export interface Attributes {
  readonly fg: number;
  readonly bg: number;
  readonly extended: { readonly underlineStyle: number; readonly underlineColor: number };
}

export interface Cell extends Attributes {
  /** Code point, whether it is combined, and width. */
  readonly content: number;
  readonly combinedData: string;
  getChars(): string;
  getWidth(): number;
}

/** The parser's state between sequences. */
export const GROUND = 0;

/** Width that a join state carries: that of what was printed last. 0 after anything that is not printing. */
export function joinWidth(state: number): number {
  return (state >> 1) & 3;
}

export function coreOf(terminal: Terminal): TerminalCore {
  return (terminal as unknown as { readonly _core: TerminalCore })._core;
}

/** A terminal that answers nobody and logs nothing. */
export function plainTerminal(cols: number, rows: number, { scrollback = 0, convertEol = false } = {}): Terminal {
  const terminal = new headless.Terminal({ cols, rows, scrollback, convertEol, allowProposedApi: true, logLevel: 'off' });
  terminal.unicode.register(currentWidths);
  terminal.unicode.activeVersion = currentWidths.version;
  return terminal;
}

let blank: Cell | undefined;

/** An empty cell, to fill with or to load others into. */
export function emptyCell(): Cell {
  blank ??= plainTerminal(2, 1).buffer.active.getNullCell() as unknown as Cell;
  return Object.assign(Object.create(Object.getPrototypeOf(blank) as object) as Cell, blank, { content: BLANK });
}

const FINALS = ['0', 'A', 'B', '4', 'C', '5', 'R', 'Q', 'K', 'Y', 'E', '6', 'Z', 'H', '7', '='];
let names: Map<object, string> | undefined;

/** The final character that designates a character set; `B` for the usual one. */
export function charsetFinal(charset: object | undefined): string {
  if (charset === undefined) return 'B';
  if (names === undefined) {
    names = new Map();
    const core = coreOf(plainTerminal(2, 1));
    for (const final of FINALS) {
      core._inputHandler.parse(`\x1b(${final}`);
      const known = core._charsetService._charsets[0];
      if (known !== undefined) names.set(known, final);
    }
  }
  return names.get(charset) ?? 'B';
}

const LONGEST_COMBINED = 32;
let bounded = false;

/** A cell takes any number of combining characters, and an endless run of them all memory. Here it takes so many. */
export function boundCombined(core: TerminalCore): void {
  if (bounded) return;
  bounded = true;
  const line = core.buffers.normal.lines.get(0) as ScreenLine;
  const prototype = Object.getPrototypeOf(line) as {
    addCodepointToCell: (this: ScreenLine, index: number, code: number, width: number) => void;
  };
  const add = prototype.addCodepointToCell;
  prototype.addCodepointToCell = function (index, code, width) {
    if (this.getString(index).length < LONGEST_COMBINED) add.call(this, index, code, width);
  };
}
