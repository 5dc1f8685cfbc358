import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import { penOf, samePen, setPen } from '../../contract/replay/screen/pen.ts';
import { emptyCell, type ScreenLine } from '../../contract/replay/screen/terminal-internals.ts';

/** Characters that a terminal does not draw but acts upon or orders others by. */
const NOT_DRAWN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Draws the screen of a session into the terminal of whoever watches, as much of it as fits, with lines of our own over
 * the last rows. Nothing of the session's output gets there: only the characters of its cells, and colours and positions
 * that are ours. Of a screen that is higher than the terminal, the rows down to the cursor are shown.
 */
export class ScreenPainter {
  /** What stands in each row. */
  #rows: string[] = [];
  #size = '';

  /** What has to be written for the terminal to show this. */
  paint(screen: Emulation | undefined, notice: readonly string[], size: { cols: number; rows: number }): string {
    const key = `${size.cols}x${size.rows}`;
    let out = '\x1b[?25l';
    if (key !== this.#size) {
      this.#size = key;
      this.#rows = [];
      out += '\x1b[0m\x1b[2J';
    }
    const shown = Math.max(0, size.rows - notice.length);
    const top = screen === undefined ? 0 : topRow(screen, shown, size.rows);
    for (let row = 0; row < shown; row += 1) {
      const text = screen !== undefined && top + row < screen.rows ? rowOf(screen, top + row, size.cols) : '';
      if (this.#rows[row] === text) continue;
      this.#rows[row] = text;
      out += `\x1b[${row + 1};1H\x1b[0m${text}\x1b[0m\x1b[K`;
    }
    for (const [index, words] of notice.entries()) {
      const row = shown + index;
      const text = `\x1b[0;7m${words.replace(NOT_DRAWN, '?').slice(0, Math.max(0, size.cols - 1))}`;
      if (this.#rows[row] === text) continue;
      this.#rows[row] = text;
      out += `\x1b[${row + 1};1H${text}\x1b[K\x1b[0m`;
    }
    return out + this.#cursor(screen, top, size.cols, shown);
  }

  #cursor(screen: Emulation | undefined, top: number, cols: number, rows: number): string {
    if (screen === undefined || screen.core.coreService.isCursorHidden) return '';
    const { x, y } = screen.core.buffers.active;
    return x < cols && y - top < rows ? `\x1b[${y - top + 1};${Math.min(x, screen.cols - 1) + 1}H\x1b[?25h` : '';
  }
}

/** What stands on a screen as lines for another terminal: its cells, up to the last that is not empty. */
export function screenText(screen: Emulation, cols: number): string {
  const rows = Array.from({ length: screen.rows }, (_, row) => rowOf(screen, row, cols));
  while (rows.at(-1) === '') rows.pop();
  return rows.map((row) => `\x1b[0m${row}\x1b[0m\r\n`).join('');
}

/** The first row that is shown. What fits without the notice stays in its place under it. */
function topRow(screen: Emulation, shown: number, rows: number): number {
  if (screen.rows <= rows) return 0;
  return Math.max(0, Math.min(screen.core.buffers.active.y - shown + 1, screen.rows - shown));
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
