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
    normal: bufferOf(core, normal),
    alt: bufferOf(core, alt),
  };
}

function bufferOf(core: TerminalCore, buffer: ScreenBuffer): unknown {
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
    lines: Array.from({ length: buffer.lines.length }, (_, index) => lineOf(buffer.lines.get(index) as ScreenLine)),
  };
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
