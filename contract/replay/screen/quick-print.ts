import { BG, BLANK, CELL_WORDS, SECOND_HALF, WIDTH_SHIFT } from './packed-cells.ts';
import type { ScreenLine, TerminalCore } from './terminal-internals.ts';

/** The join state after a character of one column. */
const AFTER_NARROW = 1 << 1;

type Print = (codes: Uint32Array, start: number, end: number) => void;

/**
 * Prints what most output is, ASCII without anything special about it, straight into cells; xterm.js asks for the width
 * of each character and whether it joins. What begins with anything else is left to it.
 */
export function quickPrint(core: TerminalCore): Print {
  const handler = core._inputHandler;
  const { buffers, _bufferService: service, _charsetService: charsets, coreService } = core;
  return (codes, start, end) => {
    const attributes = handler._curAttrData;
    const ascii = charsets.charset === undefined && !coreService.modes.insertMode && coreService.decPrivateModes.wraparound;
    let at = start;
    if (ascii && (attributes.bg & BG.extended) === 0) {
      while (at < end && (codes[at] as number) < 0x7f) at += 1;
      if (at > start) print(at);
    }
    if (at < end) handler.print(codes, at, end);

    function print(until: number): void {
      const buffer = buffers.active;
      const { cols, rows } = core;
      const { fg, bg } = attributes;
      const dirty = handler._dirtyRowTracker;
      dirty.markRangeDirty(buffer.y, buffer.y);
      let line = buffer.lines.get(buffer.ybase + buffer.y) as ScreenLine;
      let data = line._data;
      let x = buffer.x;
      if (x > 0 && (data[(x - 1) * CELL_WORDS] as number) >> WIDTH_SHIFT === 2) line.setCellFromCodepoint(x - 1, 0, 1, attributes);
      for (let next = start; next < until; ) {
        if (x >= cols) {
          x = 0;
          buffer.y += 1;
          if (buffer.y === buffer.scrollBottom + 1) {
            buffer.y -= 1;
            service.scroll(handler._eraseAttrData(), true);
          } else {
            buffer.y = Math.min(buffer.y, rows - 1);
            dirty.markRangeDirty(buffer.y, buffer.y);
            (buffer.lines.get(buffer.ybase + buffer.y) as ScreenLine).isWrapped = true;
          }
          line = buffer.lines.get(buffer.ybase + buffer.y) as ScreenLine;
          data = line._data;
        }
        const last = Math.min(until, next + cols - x);
        for (let word = x * CELL_WORDS; next < last; next += 1, word += CELL_WORDS) {
          data[word] = BLANK | (codes[next] as number);
          data[word + 1] = fg;
          data[word + 2] = bg;
          x += 1;
        }
      }
      buffer.x = x;
      handler._parser.precedingJoinState = AFTER_NARROW;
      if (x < cols && data[x * CELL_WORDS] === SECOND_HALF) line.setCellFromCodepoint(x, 0, 1, attributes);
    }
  };
}
