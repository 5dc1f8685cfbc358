import type { BundleCompleteness } from '../../../contract/bundle-page.ts';
import type { Database } from '../../store/database.ts';
import type { SessionPlace } from '../../store/disclosure-table.ts';
import type { StoredSession } from '../../store/sessions-table.ts';
import { findSession } from '../find-session.ts';
import type { SessionQuestion } from '../find-sessions.ts';

/** What a bundle is to answer. Either the sessions are named, or they are those that meet the filter. */
export interface ExportQuestion {
  /** In words, for people. */
  words: string;
  /** As it was put, for programs. */
  parameters: Record<string, unknown>;
  sessions: readonly string[];
  filter: SessionQuestion;
  /** Sessions that answer the question and are kept back, by whoever exports. */
  leaveOut: readonly string[];
}

export interface SelectedSession {
  row: StoredSession;
  place: SessionPlace;
}

export interface Selection {
  /** In the order in which they began. */
  sessions: SelectedSession[];
  leftOut: BundleCompleteness['leftOut'];
  /** `seq` of the first and the last record that the question ranges over; nothing when `first` is behind `last`. */
  first: number;
  last: number;
  /**
   * Up to where records of no session are disclosed. What is said of a session long after its end, that somebody looked at
   * it or reviewed it, brings nothing with it that happened meanwhile.
   */
  lastOfNone: number;
}

const PAGE = 500;

/**
 * The sessions that answer the question, as of the first `size` records. Named sessions range from their first record to
 * their last; a filter without a period ranges over the whole ledger, and one with a period over that, and beyond it as
 * far as its sessions have records. Throws SESSION_NOT_FOUND or SESSION_AMBIGUOUS.
 */
export async function selectSessions(database: Database, question: ExportQuestion, size: number): Promise<Selection> {
  const keptBack = new Set<string>();
  for (const name of question.leaveOut) keptBack.add((await findSession(database, name)).id);
  const sessions: SelectedSession[] = [];
  const leftOut: BundleCompleteness['leftOut'] = [];
  const places: SessionPlace[] = [];
  for (const row of await candidates(database, question)) {
    const place = row.seq > size ? undefined : await database.disclosure.placeOf(row.id, size);
    if (place === undefined) continue; // It began after the checkpoint.
    places.push(place);
    if (keptBack.has(row.id)) leftOut.push({ session: row.id, reason: 'left out by whoever exported this bundle' });
    else sessions.push({ row, place });
    if (row.state === 'erased') leftOut.push({ session: row.id, reason: `erased: ${row.reason ?? 'no reason is on record'}` });
  }
  return { sessions, leftOut, ...(await rangeOf(database, question, places, size)) };
}

async function candidates(database: Database, question: ExportQuestion): Promise<StoredSession[]> {
  const rows: StoredSession[] = [];
  if (question.sessions.length > 0) {
    const found = new Map<string, StoredSession>();
    for (const name of question.sessions) {
      const row = await findSession(database, name);
      found.set(row.id, row);
    }
    rows.push(...found.values());
  } else {
    for (let before: number | undefined; ; ) {
      const page = await database.sessions.find({ ...question.filter, ...(before === undefined ? {} : { before }), limit: PAGE });
      rows.push(...page);
      before = page.at(-1)?.seq;
      if (page.length < PAGE) break;
    }
  }
  return rows.sort((a, b) => a.seq - b.seq);
}

async function rangeOf(
  database: Database,
  question: ExportQuestion,
  places: readonly SessionPlace[],
  size: number,
): Promise<Pick<Selection, 'first' | 'last' | 'lastOfNone'>> {
  const firstOfSessions = places.reduce((least, place) => Math.min(least, place.first), Number.POSITIVE_INFINITY);
  const lastOfSessions = places.reduce((most, place) => Math.max(most, place.last), 0);
  const over = places.reduce((most, place) => Math.max(most, place.over), 0);
  if (question.sessions.length > 0) return { first: firstOfSessions, last: lastOfSessions, lastOfNone: over };
  const { from, to } = question.filter;
  if (from === undefined && to === undefined) return { first: 1, last: size, lastOfNone: size };
  const period = await database.period.range(from && idAt(from), to && idAt(to), size);
  return {
    first: Math.min(firstOfSessions, period.first),
    last: Math.max(lastOfSessions, period.last),
    lastOfNone: Math.max(over, period.last),
  };
}

/** How the id of a record of this time begins: the milliseconds since 1970 of a UUIDv7 (RFC 9562, section 5.7). */
function idAt(time: string): string {
  const hex = Date.parse(time).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
