import type { Log } from '../base/log.ts';
import type { Records } from '../ledger/records.ts';
import { LiveWatch } from '../operator-api/watch/live-watch.ts';
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
  close: () => Promise<void>;
} {
  const feed = new LiveFeed(recorder, (error) => log.error({ err: error }, 'a watched session could not be shown'));
  const screens = new Screens({ dataDirectory, segments: (session, channel) => database.segments.ofChannel(session, channel), log });
  const find = (id: string) => {
    const session = live.find(id);
    if (session === undefined) return undefined;
    const { actor, resource } = session;
    const { paused, stepping } = session.state;
    return { actor, resource, paused, stepping };
  };
  const watch = new LiveWatch({ feed, screens, records, find, log });
  return {
    watch,
    close: async () => {
      watch.close();
      await screens.close();
    },
  };
}
