import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import type { SallyportError } from '../base/errors.ts';
import { findChannel, findChannels } from '../query/find-channels.ts';
import { findSession } from '../query/find-session.ts';
import { transcript as linesOf } from '../query/transcript.ts';
import { transcriptRecords } from '../query/transcript-records.ts';
import type { Database } from '../store/database.ts';
import type { DataOptions } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { withViewedData } from './record-viewing.ts';
import { reportError } from './report.ts';

/** Enough to make few writes of many short lines. */
const WRITE_AT = 64 * 1024;

export interface TranscriptOptions extends DataOptions {
  json?: boolean;
}

/** Exit code 1 when a part of the recording is damaged: the text then says where. */
export async function transcript(name: string, options: TranscriptOptions): Promise<number> {
  return withViewedData(options, meant, async (database, [session, channels]) => {
    let code = 0;
    let text = '';
    const whenDamaged = (error: SallyportError) => {
      code = reportError(error, options.json === true);
    };
    const pieces =
      options.json === true
        ? inLines(transcriptRecords(database, session, channels, whenDamaged))
        : linesOf(database, session, channels, whenDamaged);
    for await (const piece of pieces) {
      text += piece;
      if (text.length < WRITE_AT) continue;
      await print(text);
      text = '';
    }
    await print(text);
    return code;
  });

  async function meant(database: Database) {
    if (name.includes('/')) {
      const { session, channel } = await findChannel(database, name);
      return { found: of(session, [channel]), viewing: { session: session.id, how: 'transcript' as const, channel: channel.channel } };
    }
    const session = await findSession(database, name);
    const found = of(session, await findChannels(database, session));
    return { found, viewing: { session: session.id, how: 'transcript' as const } };
  }
}

async function* inLines(records: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  for await (const batch of records) yield batch.map(jsonLine).join('');
}

function of(session: SessionRow, channels: ChannelRow[]) {
  return [session, channels] as const;
}
