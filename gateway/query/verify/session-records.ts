import type { AuditRecord, RecordBody, RecordType } from '../../../contract/record.ts';
import { ChannelSeals } from './channel-seals.ts';
import { ExpectedCounts, type SessionCounts } from './expected-counts.ts';
import { type ExpectedChannel, ExpectedRows, type ExpectedSession } from './expected-rows.ts';
import { fault, notice, type Report } from './finding.ts';

/** What the lists must say of a session, once nothing more can be said of it. */
export interface SessionOutcome {
  session: ExpectedSession;
  channels: ExpectedChannel[];
  /** Segments of all channels. */
  segments: number;
  /** By the records between its opening and its end; there may be others before and behind. */
  counts: SessionCounts;
}

/** A record of a session that is not being followed: it never opened, or it is over. */
export interface StrayRecord {
  index: number;
  type: string;
  session: string;
}

interface Channel {
  opened: boolean;
  closed: boolean;
  seals: ChannelSeals;
}

interface Followed {
  index: number;
  rows: ExpectedRows;
  counts: ExpectedCounts;
  channels: Map<number, Channel>;
  ended: boolean;
}

/** Records that only make sense while their session is open. What is said of a session later is not among them. */
const within: ReadonlySet<string> = new Set([
  'session.close',
  'session.recovered',
  'channel.open',
  'channel.close',
  'segment.sealed',
  'action.decided',
  'action.finished',
] satisfies RecordType[]);

/**
 * Follows every session through the ledger, from its opening to its end, and says what does not fit together. Holds the
 * sessions that are open at a point of the ledger, not those that are over.
 */
export class SessionRecords {
  readonly #report: Report;
  readonly #followed = new Map<string, Followed>();
  outcomes: SessionOutcome[] = [];
  strays: StrayRecord[] = [];
  sessions = 0;
  channels = 0;
  segments = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  take(index: number, record: AuditRecord): void {
    const { session, type } = record;
    if (type === 'session.open') {
      this.#open(index, record);
      return;
    }
    if (session !== undefined) this.#followed.get(session)?.counts.take(record);
    if (!within.has(type)) return;
    if (session === undefined) {
      this.#report(fault('malformed', { index }, `A record ${type} names no session`));
      return;
    }
    const followed = this.#followed.get(session);
    if (followed === undefined) {
      if (type === 'segment.sealed') this.segments += 1;
      this.strays.push({ index, type, session });
      return;
    }
    switch (type) {
      case 'channel.open':
        this.#openChannel(index, followed, record);
        break;
      case 'segment.sealed':
        this.segments += 1;
        followed.rows.seal(record);
        channelOf(followed, record.body.channel).seals.take(record.body, { index, session, ...placeOf(record.body) }, this.#report);
        break;
      case 'channel.close':
        this.#closeChannel(index, followed, record);
        break;
      case 'session.close':
        followed.rows.close(record);
        this.#closeSession(index, followed, record);
        break;
      case 'session.recovered':
        followed.rows.recover(record);
        this.#recover(index, followed, record);
        break;
      default:
        break;
    }
    this.#letGo(session, followed);
  }

  /** What is left is live, or was never closed. */
  finish(): void {
    for (const [session, followed] of this.#followed) {
      if (followed.ended) {
        for (const [channel, { opened, closed }] of followed.channels) {
          if (closed) continue;
          const what = opened
            ? 'was opened and never closed: its recording was not completed'
            : 'has a recording and no record that it was opened';
          this.#report(fault('unclosed', { session, channel }, `The session ended, but channel ${channel} ${what}`));
        }
      } else {
        const words = 'The session has an opening and no close: it is running, or its gateway was stopped without being started again';
        this.#report(notice('live', { index: followed.index, session }, words));
      }
      this.#outcome(followed);
    }
    this.#followed.clear();
  }

  #open(index: number, record: AuditRecord<'session.open'>): void {
    const { session } = record;
    if (session === undefined) {
      this.#report(fault('malformed', { index }, 'A record session.open names no session'));
      return;
    }
    this.sessions += 1;
    if (this.#followed.has(session)) {
      this.#report(fault('inconsistent', { index, session }, 'The session is opened a second time'));
      return;
    }
    const counts = new ExpectedCounts();
    counts.take(record);
    this.#followed.set(session, { index, rows: new ExpectedRows(index + 1, record), counts, channels: new Map(), ended: false });
  }

  #openChannel(index: number, followed: Followed, record: AuditRecord<'channel.open'>): void {
    const { session, body } = record;
    const channel = channelOf(followed, body.channel);
    if (channel.closed) {
      this.#report(
        fault(
          'inconsistent',
          { index, ...(session === undefined ? {} : { session }), channel: body.channel },
          'A channel is opened again after its close',
        ),
      );
      return;
    }
    if (!channel.opened) this.channels += 1;
    channel.opened = true;
    followed.rows.openChannel(record);
  }

  #closeChannel(index: number, followed: Followed, record: AuditRecord<'channel.close'>): void {
    const { session = '', body } = record;
    const channel = channelOf(followed, body.channel);
    const where = { index, session, channel: body.channel };
    if (!channel.opened) this.#report(fault('missing', where, 'A channel is closed, and no record says that it was opened'));
    else if (channel.closed) this.#report(fault('inconsistent', where, 'A channel is closed a second time'));
    followed.rows.closeChannel(record);
    channel.opened = true;
    channel.closed = true;
    if (body.segments !== channel.seals.count) {
      const words = `The close of channel ${body.channel} counts ${body.segments} segments, and ${channel.seals.count} are sealed by records`;
      this.#report(fault(body.segments > channel.seals.count ? 'missing' : 'added', where, words));
    }
  }

  #closeSession(index: number, followed: Followed, { session = '', body }: AuditRecord<'session.close'>): void {
    if (followed.ended) this.#report(fault('inconsistent', { index, session }, 'The session is closed a second time'));
    followed.ended = true;
    const opened = [...followed.channels.values()].filter((channel) => channel.opened).length;
    // A session that ended for a fault of the disk may have a channel whose opening could not be recorded any more.
    if (opened === body.channels || (opened < body.channels && body.code !== undefined)) return;
    const words = `The close of the session counts ${body.channels} channels, and records say that ${opened} were opened`;
    this.#report(fault(opened < body.channels ? 'missing' : 'added', { index, session }, words));
  }

  #recover(index: number, followed: Followed, { session = '', body }: AuditRecord<'session.recovered'>): void {
    followed.ended = true;
    const frames = body.channels.reduce((sum, { frames: count }) => sum + count, 0);
    const torn = body.channels.reduce((sum, { tornBytes }) => sum + tornBytes, 0);
    const words = `The gateway stopped while the session was running. At its next start ${frames} frames of the recording were read from the journal${lastFrames(body.channels)}; ${torn === 0 ? 'nothing was torn' : `${torn} bytes after the last good frame were torn`}`;
    this.#report(notice('recovered', { index, session }, words));
    for (const { channel, setAside } of body.channels) {
      const state = channelOf(followed, channel);
      // Recovery seals a channel whose opening was never recorded, and says here that there was one.
      state.opened = true;
      state.closed = true;
      if (setAside === undefined) continue;
      const kept = `A part of the recording of channel ${channel} could not be read to its end and is kept as ${setAside}`;
      this.#report(notice('set-aside', { index, session, channel, file: setAside }, kept));
    }
  }

  #letGo(session: string, followed: Followed): void {
    if (!followed.ended) return;
    for (const channel of followed.channels.values()) if (!channel.closed) return;
    this.#followed.delete(session);
    this.#outcome(followed);
  }

  #outcome({ rows, counts, channels }: Followed): void {
    const segments = [...channels.values()].reduce((sum, { seals }) => sum + seals.count, 0);
    this.outcomes.push({ session: rows.session, channels: [...rows.channels.values()], segments, counts: counts.counts });
  }
}

function channelOf(followed: Followed, number: number): Channel {
  let channel = followed.channels.get(number);
  if (channel === undefined) {
    channel = { opened: false, closed: false, seals: new ChannelSeals() };
    followed.channels.set(number, channel);
  }
  return channel;
}

function placeOf({ channel, segment, file }: RecordBody<'segment.sealed'>) {
  return { channel, segment, file };
}

function lastFrames(channels: RecordBody<'session.recovered'>['channels']): string {
  const [first] = channels;
  if (first === undefined) return '';
  if (channels.length === 1) return `, the last of them ${seconds(first.lastFrameAt)} after the channel opened`;
  const shown = channels.slice(0, 8).map(({ channel, lastFrameAt }) => `${seconds(lastFrameAt)} of channel ${channel}`);
  return `, the last of them at ${shown.join(', ')}${channels.length > shown.length ? ', …' : ''}`;
}

function seconds(nanos: number): string {
  return `${(nanos / 1e9).toFixed(3)} s`;
}
