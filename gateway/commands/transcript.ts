import { findChannel, findChannels } from '../query/find-channels.ts';
import { findSession } from '../query/find-session.ts';
import { transcript as linesOf } from '../query/transcript.ts';
import { type DataOptions, withData } from './open-data.ts';
import { print } from './output.ts';
import { reportError } from './report.ts';

/** Enough to make few writes of many short lines. */
const WRITE_AT = 64 * 1024;

/** Exit code 1 when a part of the recording is damaged: the text then says where. */
export async function transcript(name: string, options: DataOptions): Promise<number> {
  return withData(options, async (database) => {
    const [session, channels] = name.includes('/') ? await oneChannel() : await allChannels();
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

    async function oneChannel() {
      const found = await findChannel(database, name);
      return [found.session, [found.channel]] as const;
    }

    async function allChannels() {
      const found = await findSession(database, name);
      return [found, await findChannels(database, found)] as const;
    }
  });
}
