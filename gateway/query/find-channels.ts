import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { Database } from '../store/database.ts';
import { isJournaled, journaledChannels } from './cast-source.ts';
import { findSession } from './find-session.ts';

/** The channels of a session: those on record, and those of which so far there is only a journal. */
export async function findChannels(database: Database, session: SessionRow): Promise<ChannelRow[]> {
  if (session.state === 'erased') return [];
  const journaled = await journaledChannels(database.directory, session.id);
  const recorded = await database.channels.ofSession(session.id);
  const known = new Set(recorded.map((row) => row.channel));
  const others = journaled.filter((channel) => !known.has(channel)).map((channel) => unrecorded(session, channel));
  return [...recorded, ...others].sort((a, b) => a.channel - b.channel);
}

/** One of them: a session may have very many. */
export async function findChannelNumbered(database: Database, session: SessionRow, channel: number): Promise<ChannelRow | undefined> {
  if (session.state === 'erased') return undefined;
  const journaled = await isJournaled(database.directory, session.id, channel);
  return (await database.channels.one(session.id, channel)) ?? (journaled ? unrecorded(session, channel) : undefined);
}

function unrecorded({ id, started }: SessionRow, channel: number): ChannelRow {
  return {
    session: id,
    channel,
    kind: 'session',
    detail: {},
    opened: started,
    closed: null,
    exit: null,
    bytes: { i: 0, o: 0, e: 0 },
    reason: null,
  };
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
