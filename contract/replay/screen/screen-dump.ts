import { type Dumped, dumpBuffer } from './dump-buffer.ts';
import { DumpText } from './dump-text.ts';
import { penOf, savedPenOf, setPen } from './pen.ts';
import { charsetFinal, emptyCell, joinWidth, type ScreenBuffer, type ScreenLine, type TerminalCore } from './terminal-internals.ts';

/**
 * The state of a terminal as sequences that make any other terminal of the same size the same: every cell of both
 * screens and of what is above, cursor and saved cursors, scroll regions, tab stops, character sets, modes, title.
 * Without what is above where that makes it longer than `most`. To be called after `mendScreen`. What is not part of it:
 * mouse pointer, colours of the palette, links.
 */
export function dumpScreen(core: TerminalCore, most: number): string {
  return dump(core, { above: true, most }) ?? (dump(core, { above: false, most: Number.POSITIVE_INFINITY }) as string);
}

function dump(core: TerminalCore, dumped: Dumped): string | undefined {
  const { normal, alt, active } = core.buffers;
  const out = new DumpText();
  out.text(`\x1bc\x1b[?25h\x1b[20l\x1b]2;${core._inputHandler._windowTitle}\x07`);
  if (!dumpBuffer(out, core, normal, dumped)) return undefined;
  out.text(savedCursor(normal) + region(core, normal));
  if (active === alt) {
    // Where the cursor was on the normal screen counts when the terminal is resized.
    out.text(`${move(normal.x, normal.y)}\x1b[?47h`);
    if (!dumpBuffer(out, core, alt, dumped)) return undefined;
    out.text(savedCursor(alt) + region(core, alt));
  } else {
    const saved = savedCursor(alt);
    if (saved !== '') out.text(`\x1b[?47h${saved}\x1b[?47l`);
  }
  return out.toString() + end(core, active);
}

/** Puts the cursor where the buffer's saved one is, with what is saved with it, and saves it. */
function savedCursor(buffer: ScreenBuffer): string {
  const { savedX, savedY, savedCurAttrData, savedCharset, ybase } = buffer;
  const unused = savedX === 0 && savedY === 0 && savedCurAttrData.fg === 0 && savedCurAttrData.bg === 0 && savedCharset === undefined;
  if (unused) return '';
  const charset = savedCharset === undefined ? '' : `\x1b(${charsetFinal(savedCharset)}`;
  return `${move(savedX, savedY - ybase)}${setPen(savedPenOf(savedCurAttrData))}${charset}\x1b7\x1b[0m\x1b[0"q${charset === '' ? '' : '\x1b(B'}`;
}

function region(core: TerminalCore, { scrollTop, scrollBottom }: ScreenBuffer): string {
  return scrollTop === 0 && scrollBottom === core.rows - 1 ? '' : `\x1b[${scrollTop + 1};${scrollBottom + 1}r`;
}

/** Modes, attributes, character sets and the cursor, which each would disturb what was drawn before. */
function end(core: TerminalCore, buffer: ScreenBuffer): string {
  const handler = core._inputHandler;
  const charsets = core._charsetService;
  const { origin } = core.coreService.decPrivateModes;
  const pen = penOf(handler._curAttrData, true);
  const cursor = move(buffer.x, buffer.y - (origin ? buffer.scrollTop : 0));
  const join = handler._parser.precedingJoinState;
  const designated = charsets._charsets
    .map((charset, level) => (charset === undefined ? '' : `\x1b${'()*+'[level]}${charsetFinal(charset)}`))
    .join('');
  const shift = ['\x0f', '\x0e', '\x1bn', '\x1bo'][charsets.glevel] ?? '';
  if (join === 0 && buffer.x >= core.cols) {
    // Behind the last column: only printing gets it there.
    const last = before(core, buffer);
    return `${modes(core)}${move(last.x, buffer.y - (origin ? buffer.scrollTop : 0))}${last.pen}${last.chars}${setPen(pen)}${designated}${shift}`;
  }
  const out = `${designated}${shift}${modes(core)}${setPen(pen)}`;
  if (join === 0) return out + cursor;
  const last = before(core, buffer);
  const inserting = core.coreService.modes.insertMode ? `\x1b[${last.width}P` : '';
  return `${out}${move(last.x, buffer.y - (origin ? buffer.scrollTop : 0))}${inserting}${typed(last.chars, charsets.charset)}`;
}

/** What has to be printed for these characters to appear in a character set: some national ones have `|` in the place of `]`. */
function typed(chars: string, charset: object | undefined): string {
  const shown = chars.charAt(0);
  if (charset === undefined || !(shown in charset)) return chars;
  const [code] = Object.entries(charset).find(([, character]) => character === shown) ?? [shown];
  return code + chars.slice(1);
}

/** What stands before the cursor. */
function before(core: TerminalCore, buffer: ScreenBuffer): { x: number; width: number; chars: string; pen: string } {
  const line = buffer.lines.get(buffer.ybase + buffer.y) as ScreenLine;
  const cell = emptyCell();
  const end = Math.min(buffer.x, core.cols);
  let x = end - 1;
  const joined = joinWidth(core._inputHandler._parser.precedingJoinState);
  line.loadCell(x, cell);
  if (joined === 2 || (joined === 0 && cell.getWidth() === 0 && cell.getChars() === '' && x > 0)) x -= 1;
  line.loadCell(x, cell);
  return { x, width: end - x, chars: cell.getChars(), pen: setPen(penOf(cell)) };
}

function modes(core: TerminalCore): string {
  const { isCursorHidden, modes: ansi, decPrivateModes: dec } = core.coreService;
  const { convertEol, cursorBlink } = core.optionsService.rawOptions;
  const set: string[] = [];
  const private_ = (on: boolean, mode: number) => on && set.push(`\x1b[?${mode}h`);
  private_(dec.applicationCursorKeys, 1);
  private_(dec.origin, 6);
  private_(dec.reverseWraparound, 45);
  private_(dec.sendFocus, 1004);
  private_(dec.bracketedPasteMode, 2004);
  private_(dec.synchronizedOutput, 2026);
  const mouse = { X10: 9, VT200: 1000, DRAG: 1002, ANY: 1003 }[core.coreMouseService.activeProtocol];
  if (mouse !== undefined) private_(true, mouse);
  const encoding = { SGR: 1006, SGR_PIXELS: 1016 }[core.coreMouseService.activeEncoding];
  if (encoding !== undefined) private_(true, encoding);
  set.push(`\x1b[?12${cursorBlink ? 'h' : 'l'}`);
  if (!dec.wraparound) set.push('\x1b[?7l');
  if (isCursorHidden) set.push('\x1b[?25l');
  if (dec.applicationKeypad) set.push('\x1b=');
  // Numbers that name no shape only say whether it blinks.
  const shape = dec.cursorStyle === undefined ? 8 : { block: 2, underline: 4, bar: 6 }[dec.cursorStyle];
  if (dec.cursorBlink !== undefined) set.push(`\x1b[${shape - (dec.cursorBlink ? 1 : 0)} q`);
  if (convertEol) set.push('\x1b[20h');
  if (ansi.insertMode) set.push('\x1b[4h');
  return set.join('');
}

function move(x: number, y: number): string {
  return `\x1b[${y + 1};${x + 1}H`;
}
