import { printable } from '../base/printable.ts';
import { padded } from '../query/text-width.ts';

/** Rows of a full-screen program that a notice may cover. */
const MOST_ROWS = 4;

/**
 * What a reviewer sees where a part of a recording is damaged. Between the lines of a shell it stands as lines of its
 * own; over the screen of a full-screen program, which those would scroll, it stands in the last rows until the program
 * draws there again. Which colours were on before is not carried over: what changed them may be in what is lost.
 */
export function damageNotice(message: string, size: { cols: number; rows: number } | undefined, alternateScreen: boolean): string {
  const text = `[${printable(message)}]`;
  if (size === undefined) return `\r\n${text}\r\n`;
  if (!alternateScreen) return `${PLAIN}\r\n\x1b[7m${text}\x1b[m\r\n`;
  const width = Math.max(1, size.cols - 1);
  const rows = inRows(text, size.cols);
  const drawn = rows.map((row, index) => `\x1b[${Math.max(1, size.rows - rows.length + 1 + index)};1H${padded(row, width)}`);
  return `${PLAIN}\x1b7\x1b[7m${drawn.join('')}\x1b[m\x1b8`;
}

/** A text cut into rows of a terminal, as many as a notice may have. */
export function inRows(text: string, cols: number): string[] {
  const width = Math.max(1, cols - 1);
  const rows: string[] = [];
  for (let at = 0; at < text.length && rows.length < MOST_ROWS; at += width) rows.push(text.slice(at, at + width));
  return rows;
}

const PLAIN = '\x1b(B\x0f\x1b[m';
