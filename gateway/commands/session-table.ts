import type { SessionRow } from '../../contract/session.ts';
import { printable } from '../base/printable.ts';
import { cut, padded, textWidth } from '../query/text-width.ts';

const SHORTEST_ID = 13; // of a UUIDv7: the millisecond

/** Sessions for people, in columns that fit `width`. Times are UTC. */
export function sessionTable(rows: readonly SessionRow[], width: number): string {
  if (rows.length === 0) return 'No sessions.\n';
  const header = ['SESSION', 'STARTED (UTC)', 'DURATION', 'STATE', 'WHO', 'TARGET', 'PROTOCOL', 'CHANNELS'];
  const idLength = distinctLength(rows.map((row) => row.id));
  const body = rows.map((row) => [
    row.id.slice(0, idLength),
    row.started.slice(0, 19).replace('T', ' '),
    duration(row),
    row.state,
    who(row),
    printable(row.target),
    row.protocol,
    String(row.channels),
  ]);
  const lines = [header, ...body];
  const widths = header.map((_, column) => lines.reduce((widest, line) => Math.max(widest, textWidth(line[column] ?? '')), 0));
  // Who and target give way; an id or a time that is cut is of no use.
  let excess = widths.reduce((sum, columnWidth) => sum + columnWidth + 2, -2) - width;
  for (const [column, least] of [
    [4, 16],
    [5, 8],
  ] as const) {
    const give = Math.max(0, Math.min(excess, (widths[column] ?? 0) - least));
    widths[column] = (widths[column] ?? 0) - give;
    excess -= give;
  }
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => padded(cut(cell, widths[column] ?? 0), widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

export function who(row: Pick<SessionRow, 'principal' | 'onBehalfOf' | 'state'>): string {
  if (row.state === 'erased') return '(erased)';
  return printable(row.onBehalfOf === null ? row.principal : `${row.principal} for ${row.onBehalfOf}`);
}

/** From start to end as `1h02m`, `4m30s` or `1.2s`; of a live session a dash. */
export function duration(row: Pick<SessionRow, 'started' | 'ended'>): string {
  if (row.ended === null) return '-';
  const seconds = Math.max(0, (Date.parse(row.ended) - Date.parse(row.started)) / 1000);
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const part = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}m${part(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${part(Math.floor((whole % 3600) / 60))}m`;
}

/** As many characters of the ids as tell the listed ones apart. */
function distinctLength(ids: readonly string[]): number {
  for (let length = SHORTEST_ID; length < 36; length += 1) {
    if (new Set(ids.map((id) => id.slice(0, length))).size === ids.length) return length;
  }
  return 36;
}
