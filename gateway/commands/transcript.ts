import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import { findChannel, findChannels } from '../query/find-channels.ts';
import { findSession } from '../query/find-session.ts';
import { transcript as linesOf } from '../query/transcript.ts';
import type { Database } from '../store/database.ts';
import type { DataOptions } from './open-data.ts';
import { print } from './output.ts';
import { withViewedData } from './record-viewing.ts';
import { reportError } from './report.ts';

/** Enough to make few writes of many short lines. */
const WRITE_AT = 64 * 1024;

/** Exit code 1 when a part of the recording is damaged: the text then says where. */
export async function transcript(name: string, options: DataOptions): Promise<number> {
  return withViewedData(options, meant, async (database, [session, channels]) => {
    let code = 0;
    let text = '';
    for await (const line of linesOf(database, session, channels, (error) => {
      code = reportError(error, false);
    })) {
      text += line;
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

function of(session: SessionRow, channels: ChannelRow[]) {
  return [session, channels] as const;
}
