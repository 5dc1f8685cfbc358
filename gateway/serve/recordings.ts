import type { Log } from '../base/log.ts';
import type { Evidence } from '../evidence.ts';
import { discardSidecar, readBlob, readKeyframe, readPart } from '../indexing/sidecar-file.ts';
import type { RecordingParts, Sidecars } from '../operator-api/recordings/recording-parts.ts';
import { ViewingGrants } from '../operator-api/recordings/viewing-grants.ts';
import type { LiveCasts } from '../query/live-cast/live-casts.ts';
import { SegmentTexts } from '../query/segment-text.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Indexing } from './indexing.ts';

export interface RecordingSurroundings extends Pick<Evidence, 'database' | 'records'> {
  readonly dataDirectory: string;
  readonly recorder: Recorder;
  readonly casts: LiveCasts;
  readonly log: Log;
  readonly indexing: Pick<Indexing, 'indexer' | 'text'>;
}

/** What recordings are answered from over HTTPS. */
export function recordingsOf(surroundings: RecordingSurroundings, reading: RecordingParts['reading']): RecordingParts {
  const { dataDirectory, database, records, recorder, casts, indexing } = surroundings;
  /** One that is not what its part says is made again, with everything beside it. */
  const blobOf: Sidecars['blob'] = async ({ session, channel, segment }, blob) => {
    const read = await readBlob(dataDirectory, session, channel, segment, blob);
    if (read !== undefined) return read;
    await discardSidecar(dataDirectory, session, channel, segment);
    indexing.indexer.want(session, channel);
    return undefined;
  };
  return {
    reading,
    database,
    records,
    casts,
    screenText: {
      reader: async () => (await indexing.text()).reader(),
      stored: async (...asked) => (await indexing.text()).stored(...asked),
    },
    grants: new ViewingGrants(),
    texts: new SegmentTexts(dataDirectory),
    sidecars: {
      part: ({ session, channel, segment, sha256 }) => readPart(dataDirectory, session, channel, segment, sha256),
      keyframe: async (row, keyframe) => {
        const { session, channel, segment } = row;
        const read = await readKeyframe(dataDirectory, session, channel, segment, keyframe);
        if (read === undefined) await blobOf(row, keyframe);
        return read;
      },
      blob: blobOf,
      want: (session, channel) => indexing.indexer.want(session, channel),
    },
    running: (session, channel) => {
      const recording = recorder.recordingsOf(session).find(({ description }) => description.channel === channel);
      return recording === undefined
        ? undefined
        : { now: recording.now(), terminal: recording.terminal !== undefined, position: recording.position };
    },
  };
}
