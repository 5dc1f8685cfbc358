import type { Log } from '../base/log.ts';
import type { Records } from '../ledger/records.ts';
import { LiveWatch } from '../operator-api/watch/live-watch.ts';
import { LiveCasts } from '../query/live-cast/live-casts.ts';
import { Screens } from '../query/screen/screens.ts';
import type { Recorder } from '../recording/recorder.ts';
import { LiveFeed } from '../relay/live-feed.ts';
import type { LiveSessions } from '../session/live-sessions.ts';
import type { Database } from '../store/database.ts';

export interface LiveWatchSurroundings {
  readonly recorder: Recorder;
  readonly database: Database;
  readonly dataDirectory: string;
  readonly live: LiveSessions;
  readonly records: Records;
  readonly log: Log;
}

/** Everything that showing running sessions takes. */
export function openLiveWatch({ recorder, database, dataDirectory, live, records, log }: LiveWatchSurroundings): {
  watch: LiveWatch;
  casts: LiveCasts;
  close: () => Promise<void>;
} {
  const feed = new LiveFeed(recorder, (error) => log.error({ err: error }, 'a watched session could not be shown'));
  const segments = (session: string, channel: number) => database.segments.ofChannel(session, channel);
  const screens = new Screens({ dataDirectory, segments, log });
  const rawSpent = (session: string, channel: number) =>
    recorder.recordingsOf(session).find(({ description }) => description.channel === channel)?.rawSpent;
  const casts = new LiveCasts({ dataDirectory, segments, rawSpent, log });
  const find = (id: string) => {
    const session = live.find(id);
    if (session === undefined) return undefined;
    const { actor, resource } = session;
    const { paused, stepping } = session.state;
    return { actor, resource, paused, stepping };
  };
  const isRecorded = async (session: string, channel: number) => (await database.channels.one(session, channel)) !== undefined;
  const watch = new LiveWatch({ feed, screens, casts, records, isRecorded, find, log });
  return {
    watch,
    casts,
    close: async () => {
      watch.close();
      await Promise.all([screens.close(), casts.close()]);
    },
  };
}
