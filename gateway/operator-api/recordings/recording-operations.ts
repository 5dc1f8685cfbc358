import type { OperationInput, OperationOutput } from '../../../contract/operator-api.ts';
import { readChannelText } from '../../query/channel-text.ts';
import { loginRequired } from '../authorise.ts';
import type { Asking, Performers } from '../operations.ts';
import { Pace } from '../pace.ts';
import { Turnstile } from '../turnstile.ts';
import { recordView } from '../view-operations.ts';
import { findRecording } from './find-recording.ts';
import { readOutline } from './read-outline.ts';
import type { RecordingParts } from './recording-parts.ts';
import type { Viewing } from './viewing-grants.ts';

/** Answered at once. What they read is parsed and told on the event loop, which sessions are relayed on. */
const AT_ONCE = 2;

/** Each is a record. Somebody who looks through a session opens dozens. */
const OPENED = { burst: 600, perMinute: 120 };

type RecordingOperation = 'recording.open' | 'recording.outline' | 'recording.text';

export function recordingOperations(parts: RecordingParts): Pick<Performers, RecordingOperation> {
  const { grants } = parts;
  const turnstile = new Turnstile(AT_ONCE);
  const pace = new Pace(OPENED);
  return {
    // Whoever looks at a recording is on record before they see the first of it.
    'recording.open': async ({ session, channel }, asking) => {
      await findRecording(await parts.reading(), session, channel);
      pace.take(asking.actor.principal, 'openings of recordings');
      await recordView({ session, channel, how: 'play' }, asking, parts);
      grants.give(viewingOf(asking, session, channel));
      return turnstile.pass(() => readOutline(parts, session, channel, 0), asking.actor.principal);
    },
    'recording.outline': async ({ session, channel, after }, asking) => {
      await findRecording(await parts.reading(), session, channel);
      grants.require(viewingOf(asking, session, channel));
      return turnstile.pass(() => readOutline(parts, session, channel, after), asking.actor.principal);
    },
    'recording.text': async (input, asking) => {
      const { opened } = await findRecording(await parts.reading(), input.session, input.channel);
      grants.require(viewingOf(asking, input.session, input.channel));
      return turnstile.pass(() => readText(parts, input, opened), asking.actor.principal);
    },
  };
}

async function readText(
  { reading, screenText, sidecars }: RecordingParts,
  { session, channel, from, to, cursor, limit }: OperationInput<'recording.text'>,
  opened: string,
): Promise<OperationOutput<'recording.text'>> {
  const stored = new Map((await screenText.stored(session, channel)).map(({ segment, sha256 }) => [segment, sha256]));
  const segments = await (await reading()).segments.ofChannel(session, channel);
  const complete = segments.every(({ segment, sha256 }) => stored.get(segment) === sha256);
  if (!complete) sidecars.want(session, channel);
  const found = await readChannelText(await screenText.reader(), { session, channel, opened, from, to, after: cursor, limit });
  return { ...found, complete };
}

function viewingOf({ operator }: Asking, session: string, channel: number): Viewing {
  if (operator === undefined) throw loginRequired();
  return { token: operator.token, session, channel };
}
