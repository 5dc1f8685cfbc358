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
  records: {
    aboutSession(session: string, types: readonly WordType[], after: number, limit: number): Promise<RecordRow[]>;
    shownOfSession(session: string, after: number, limit: number): Promise<RecordRow[]>;
  };
}

type WordType = 'review.noted' | 'session.reviewed';

const WORDS: readonly WordType[] = ['review.noted', 'session.reviewed'];

/** Read of one session: no more notes and sign-offs are taken than this. */
export const MOST_WORDS = 1000;
/** Read of one session: what is watched beyond it does not count. What one operator has more of takes no room from others. */
const MOST_VIEWS = 20_000;
const MOST_VIEWS_OF_ONE = 2000;
/** Also of those that do not count: reading them takes its time. */
const MOST_ROWS = 100_000;
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
  const words = (after: number, limit: number) => database.records.aboutSession(session, WORDS, after, limit);
  for await (const record of readPages(words, MOST_WORDS)) {
    if (record.type === 'review.noted') notes.push(record);
    if (record.type === 'session.reviewed') signOffs.push(record);
  }
  const watched = new Watched(durations);
  const views = (after: number, limit: number) => database.records.shownOfSession(session, after, limit);
  const room = new Room({ together: MOST_VIEWS, each: MOST_VIEWS_OF_ONE });
  for await (const record of readPages(views, MOST_ROWS)) {
    if (room.take(record.actor.principal)) watched.take(record);
    if (room.isFull) break;
  }
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

/** How many records count: of all of them, and of each operator. */
class Room {
  readonly #limits: { readonly together: number; readonly each: number };
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(limits: { readonly together: number; readonly each: number }) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#all >= this.#limits.together;
  }

  /** Whether one more of this operator counts. */
  take(operator: string): boolean {
    const own = this.#taken.get(operator) ?? 0;
    if (this.isFull || own >= this.#limits.each) return false;
    this.#taken.set(operator, own + 1);
    this.#all += 1;
    return true;
  }
}

async function* readPages(next: (after: number, limit: number) => Promise<RecordRow[]>, most: number): AsyncGenerator<AuditRecord> {
  let after = 0;
  for (let read = 0; read < most; ) {
    const page: RecordRow[] = await next(after, Math.min(PAGE, most - read));
    for (const { seq, bytes } of page) {
      after = seq;
      read += 1;
      if (bytes !== null) yield JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')) as AuditRecord;
    }
    if (page.length < PAGE) return;
    await nextTurn();
  }
}
