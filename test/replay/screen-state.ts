import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import { mendScreen } from '../../contract/replay/screen/mend-screen.ts';
import { CELL_WORDS } from '../../contract/replay/screen/packed-cells.ts';
import { penOf, savedPenOf } from '../../contract/replay/screen/pen.ts';
import {
  charsetFinal,
  emptyCell,
  joinWidth,
  type ScreenBuffer,
  type ScreenLine,
  type TerminalCore,
} from '../../contract/replay/screen/terminal-internals.ts';

/** Everything that two terminals must have in common to be the same from here on, by name. */
export function stateOf(core: TerminalCore): Record<string, unknown> {
  const { normal, alt } = core.buffers;
  return {
    ...stateBeside(core),
    normal: { ...aroundLines(core, normal), lines: linesOf(normal) },
    alt: { ...aroundLines(core, alt), lines: linesOf(alt) },
  };
}

/** Fails unless two terminals look the same and are the same from here on. Changes neither of them. */
export function expectSame(actual: Emulation, expected: Emulation, when: string): void {
  const undo = [mendScreen(actual.core), mendScreen(expected.core)];
  if (!isSame(actual.core, expected.core)) expect(stateOf(actual.core), when).toEqual(stateOf(expected.core));
  for (const step of undo) step();
}

/** The same for terminals that are the same, and nearly always another one for others: of bits that draw nothing it knows some. */
export function fingerprintOf({ core }: Emulation): string {
  const undo = mendScreen(core);
  const hash = createHash('sha1');
  hash.update(JSON.stringify(stateBeside(core)));
  for (const buffer of [core.buffers.normal, core.buffers.alt]) {
    hash.update(JSON.stringify(aroundLines(core, buffer)));
    for (let index = 0; index < buffer.lines.length; index += 1) {
      const line = buffer.lines.get(index) as ScreenLine;
      hash.update(isPlain(line) ? (line.isWrapped ? '+' : '|') : lineOf(line));
      if (isPlain(line)) hash.update(bytesOf(line));
    }
  }
  undo();
  return hash.digest('hex');
}

/** The same as comparing `stateOf`, without a word for each cell. */
function isSame(a: TerminalCore, b: TerminalCore): boolean {
  if (!isDeepStrictEqual(stateBeside(a), stateBeside(b))) return false;
  return (['normal', 'alt'] as const).every((which) => {
    const [one, other] = [a.buffers[which], b.buffers[which]];
    if (one.lines.length !== other.lines.length || !isDeepStrictEqual(aroundLines(a, one), aroundLines(b, other))) return false;
    for (let index = 0; index < one.lines.length; index += 1)
      if (!isSameLine(one.lines.get(index) as ScreenLine, other.lines.get(index) as ScreenLine)) return false;
    return true;
  });
}

function isSameLine(a: ScreenLine, b: ScreenLine): boolean {
  if (isPlain(a) && isPlain(b) && a.isWrapped === b.isWrapped && bytesOf(a).equals(bytesOf(b))) return true;
  return lineOf(a) === lineOf(b);
}

/** Everything that is in it is in the numbers of its cells. */
function isPlain({ _combined, _extendedAttrs }: ScreenLine): boolean {
  return isEmpty(_combined) && isEmpty(_extendedAttrs);
}

function bytesOf({ _data, length }: ScreenLine): Buffer {
  return Buffer.from(_data.buffer, _data.byteOffset, length * CELL_WORDS * 4);
}

function isEmpty(found: object): boolean {
  for (const _ in found) return false;
  return true;
}

function stateBeside(core: TerminalCore): Record<string, unknown> {
  const { normal, alt, active } = core.buffers;
  const handler = core._inputHandler;
  const charsets = core._charsetService;
  return {
    size: [core.cols, core.rows],
    alternate: active === alt,
    cursor: [active.x, active.y],
    below: active === alt ? [normal.x, normal.y] : undefined,
    pen: penOf(handler._curAttrData, true),
    join: joinWidth(handler._parser.precedingJoinState),
    parser: handler._parser.currentState,
    title: handler._windowTitle,
    charsets: [0, 1, 2, 3].map((level) => charsetFinal(charsets._charsets[level])),
    charset: [charsets.glevel, charsetFinal(charsets.charset)],
    modes: [core.coreService.modes, core.coreService.decPrivateModes, core.coreService.isCursorHidden],
    mouse: [core.coreMouseService.activeProtocol, core.coreMouseService.activeEncoding],
    options: [core.optionsService.rawOptions.convertEol, core.optionsService.rawOptions.cursorBlink],
  };
}

function aroundLines(core: TerminalCore, buffer: ScreenBuffer): Record<string, unknown> {
  return {
    ybase: buffer.ybase,
    most: buffer.lines.maxLength,
    region: [buffer.scrollTop, buffer.scrollBottom],
    tabs: Object.keys(buffer.tabs)
      .map(Number)
      .filter((stop) => stop < core.cols && buffer.tabs[stop] === true),
    saved: [
      // Where it would come back to.
      Math.min(buffer.savedX, core.cols - 1),
      Math.min(Math.max(buffer.savedY - buffer.ybase, 0), core.rows - 1),
      savedPenOf(buffer.savedCurAttrData),
      charsetFinal(buffer.savedCharset),
    ],
  };
}

function linesOf(buffer: ScreenBuffer): string[] {
  return Array.from({ length: buffer.lines.length }, (_, index) => lineOf(buffer.lines.get(index) as ScreenLine));
}

function lineOf(line: ScreenLine): string {
  const cell = emptyCell();
  let text = line.isWrapped ? '+' : '|';
  for (let x = 0; x < line.length; x += 1) {
    line.loadCell(x, cell);
    const { plain, protected: guarded, style, colour } = penOf(cell);
    const attributes = [plain, guarded ? 'p' : '', style === 0 ? '' : style, colour].join(',');
    text += `${cell.getWidth()}${cell.getChars()}${attributes === ',,,' ? '' : `{${attributes}}`}`;
  }
  return text;
}
