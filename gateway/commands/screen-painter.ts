import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import { penOf, samePen, setPen } from '../../contract/replay/screen/pen.ts';
import { emptyCell, type ScreenLine } from '../../contract/replay/screen/terminal-internals.ts';

/** Characters that a terminal does not draw but acts upon or orders others by. */
const NOT_DRAWN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Draws the screen of a session into the terminal of whoever watches, cut to what fits above a status line. Nothing of
 * the session's output gets there: only the characters of its cells, and colours and positions that are ours.
 */
export class ScreenPainter {
  /** What stands in each row. */
  #rows: string[] = [];
  #size = '';

  /** What has to be written for the terminal to show this. */
  paint(screen: Emulation | undefined, status: string, size: { cols: number; rows: number }): string {
    const key = `${size.cols}x${size.rows}`;
    let out = '\x1b[?25l';
    if (key !== this.#size) {
      this.#size = key;
      this.#rows = [];
      out += '\x1b[0m\x1b[2J';
    }
    const shown = Math.max(0, size.rows - 1);
    for (let row = 0; row < shown; row += 1) {
      const text = screen !== undefined && row < screen.rows ? rowOf(screen, row, size.cols) : '';
      if (this.#rows[row] === text) continue;
      this.#rows[row] = text;
      out += `\x1b[${row + 1};1H\x1b[0m${text}\x1b[0m\x1b[K`;
    }
    const line = status.replace(NOT_DRAWN, '?').slice(0, Math.max(0, size.cols - 1));
    if (this.#rows[shown] !== line) {
      this.#rows[shown] = line;
      out += `\x1b[${size.rows};1H\x1b[0;7m${line}\x1b[K\x1b[0m`;
    }
    return out + this.#cursor(screen, size.cols, shown);
  }

  #cursor(screen: Emulation | undefined, cols: number, rows: number): string {
    if (screen === undefined || screen.core.coreService.isCursorHidden) return '';
    const { x, y } = screen.core.buffers.active;
    return x < cols && y < rows ? `\x1b[${y + 1};${Math.min(x, screen.cols - 1) + 1}H\x1b[?25h` : '';
  }
}

function rowOf(screen: Emulation, row: number, cols: number): string {
  const buffer = screen.core.buffers.active;
  const line = buffer.lines.get(buffer.ybase + row) as ScreenLine;
  const cell = emptyCell();
  let pen = penOf({ fg: 0, bg: 0, extended: { underlineStyle: 0, underlineColor: 0 } });
  let text = '';
  let blanks = '';
  for (let x = 0; x < Math.min(cols, line.length); ) {
    line.loadCell(x, cell);
    const next = { ...penOf(cell), protected: false };
    if (!samePen(next, pen)) {
      text += blanks + setPen(next);
      blanks = '';
      pen = next;
    }
    const width = Math.max(1, cell.getWidth());
    const chars = cell.getChars().replace(NOT_DRAWN, '');
    // A wide character that does not fit would go to the next row.
    const drawn = chars === '' || x + width > cols || cell.getWidth() === 0 ? ' '.repeat(Math.min(width, cols - x)) : chars;
    if (drawn.trim() === '' && pen.plain === '' && pen.style === 0) blanks += drawn;
    else {
      text += blanks + drawn;
      blanks = '';
    }
    x += width;
  }
  return text;
}
