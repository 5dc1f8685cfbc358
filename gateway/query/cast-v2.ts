import type { CastItem } from './cast-events.ts';

/** The event codes that players of asciicast v2 know (docs.asciinema.org/manual/asciicast/v2). */
const KNOWN = new Set(['o', 'i', 'm', 'r']);

/**
 * A cast in version 2 of the format, for players that know no other: times count from the start, and what only version
 * 3 or this gateway can say (exit status, `+` events) is left out. Damage becomes a marker in its place. A recording
 * whose first part is damaged has no header left and gets one that every player accepts.
 */
export async function* castV2(items: AsyncIterable<CastItem>): AsyncGenerator<string> {
  let begun = false;
  for await (const item of items) {
    if (item.kind === 'header') {
      const { cols, rows, timestamp, title, command, env } = item.header;
      const header = {
        version: 2,
        width: cols,
        height: rows,
        timestamp,
        ...(title === undefined ? {} : { title }),
        ...(command === undefined ? {} : { command }),
        ...(Object.keys(env).length === 0 ? {} : { env }),
      };
      if (!begun) yield `${JSON.stringify(header)}\n`;
      begun = true;
      continue;
    }
    const [code, data] = item.kind === 'damage' ? ['m', item.error.message] : [item.code, item.data];
    if (!KNOWN.has(code)) continue;
    if (!begun) yield '{"version":2,"width":80,"height":24}\n';
    begun = true;
    yield `[${(item.at / 1e6).toFixed(6)},${JSON.stringify(code)},${JSON.stringify(data)}]\n`;
  }
}
