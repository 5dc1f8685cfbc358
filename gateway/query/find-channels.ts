import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { Database } from '../store/database.ts';
import { journaledChannels } from './cast-source.ts';
import { findSession } from './find-session.ts';

/** The channels of a session: those on record, and those of which so far there is only a journal. */
export async function findChannels(database: Database, session: SessionRow): Promise<ChannelRow[]> {
  if (session.state === 'erased') return [];
  const journaled = await journaledChannels(database.directory, session.id);
  const recorded = await database.channels.ofSession(session.id);
  const known = new Set(recorded.map((row) => row.channel));
  const unrecorded = journaled
    .filter((channel) => !known.has(channel))
    .map(
      (channel): ChannelRow => ({
        session: session.id,
        channel,
        kind: 'session',
        detail: {},
        opened: session.started,
        closed: null,
        exit: null,
        bytes: { i: 0, o: 0, e: 0 },
        reason: null,
      }),
    );
  return [...recorded, ...unrecorded].sort((a, b) => a.channel - b.channel);
}

/**
 * Finds what `SESSION` or `SESSION/CHANNEL` names. Without a channel, `channel` is the first one and `others` are those
 * that were not asked for. Throws SESSION_NOT_FOUND, SESSION_AMBIGUOUS or CHANNEL_NOT_FOUND.
 */
export async function findChannel(
  database: Database,
  name: string,
): Promise<{ session: SessionRow; channel: ChannelRow; others: ChannelRow[] }> {
  const [sessionName = '', channelName] = name.split('/', 2);
  const session = await findSession(database, sessionName);
  const channels = await findChannels(database, session);
  const wanted = channelName === undefined ? channels[0] : channels.find((row) => String(row.channel) === channelName);
  if (wanted === undefined) {
    const which =
      channelName === undefined ? `Session ${session.id} has no channel` : `Session ${session.id} has no channel ${printable(channelName)}`;
    const remedy =
      session.state === 'erased'
        ? 'the session is erased; sallyport show says when, why and by whom'
        : channels.length === 0
          ? 'nothing was opened in it, so there is no recording'
          : `it has: ${channels.map((row) => `${row.channel} (${printable(row.kind)})`).join(', ')}`;
    throw new SallyportError('CHANNEL_NOT_FOUND', which, { remedy });
  }
  return { session, channel: wanted, others: channelName === undefined ? channels.filter((row) => row !== wanted) : [] };
}
