import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditRecord } from '../../../contract/record.ts';
import type { RecordRow } from '../../store/records-table.ts';
import { Stretches } from './stretches.ts';

/** What people have said about a session, and what of it they were shown. */
export interface SessionReview {
  readonly notes: readonly AuditRecord<'review.noted'>[];
  readonly signOffs: readonly AuditRecord<'session.reviewed'>[];
  /** By operator and channel, as far as the recordings go. */
  readonly watched: ReadonlyMap<string, ReadonlyMap<number, Stretches>>;
}

interface Recorded {
  records: { aboutSession(session: string, types: readonly AboutType[], after: number, limit: number): Promise<RecordRow[]> };
}

type AboutType = 'access.viewed' | 'review.noted' | 'session.reviewed';

const WORDS: readonly AboutType[] = ['review.noted', 'session.reviewed'];
const VIEWS: readonly AboutType[] = ['access.viewed'];

/** Read of one session: no more notes and sign-offs are taken than this, and what is watched beyond it does not count. */
export const MOST_WORDS = 1000;
const MOST_VIEWS = 20_000;
/** Of one operator: what is told of them is looked at and written in one go. */
const MOST_STRETCHES = 500;
/** A few milliseconds of parsing. */
const PAGE = 200;

/** `durations`: of each channel, nanoseconds that there are of it. */
export async function readSessionReview(
  database: Recorded,
  session: string,
  durations: ReadonlyMap<number, number>,
): Promise<SessionReview> {
  const notes: AuditRecord<'review.noted'>[] = [];
  const signOffs: AuditRecord<'session.reviewed'>[] = [];
  for await (const record of readAbout(database, session, WORDS, MOST_WORDS)) {
    if (record.type === 'review.noted') notes.push(record);
    if (record.type === 'session.reviewed') signOffs.push(record);
  }
  const watched = new Watched(durations);
  for await (const record of readAbout(database, session, VIEWS, MOST_VIEWS)) watched.take(record);
  return { notes, signOffs, watched: watched.byOperator };
}

/** Which parts of a session's channels who was shown, by the records of it. */
export class Watched {
  readonly byOperator = new Map<string, Map<number, Stretches>>();
  readonly #durations: ReadonlyMap<number, number>;
  readonly #whose: (record: AuditRecord) => string;

  constructor(durations: ReadonlyMap<number, number>, whose: (record: AuditRecord) => string = ({ actor }) => actor.principal) {
    this.#whose = whose;
    this.#durations = durations;
  }

  /** Only what says which part was shown counts, and only what was shown as a screen. */
  take(record: AuditRecord): void {
    if (record.type !== 'access.viewed') return;
    const { how, channel, from, to } = record.body;
    if (how !== 'play' && how !== 'watch') return;
    if (channel === undefined || from === undefined || to === undefined) return;
    const end = Math.min(to, this.#durations.get(channel) ?? 0);
    if (from >= end) return;
    const whose = this.#whose(record);
    const own = this.byOperator.get(whose) ?? new Map<number, Stretches>();
    this.byOperator.set(whose, own);
    const stretches = own.get(channel) ?? new Stretches(MOST_STRETCHES);
    own.set(channel, stretches);
    let held = 0;
    for (const { all } of own.values()) held += all.length;
    stretches.add(from, end, held < MOST_STRETCHES);
  }
}

export function watchedNanos(channels: ReadonlyMap<number, Stretches> | undefined): number {
  let nanos = 0;
  for (const stretches of channels?.values() ?? []) nanos += stretches.nanos;
  return nanos;
}

async function* readAbout(database: Recorded, session: string, types: readonly AboutType[], most: number): AsyncGenerator<AuditRecord> {
  let after = 0;
  for (let read = 0; read < most; ) {
    const page: RecordRow[] = await database.records.aboutSession(session, types, after, Math.min(PAGE, most - read));
    for (const { seq, bytes } of page) {
      after = seq;
      read += 1;
      if (bytes !== null) yield JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')) as AuditRecord;
    }
    if (page.length < PAGE) return;
    await nextTurn();
  }
}
