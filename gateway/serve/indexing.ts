import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import { Indexer } from '../indexing/indexer.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { MadeOfRecordings } from '../retention/retention.ts';
import type { Database } from '../store/database.ts';
import { ScreenTextFile } from '../store/screen-text.ts';
import { SCREEN_TEXT_FILE } from '../store/screen-text-schema.ts';

export interface IndexingSurroundings {
  readonly dataDirectory: string;
  readonly database: Database;
  readonly log: Log;
  /** Missing where nothing is recorded: in a command that works on the data directory by itself. */
  readonly recorder?: Pick<Recorder, 'onRecorded' | 'space'>;
}

export interface Indexing {
  readonly indexer: Indexer;
  readonly made: MadeOfRecordings;
  /** Opened when it is needed first. Rejects while it cannot be: nothing else depends on it. */
  text(): Promise<ScreenTextFile>;
  close(): Promise<void>;
}

/** What makes recordings quick to replay and to search. It does nothing until it is told of a segment, or to begin. */
export function openIndexing({ dataDirectory, database, log, recorder }: IndexingSurroundings): Indexing {
  let opened: Promise<ScreenTextFile> | undefined;
  const text = (): Promise<ScreenTextFile> => {
    opened ??= ScreenTextFile.open(database, { onLoss: () => indexer.begin() }).catch((thrown: unknown) => {
      opened = undefined;
      throw thrown;
    });
    return opened;
  };
  const { segments, channels } = database;
  const indexer: Indexer = new Indexer({
    dataDirectory,
    text: {
      put: async (...stored) => (await text()).put(...stored),
      stored: async (...asked) => (await text()).stored(...asked),
      forget: async (sessions) => (await text()).forget(sessions),
    },
    log,
    segments: {
      from: (...asked) => segments.from(...asked),
      channels: (...asked) => segments.channels(...asked),
      isClosed: async (session, channel) => (await channels.one(session, channel))?.closed !== null,
    },
    hasSpace: () => recorder === undefined || recorder.space === 'ample',
  });
  recorder?.onRecorded((segment) => indexer.sealed(segment));
  return {
    indexer,
    made: {
      forget: (session) => indexer.forget(session),
      settle: async (sessions) => {
        if (opened !== undefined || (await hasScreenText(dataDirectory))) await (await text()).forget(sessions);
      },
    },
    text,
    close: async () => {
      await indexer.close();
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}

/** Nothing has to be taken out of a file that was never made. */
function hasScreenText(dataDirectory: string): Promise<boolean> {
  return access(join(dataDirectory, SCREEN_TEXT_FILE)).then(
    () => true,
    () => false,
  );
}
