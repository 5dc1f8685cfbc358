import { dumpLine, penOfCell } from './dump-line.ts';
import { dumpOddLine, WIDE } from './dump-odd-line.ts';
import type { DumpText } from './dump-text.ts';
import { CELL_WORDS, CHARACTERS, COLOUR_MODE, WIDTH_SHIFT } from './packed-cells.ts';
import type { ScreenBuffer, ScreenLine, TerminalCore } from './terminal-internals.ts';

/** What of a buffer is dumped. */
export interface Dumped {
  /** Lines that have been scrolled off the screen, too. */
  readonly above: boolean;
  /** Where what was written gets longer than this, it is given up. */
  readonly most: number;
}

/**
 * Lines and tab stops of one of the two buffers, into the active buffer of a terminal that was just reset: from top to
 * bottom, as if they had been printed, since that is the fastest to make and to read. False where it got too long.
 */
export function dumpBuffer(out: DumpText, core: TerminalCore, buffer: ScreenBuffer, { above, most }: Dumped): boolean {
  const { cols, rows } = core;
  const first = above ? 0 : buffer.ybase;
  let before: ScreenLine | undefined;
  for (let index = first; index < buffer.lines.length; index += 1) {
    const line = buffer.lines.get(index) as ScreenLine;
    const row = Math.min(index - first, rows - 1);
    if (before === undefined) begin(out, rows, cols, line.isWrapped);
    else if (line.isWrapped) {
      const scrolls = index - first >= rows;
      if (waitsFor(before, line, cols, scrolls) && dumpLine(out, line, cols)) {
        before = line;
        continue;
      }
      wrap(out, before, cols, Math.min(index - first - 1, rows - 1), scrolls);
    } else {
      // Lines that are scrolled in have the background that is set.
      if (out.fills) out.pen(0, 0);
      out.text('\r\n');
    }
    if (!dumpLine(out, line, cols)) dumpOddLine(out, line, cols, row);
    if (out.length > most) return false;
    before = line;
  }
  out.pen(0, 0);
  out.text(tabStops(buffer, cols));
  return true;
}

function begin(out: DumpText, rows: number, cols: number, wrapped: boolean): void {
  if (wrapped) {
    // The first line continues one that is gone.
    out.move(cols - 1, rows - 1);
    out.text(`xx${'\n'.repeat(rows - 1)}\x1b[3J\x1b[H\x1b[X`);
  }
  out.move(0, 0);
}

/** Whether the cursor waits behind the last column, so that what this line begins with is printed into the next row. */
function waitsFor(before: ScreenLine, line: ScreenLine, cols: number, scrolls: boolean): boolean {
  if (!isFull(before, cols)) return false;
  const [content, , bg] = line._data as unknown as [number, number, number];
  return (content & CHARACTERS) !== 0 && content >> WIDTH_SHIFT > 0 && !(scrolls && (bg & COLOUR_MODE) !== 0);
}

function isFull({ _data: data }: ScreenLine, cols: number): boolean {
  // The second half of a wide character has no content at all.
  const last = data[(cols - 1) * CELL_WORDS] as number;
  return (last & CHARACTERS) !== 0 || last >> WIDTH_SHIFT === 0;
}

/** Makes the next row continue this one, and leaves it blank with the cursor at its beginning. */
function wrap(out: DumpText, line: ScreenLine, cols: number, row: number, scrolls: boolean): void {
  if (isFull(line, cols)) {
    out.pen(0, 0);
    out.text('x\r\x1b[X');
    return;
  }
  // A wide character does not fit into the last column, and leaves it blank.
  penOfCell(out, line, cols - 1);
  out.move(cols - 1, row);
  out.text(WIDE);
  const filled = scrolls && out.fills ? cols : 2;
  out.pen(0, 0);
  out.text(`\r\x1b[${filled}X`);
}

function tabStops({ tabs }: ScreenBuffer, cols: number): string {
  const stops = Array.from({ length: cols }, (_, x) => x).filter((x) => tabs[x] === true);
  const usual = Array.from({ length: Math.ceil(cols / 8) }, (_, index) => index * 8);
  if (stops.join() === usual.join()) return '';
  return `\x1b[3g${stops.map((x) => `\x1b[1;${x + 1}H\x1bH`).join('')}`;
}
