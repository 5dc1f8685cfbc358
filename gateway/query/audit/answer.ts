import { type RecordType, recordBodies } from '../../../contract/record.ts';
import type { Database } from '../../store/database.ts';
import type { SeqRange } from '../../store/period-index.ts';
import type { RecordRow } from '../../store/records-table.ts';
import { type AuditedCheckpoint, openLedgerHead } from './audited-checkpoint.ts';
import { type AuditedRecord, Faults, RecordCheck } from './audited-record.ts';
import { ErasureCheck } from './erasure-check.ts';
import { isAside } from './followed-sessions.ts';
import { faultRow } from './log-health-question.ts';
import { type Answering, type Asked, isInPeriod, type Question, type Row, type Seen } from './question.ts';
import { rangeOfPeriod, readRange, readSession } from './read-period.ts';

const PAGE = 500;
/** Sessions that are remembered as over, so that what is recorded of one afterwards does not look like a new one. */
const MOST_ENDED = 10_000;
/** Records about one session that are read at its end. */
const MOST_ASIDES = 20_000;

/** What an answer rests on, once all of it has been given. */
export interface Basis {
  rows: number;
  range: SeqRange;
  newest: number;
  records: number;
  inPeriod: number;
  outside: number;
  carriedIn: number;
  erased: number;
  mayHaveMatched: number;
  remarks: readonly string[];
  uncovered: number;
  unknownTypes: Record<string, number>;
  checkpoint: AuditedCheckpoint | undefined;
  faults: Faults;
}

/**
 * Answers a question from the records: gives its rows as they become known, and returns what they rest on. Every record
 * of the period is read and checked; of sessions that reach over its edges also those outside. Memory does not grow
 * with the number of records. `thorough`: reads the whole ledger, and relies on no index.
 */
export async function* answerQuestion(database: Database, question: Question, asked: Asked, thorough: boolean): AsyncGenerator<Row, Basis> {
  const reading = await Reading.open(database, question, asked, thorough);
  for await (const row of reading.rows()) {
    reading.basis.rows += 1;
    yield row;
  }
  return reading.basis;
}

class Reading {
  readonly basis: Basis;
  readonly #database: Database;
  readonly #question: Question;
  readonly #asked: Asked;
  readonly #answering: Answering;
  readonly #check: RecordCheck;
  readonly #erasures: ErasureCheck;
  readonly #open = new Set<string>();
  readonly #openErased = new Set<string>();
  readonly #ended = new Set<string>();

  private constructor(database: Database, question: Question, asked: Asked, check: RecordCheck, basis: Basis) {
    this.#database = database;
    this.#question = question;
    this.#asked = asked;
    this.#answering = question.answer({ ...asked, origin: basis.checkpoint?.origin });
    this.#check = check;
    this.#erasures = new ErasureCheck(database, check, basis.newest);
    this.basis = basis;
  }

  static async open(database: Database, question: Question, asked: Asked, thorough: boolean): Promise<Reading> {
    const faults = new Faults();
    const { newest, checkpoint, tiles } = await openLedgerHead(database, faults);
    const check = new RecordCheck(tiles, faults);
    const range = thorough ? { first: 1, last: newest } : await rangeOfPeriod(database, asked.period, newest, check);
    return new Reading(database, question, asked, check, {
      rows: 0,
      range,
      newest,
      records: 0,
      inPeriod: 0,
      outside: 0,
      carriedIn: 0,
      erased: 0,
      mayHaveMatched: 0,
      remarks: [],
      uncovered: Math.max(0, range.last - Math.max(range.first - 1, checkpoint?.size ?? 0)),
      unknownTypes: {},
      checkpoint,
      faults,
    });
  }

  async *rows(): AsyncGenerator<Row> {
    const { basis } = this;
    const { range, newest } = basis;
    if (this.#question.followsSessions) yield* this.#carriedIn();
    yield* this.#contextAll(range.first);
    yield* this.#context(range.first);
    for await (const record of readRange(this.#database, range, this.#check)) {
      basis.records += 1;
      if (isInPeriod(record.time, this.#asked.period)) basis.inPeriod += 1;
      if (record.record === undefined) await this.#erasures.note(record.index, record.session);
      else if (!Object.hasOwn(recordBodies, record.type)) basis.unknownTypes[record.type] = (basis.unknownTypes[record.type] ?? 0) + 1;
      if (this.#question.followsSessions && record.session !== null) yield* this.#unannounced(record, record.session);
      yield* this.#takeWhole(record, 'in');
    }
    for (const session of [...this.#open]) {
      for await (const record of readSession(this.#database, session, { first: range.last + 1, last: newest }, this.#check)) {
        basis.outside += 1;
        yield* this.#takeWhole(record, 'after');
      }
    }
    yield* this.#answering.finish();
    await this.#erasures.settle();
    basis.erased = this.#erasures.records;
    basis.mayHaveMatched = this.#answering.unmatchedErased ?? 0;
    basis.remarks = this.#answering.remarks ?? [];
    if (this.#question.name === 'log-health') for (const words of basis.faults.named) yield faultRow(words);
  }

  /** Sessions that had begun and were not over, with everything that was recorded of them before the range. */
  async *#carriedIn(): AsyncGenerator<Row> {
    const { first } = this.basis.range;
    const { from } = this.#asked.period;
    if (first === 1) return;
    let after = 0;
    for (;;) {
      const page = await this.#database.period.sessionsInto(first, from ?? '', after, PAGE);
      for (const { seq, id } of page) {
        after = seq;
        yield* this.#context(seq);
        yield* this.#replay(id);
      }
      if (page.length < PAGE) return;
    }
  }

  async *#replay(session: string): AsyncGenerator<Row> {
    for await (const record of readSession(this.#database, session, { first: 1, last: this.basis.range.first - 1 }, this.#check)) {
      this.basis.outside += 1;
      yield* this.#takeWhole(record, 'before');
    }
    if (this.#open.has(session)) this.basis.carriedIn += 1;
  }

  /** A session that is met in the period without having been announced: the index that names such sessions has left it out. */
  async *#unannounced(record: AuditedRecord, session: string): AsyncGenerator<Row> {
    if (record.type === 'session.open' || (isAside(record.type) && record.type !== 'review.signed')) return;
    if (this.#open.has(session) || this.#ended.has(session)) return;
    yield* this.#replay(session);
    if (!this.#open.has(session)) this.#end(session);
    else if (!(await this.#endedEarlier(record, session)))
      this.#check.faults.add(`Session ${session} began before the period, and the database's list of sessions does not say so`);
  }

  /** Whether the list is right all the same: the clock was set back, and the session's end is dated before the period. */
  async #endedEarlier({ index }: AuditedRecord, session: string): Promise<boolean> {
    const [listed] = await this.#database.sessions.byPrefix(session, 1);
    if (listed?.id !== session || listed.ended === null) return false;
    for await (const { type, time } of readSession(this.#database, session, { first: index + 2, last: this.basis.newest }, this.#check))
      if (type === 'session.close') return time === listed.ended;
    return false;
  }

  async *#context(before: number): AsyncGenerator<Row> {
    if (this.#question.context.length === 0) return;
    for (const row of await this.#database.period.latest(this.#question.context, before)) {
      const parts = row.type === 'policy.changed' ? await this.#partsBefore(row) : [];
      for (const each of [...parts, row]) {
        this.basis.outside += 1;
        yield* this.#take(await this.#check.read(each), 'before');
      }
    }
  }

  /** A policy that is too long for one record stands in several, next to each other. */
  async #partsBefore({ seq, bytes }: RecordRow): Promise<RecordRow[]> {
    const part = bytes === null ? undefined : /"part":(\d{1,4})[,}]/.exec(Buffer.from(bytes).toString('utf8'))?.[1];
    const before = Number(part ?? 1) - 1;
    if (before <= 0) return [];
    const rows = await this.#database.records.after(seq - before - 1, before);
    return rows.filter((row) => row.seq < seq && row.type === 'policy.changed');
  }

  async *#contextAll(before: number): AsyncGenerator<Row> {
    for (const type of this.#question.contextAll ?? []) {
      for (let after = 0; ; ) {
        const page = (await this.#database.period.ofType(type, after, PAGE)).filter(({ seq }) => seq < before);
        for (const row of page) {
          after = row.seq;
          this.basis.outside += 1;
          yield* this.#take(await this.#check.read(row), 'before');
        }
        if (page.length < PAGE) break;
      }
    }
  }

  /** With what is said of a session before the record that ends it, where the question asks for that. */
  async *#takeWhole(record: AuditedRecord, phase: 'before' | 'in' | 'after'): AsyncGenerator<Row> {
    const { asides } = this.#question;
    if (asides !== undefined && record.session !== null && endsSession(record)) yield* this.#asides(record.session, asides);
    yield* this.#take(record, phase);
  }

  /** Type by type: however much was looked at, it takes no room from what was said. */
  async *#asides(session: string, types: readonly RecordType[]): AsyncGenerator<Row> {
    const { records } = this.#database;
    for (const type of types)
      yield* this.#asidesIn((after) =>
        // That somebody looked without saying at which part may be recorded as often as they like.
        type === 'access.viewed' ? records.shownOfSession(session, after, PAGE) : records.aboutSession(session, [type], after, PAGE),
      );
  }

  async *#asidesIn(next: (after: number) => Promise<RecordRow[]>): AsyncGenerator<Row> {
    let after = 0;
    for (let read = 0; read < MOST_ASIDES; read += PAGE) {
      const page = await next(after);
      for (const row of page) {
        after = row.seq;
        if (row.seq > this.basis.newest) return;
        this.basis.outside += 1;
        yield* this.#take(await this.#check.read(row), 'aside');
      }
      if (page.length < PAGE) return;
    }
  }

  *#take(record: AuditedRecord, phase: Seen['phase']): Generator<Row> {
    if (phase !== 'aside') this.#follow(record);
    try {
      yield* this.#answering.take({ ...record, phase, inPeriod: isInPeriod(record.time, this.#asked.period) });
    } catch (thrown) {
      // A gateway writes no record that lacks what its type has; whoever else did must not silence the answer with it.
      if (!(thrown instanceof TypeError)) throw thrown;
      this.#check.faults.add(`Record ${record.index} cannot be understood: it does not have what a record of type ${record.type} has`);
    }
  }

  /** Which sessions are open. One whose opening is erased is followed up to the record of its erasure. */
  #follow({ type, session, record }: AuditedRecord): void {
    if (session === null || !this.#question.followsSessions) return;
    if (type === 'session.open') {
      this.#open.add(session);
      if (record === undefined) this.#openErased.add(session);
    } else if (((type === 'session.close' || type === 'session.recovered') && !this.#openErased.has(session)) || isErasure(record)) {
      this.#end(session);
    }
  }

  #end(session: string): void {
    this.#open.delete(session);
    this.#openErased.delete(session);
    this.#ended.add(session);
    if (this.#ended.size <= MOST_ENDED) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      break;
    }
  }
}

function endsSession({ type, record }: AuditedRecord): boolean {
  return type === 'session.close' || type === 'session.recovered' || isErasure(record);
}

function isErasure(record: AuditedRecord['record']): boolean {
  return record?.type === 'erased' && record.body.remains !== undefined;
}
