import type { AuditRecord, RecordType } from '../../../contract/record.ts';
import type { Period, Seen } from './question.ts';

/** Records about a session that are no part of it: they may come long after its end, and are no sign of life. */
export function isAside(type: string): boolean {
  return asideTypes.has(type) || type.startsWith('hold.') || type.startsWith('access.');
}

const asideTypes: ReadonlySet<string> = new Set(['erased', 'review.signed', 'review.noted', 'session.reviewed'] satisfies RecordType[]);

/** Of a connection these come before the session, and also where there never is one. */
function isApproval(type: string): boolean {
  return type === 'grant.used' || type.startsWith('approval.');
}

/** A session as far as its records have been read. */
export interface Followed {
  session: string;
  /** Index and time of its `session.open`. Time is the first that is known where that record was not read. */
  openIndex: number | null;
  started: string;
  /** Undefined when it is erased. */
  open: AuditRecord<'session.open'> | undefined;
  channels: number;
  end: SessionEnd | undefined;
}

export interface SessionEnd {
  kind: 'closed' | 'recovered' | 'erased';
  index: number;
  /** When it was over at the latest: the time of the record that says so. */
  atTheLatest: string;
  /** When something last happened in it, as far as the records tell. */
  ended: string;
  record: AuditRecord<'session.close'> | AuditRecord<'session.recovered'> | AuditRecord<'erased'> | undefined;
}

interface Following extends Followed {
  touched: boolean;
  lastSeen: string;
  /** Times at which channels opened that have not closed in order. */
  openChannels: Map<number, string>;
}

/**
 * Follows sessions through their records. Memory: those that are open at the same time. A session counts as access in a
 * period when it was open at any moment of it, whenever it began.
 */
export class FollowedSessions {
  readonly #period: Period;
  readonly #open = new Map<string, Following>();

  constructor(period: Period) {
    this.#period = period;
  }

  /** The session that a record is of, with its end once that is known; then it is not followed any more. */
  take(seen: Seen): { followed: Followed; over: boolean; inPeriod: boolean } | undefined {
    if (seen.session === null) return undefined;
    const known = this.#open.get(seen.session);
    if (isAside(seen.type) && seen.type !== 'erased') return undefined;
    // What an erasure says of a session that is not followed was told when its own records were read; what is asked for
    // before it begins may never become one.
    if (known === undefined && (seen.type === 'erased' || isApproval(seen.type))) return undefined;
    const following = known ?? this.#begin(seen.session, seen);
    this.#note(following, seen);
    const end = endOf(following, seen);
    if (end !== undefined) following.end = end;
    // Of an erased session the record of its erasure comes last, and says what remains known.
    const over = end !== undefined && (following.open !== undefined || end.kind === 'erased' || following.openIndex === null);
    if (over) this.#open.delete(seen.session);
    return { followed: following, over, inPeriod: over && this.#wasOpen(following) };
  }

  /** Those without an end, in the order in which they began. */
  *rest(): Generator<Followed> {
    const left = [...this.#open.values()];
    this.#open.clear();
    for (const following of left) if (this.#wasOpen(following)) yield following;
  }

  get(session: string): Followed | undefined {
    return this.#open.get(session);
  }

  #begin(session: string, seen: Seen): Following {
    const following: Following = {
      session,
      openIndex: null,
      started: seen.time,
      open: undefined,
      channels: 0,
      end: undefined,
      touched: false,
      lastSeen: seen.time,
      openChannels: new Map(),
    };
    this.#open.set(session, following);
    return following;
  }

  #note(following: Following, { type, record, index, time, inPeriod }: Seen): void {
    following.touched ||= inPeriod && type !== 'erased' && type !== 'session.recovered';
    if (type === 'session.open') {
      following.openIndex = index;
      following.started = time;
      following.open = record?.type === 'session.open' ? record : undefined;
    }
    if (record?.type === 'channel.open') {
      following.channels = Math.max(following.channels, record.body.channel + 1);
      following.openChannels.set(record.body.channel, time);
    }
    if (record?.type === 'channel.close' && record.body.reason !== 'recovered') following.openChannels.delete(record.body.channel);
    // What recovery appends is no sign of life.
    const afterwards = type === 'session.recovered' || type === 'segment.sealed' || type === 'erased' || isRecovered(record);
    if (!afterwards && time > following.lastSeen) following.lastSeen = time;
  }

  #wasOpen({ started, end, touched }: Following): boolean {
    const { from, to } = this.#period;
    if (touched) return true;
    return (to === undefined || started < to) && (from === undefined || end === undefined || end.atTheLatest >= from);
  }
}

function isRecovered(record: AuditRecord | undefined): boolean {
  return record?.type === 'channel.close' && record.body.reason === 'recovered';
}

function endOf(following: Following, { type, record, index, time }: Seen): SessionEnd | undefined {
  switch (type) {
    case 'session.close':
      return { kind: 'closed', index, atTheLatest: time, ended: time, record: record?.type === type ? record : undefined };
    case 'session.recovered':
      return {
        kind: 'recovered',
        index,
        atTheLatest: time,
        ended: record?.type === type ? lastMoment(following, record) : following.lastSeen,
        record: record?.type === type ? record : undefined,
      };
    case 'erased': {
      if (record?.type !== type || record.body.remains === undefined) return undefined;
      const { started, ended } = record.body.remains;
      following.started = started;
      return { kind: 'erased', index, atTheLatest: following.end?.atTheLatest ?? ended ?? started, ended: ended ?? started, record };
    }
    default:
      return undefined;
  }
}

/** When the last frame of any channel was recorded. Times of channels are nanoseconds since they opened. */
function lastMoment(following: Following, { body }: AuditRecord<'session.recovered'>): string {
  let last = following.lastSeen;
  for (const { channel, lastFrameAt } of body.channels) {
    const opened = following.openChannels.get(channel);
    if (opened === undefined) continue;
    const micros = Date.parse(`${opened.slice(0, 23)}Z`) * 1000 + Number(opened.slice(23, 26)) + Math.floor(lastFrameAt / 1000);
    const time = `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)}${String(micros % 1000).padStart(3, '0')}Z`;
    if (time > last) last = time;
  }
  return last;
}
