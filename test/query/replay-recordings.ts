import { ChannelIndexer } from '../../gateway/indexing/channel-indexer.ts';
import type { Database } from '../../gateway/store/database.ts';

/** Makes the sidecars of a channel, here and now. */
export async function makeSidecars(database: Database, session: string, channel = 0): Promise<void> {
  const indexer = new ChannelIndexer({
    say: () => undefined,
    alive: () => undefined,
    earlier: () => Promise.resolve([]),
    stored: () => Promise.resolve(),
  });
  const segments = await database.segments.ofChannel(session, channel);
  await indexer.index(1, { dataDirectory: database.directory, session, channel, segments, stored: [], last: true });
}
