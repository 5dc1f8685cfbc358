import { findRecording } from '../recordings/find-recording.ts';
import type { RecordingParts } from '../recordings/recording-parts.ts';

/** How long the recording of a channel is by now: nanoseconds. Throws SESSION_NOT_FOUND or CHANNEL_NOT_FOUND. */
export async function recordedLength(
  { reading, running }: Pick<RecordingParts, 'reading' | 'running'>,
  session: string,
  channel: number,
): Promise<number> {
  const database = await reading();
  await findRecording(database, session, channel);
  // Asked before what is sealed, so that a channel that ends meanwhile is found sealed.
  const now = running(session, channel)?.now ?? 0;
  return Math.max(now, await database.segments.sealedTo(session, channel));
}
