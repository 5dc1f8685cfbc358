import type { Log } from '../base/log.ts';
import type { Evidence } from '../evidence.ts';
import { readBlob, readKeyframe, readPart } from '../indexing/sidecar-file.ts';
import type { RecordingParts } from '../operator-api/recordings/recording-parts.ts';
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
      keyframe: ({ session, channel, segment }, keyframe) => readKeyframe(dataDirectory, session, channel, segment, keyframe),
      blob: ({ session, channel, segment }, blob) => readBlob(dataDirectory, session, channel, segment, blob),
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
