import type { Emulation } from './emulation.ts';
import { mendScreen } from './mend-screen.ts';
import { BG, CELL_WORDS, COMBINED } from './packed-cells.ts';
import { penOf, samePen, savedPenOf } from './pen.ts';
import { charsetFinal, emptyCell, joinWidth, type ScreenBuffer, type ScreenLine, type TerminalCore } from './terminal-internals.ts';

/**
 * Whether two terminals are the same from here on, whatever is written to them: every cell of both screens and of what
 * is above, and everything that decides what further output does. Bits that nothing is drawn by don't count, and a state
 * that no sequence leads to is taken for the one that `mendScreen` makes of it, since that is the one that is dumped.
 */
export function sameScreen(a: Emulation, b: Emulation): boolean {
  const undo = [mendScreen(a.core), mendScreen(b.core)];
  try {
    return a.pending === b.pending && sameState(a.core, b.core) && sameBuffers(a.core, b.core);
  } finally {
    for (const step of undo) step();
  }
}

/** The same without taking states for others: what a keyframe has to be. Where it is not, it is no keyframe. */
export function identicalScreen(a: Emulation, b: Emulation): boolean {
  return a.pending === b.pending && sameState(a.core, b.core) && sameBuffers(a.core, b.core);
}

function sameState(a: TerminalCore, b: TerminalCore): boolean {
  const [one, other] = [a._inputHandler, b._inputHandler];
  return (
    a.cols === b.cols &&
    a.rows === b.rows &&
    one._windowTitle === other._windowTitle &&
    one._parser.currentState === other._parser.currentState &&
    joinWidth(one._parser.precedingJoinState) === joinWidth(other._parser.precedingJoinState) &&
    samePen(penOf(one._curAttrData, true), penOf(other._curAttrData, true)) &&
    sameCharsets(a, b) &&
    a.coreService.isCursorHidden === b.coreService.isCursorHidden &&
    sameValues(a.coreService.modes, b.coreService.modes) &&
    sameValues(a.coreService.decPrivateModes, b.coreService.decPrivateModes) &&
    a.coreMouseService.activeProtocol === b.coreMouseService.activeProtocol &&
    a.coreMouseService.activeEncoding === b.coreMouseService.activeEncoding &&
    a.optionsService.rawOptions.convertEol === b.optionsService.rawOptions.convertEol &&
    a.optionsService.rawOptions.cursorBlink === b.optionsService.rawOptions.cursorBlink
  );
}

/** Of objects of plain values. One without a value is like one that is not there. */
function sameValues(a: object, b: object): boolean {
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...Object.keys(a), ...Object.keys(b)].every((key) => one[key] === other[key]);
}

function sameCharsets({ _charsetService: a }: TerminalCore, { _charsetService: b }: TerminalCore): boolean {
  return (
    a.glevel === b.glevel &&
    charsetFinal(a.charset) === charsetFinal(b.charset) &&
    [0, 1, 2, 3].every((level) => charsetFinal(a._charsets[level]) === charsetFinal(b._charsets[level]))
  );
}

function sameBuffers({ buffers: a, cols }: TerminalCore, { buffers: b }: TerminalCore): boolean {
  const alternate = a.active === a.alt;
  if (alternate !== (b.active === b.alt)) return false;
  const at = (one: ScreenBuffer, other: ScreenBuffer) => one.x === other.x && one.y === other.y;
  // Whichever screen is not shown takes its cursor over from the other, except that of the normal one below.
  if (!at(a.active, b.active) || (alternate && !at(a.normal, b.normal))) return false;
  return sameBuffer(a.normal, b.normal, cols) && sameBuffer(a.alt, b.alt, cols);
}

function sameBuffer(a: ScreenBuffer, b: ScreenBuffer, cols: number): boolean {
  const count = a.lines.length;
  if (a.ybase !== b.ybase || count !== b.lines.length || a.lines.maxLength !== b.lines.maxLength) return false;
  if (a.scrollTop !== b.scrollTop || a.scrollBottom !== b.scrollBottom || !sameSaved(a, b)) return false;
  for (let x = 0; x < cols; x += 1) if ((a.tabs[x] ?? false) !== (b.tabs[x] ?? false)) return false;
  for (let index = 0; index < count; index += 1)
    if (!sameLine(a.lines.get(index) as ScreenLine, b.lines.get(index) as ScreenLine)) return false;
  return true;
}

function sameSaved(a: ScreenBuffer, b: ScreenBuffer): boolean {
  return (
    a.savedX === b.savedX &&
    // Above the screen it comes back to its top.
    Math.max(a.savedY - a.ybase, 0) === Math.max(b.savedY - b.ybase, 0) &&
    samePen(savedPenOf(a.savedCurAttrData), savedPenOf(b.savedCurAttrData)) &&
    charsetFinal(a.savedCharset) === charsetFinal(b.savedCharset)
  );
}

function sameLine(a: ScreenLine, b: ScreenLine): boolean {
  const [one, other] = [a._data, b._data];
  if (a.isWrapped !== b.isWrapped || one.length !== other.length) return false;
  for (let word = 0; word < one.length; word += CELL_WORDS) {
    const content = one[word] as number;
    const bg = one[word + 2] as number;
    const alike = content === other[word] && one[word + 1] === other[word + 1] && bg === other[word + 2];
    const x = word / CELL_WORDS;
    if (alike && (bg & BG.extended) === 0 && ((content & COMBINED) === 0 || a._combined[x] === b._combined[x])) continue;
    if (!sameCell(a, b, x)) return false;
  }
  return true;
}

const [left, right] = [emptyCell(), emptyCell()];

/** Whether it is the same that is drawn. */
function sameCell(a: ScreenLine, b: ScreenLine, x: number): boolean {
  a.loadCell(x, left);
  b.loadCell(x, right);
  return left.getWidth() === right.getWidth() && left.getChars() === right.getChars() && samePen(penOf(left), penOf(right));
}
