import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { castItems } from '../query/cast-events.ts';
import { castV2 } from '../query/cast-v2.ts';
import { castV3 } from '../query/cast-v3.ts';
import { findChannel } from '../query/find-channels.ts';
import { type CastPart, readCast } from '../query/read-cast.ts';
import type { Database } from '../store/database.ts';
import type { DataOptions } from './open-data.ts';
import { print } from './output.ts';
import { withViewedData } from './record-viewing.ts';
import { reportError } from './report.ts';

export interface CastOptions extends DataOptions {
  format: string;
  output?: string;
}

const WRITE_AT = 256 * 1024;

/** Exit code 1 when a part of the recording is damaged and left out: the export is not the whole recording. */
export async function cast(name: string, options: CastOptions): Promise<number> {
  const { format } = options;
  if (format !== 'v3' && format !== 'v2') throw new SallyportError('USAGE', `There is no format ${format}`, { remedy: 'v3 or v2' });
  return withViewedData(options, oneChannel(name), async (database, { session, channel, others }) => {
    tellOthers(session, channel, others);
    let code = 0;
    const whenDamaged = (error: SallyportError) => {
      code = reportError(error, false);
    };
    const parts = readCast(database, session.id, channel.channel);
    const lines = format === 'v3' ? castV3(parts, whenDamaged) : castV2(castItems(tellDamage(parts, whenDamaged)));
    if (options.output === undefined) for await (const piece of inPieces(lines)) await print(piece);
    else await writeFile(options.output, inPieces(lines));
    return code;
  });
}

/** The channel that is meant, and that all of it is played. */
export function oneChannel(name: string) {
  return async (database: Database) => {
    const found = await findChannel(database, name);
    return { found, viewing: { session: found.session.id, how: 'play' as const, channel: found.channel.channel } };
  };
}

/** On standard error, so that what a program reads stays a recording. */
export function tellOthers(session: SessionRow, channel: ChannelRow, others: readonly ChannelRow[]): void {
  if (others.length === 0) return;
  const names = others.slice(0, 8).map((row) => `/${row.channel} (${printable(row.kind)})`);
  process.stderr.write(
    `This is channel ${channel.channel} (${printable(channel.kind)}); session ${session.id} also has ${names.join(', ')}${others.length > names.length ? ', …' : ''}\n`,
  );
}

async function* tellDamage(parts: AsyncIterable<CastPart>, whenDamaged: (error: SallyportError) => void): AsyncGenerator<CastPart> {
  for await (const part of parts) {
    if (part.kind === 'damage') whenDamaged(part.error);
    yield part;
  }
}

async function* inPieces(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let text = '';
  for await (const line of lines) {
    text += line;
    if (text.length < WRITE_AT) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** A recording may hold anything that was on a screen: the file is for its owner alone. */
async function writeFile(path: string, pieces: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), createWriteStream(path, { mode: 0o600 }));
  } catch (thrown) {
    if (thrown instanceof SallyportError) throw thrown;
    throw new SallyportError('USAGE', `Cannot write ${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
      cause: thrown,
    });
  }
}
