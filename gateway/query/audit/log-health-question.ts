import type { AuditRecord } from '../../../contract/record.ts';
import { type Answering, isInPeriod, type Period, type Question, type Row, type Seen } from './question.ts';

/** Seconds by which a session may seem longer than it was: what it takes to seal and record its end. */
const LATE_END_SECONDS = 30;
/** Wall clocks are corrected in small steps all the time. */
const STEP_SECONDS = 1;

export const logHealthQuestion: Question = {
  name: 'log-health',
  asks: 'Can the log be relied on: gaps, recoveries, low disk, holds, erasures, key changes, clocks?',
  columns: [
    { name: 'time', says: 'when (UTC); empty for what is missing' },
    { name: 'what', says: 'start, stop, crash, down, recovered, storage, hold, erased, retention, ledger, key, clock, fault' },
    { name: 'session', says: 'id of the session it is about' },
    { name: 'words', says: 'what happened' },
    { name: 'index', says: 'ledger index of the record', wide: true },
  ],
  filters: [],
  limits: [
    'What could not be written to the ledger at all is in the log of the gateway process and not here',
    'A clock set forward while no session ran looks like time in which nothing happened',
  ],
  missing: ['checkpoint.witnessed'],
  order: 'in the order of the ledger; faults come last',
  followsSessions: false,
  context: ['gateway.start', 'gateway.stop'],
  answer: ({ period }) => new LogHealthAnswer(period),
};

/** What is wrong with the records themselves, as a row of this answer. */
export function faultRow(words: string): Row {
  return { time: null, what: 'fault', session: null, words, index: null };
}

class LogHealthAnswer implements Answering {
  readonly #period: Period;
  #life: { running: boolean; time: string; index: number } | undefined;
  #previous: { time: string; index: number } | undefined;
  /** When the sessions began that are open: their ends tell how long they were by the other clock. */
  readonly #opened = new Map<string, string>();

  constructor(period: Period) {
    this.#period = period;
  }

  *take(seen: Seen): Generator<Row> {
    const rows = [...this.#clock(seen), ...this.#found(seen)];
    if (isInPeriod(seen.time, this.#period)) yield* rows;
  }

  finish(): Iterable<Row> {
    return [];
  }

  *#clock({ time, index, session, record, type, phase }: Seen): Generator<Row> {
    const previous = this.#previous;
    if (phase === 'in') this.#previous = { time, index };
    const row = (words: string): Row => ({ time, what: 'clock', session, words, index });
    if (phase === 'in' && previous !== undefined) {
      const back = secondsBetween(time, previous.time);
      if (back >= STEP_SECONDS)
        yield row(
          `the clock was set back by ${back.toFixed(1)} s or more: record ${previous.index}, before this one, has the time ${previous.time}`,
        );
    }
    if (session === null) return;
    if (type === 'session.open') this.#opened.set(session, time);
    if (type !== 'session.close' && type !== 'session.recovered') return;
    const opened = this.#opened.get(session);
    this.#opened.delete(session);
    if (opened === undefined || record?.type !== 'session.close') return;
    const ahead = secondsBetween(opened, time) - record.body.duration / 1000;
    if (ahead < -STEP_SECONDS) yield row(`the clock was set back by ${(-ahead).toFixed(1)} s while the session ran`);
    if (ahead > LATE_END_SECONDS)
      yield row(`the clock was set forward by about ${ahead.toFixed(1)} s while the session ran, or its end was recorded that much later`);
  }

  *#found({ record, index, time, session }: Seen): Generator<Row> {
    if (record === undefined) return;
    const row = (what: string, words: string): Row => ({ time, what, session, words, index });
    switch (record.type) {
      case 'gateway.start':
        yield* this.#started(row, time, index);
        yield row(
          'start',
          `version ${record.body.version} on ${record.body.runtime}, listening on ${record.body.listeners.join(', ') || 'nothing'}`,
        );
        return;
      case 'gateway.stop':
        this.#life = { running: false, time, index };
        yield row('stop', `stopped in order: ${record.body.reason}`);
        return;
      case 'session.recovered':
        yield row('recovered', recoveredWords(record.body));
        return;
      case 'storage.changed': {
        const { state, free, reserve } = record.body;
        yield row('storage', `space is ${state}: ${free} bytes free of a reserve of ${reserve}`);
        return;
      }
      case 'hold.set':
        yield row(
          'hold',
          `${record.actor.principal} set hold ${record.body.hold} on ${JSON.stringify(record.body.scope)}: ${record.body.reason}`,
        );
        return;
      case 'hold.cleared':
        yield row('hold', `${record.actor.principal} cleared hold ${record.body.hold}: ${record.body.reason}`);
        return;
      case 'erased':
        yield row('erased', erasedWords(record));
        return;
      case 'retention.run': {
        const { trigger, expired, held, records, bytes } = record.body;
        yield row(
          'retention',
          `${trigger} run: ${expired} sessions expired, ${held} held, ${records} refusals erased, ${bytes} bytes deleted`,
        );
        return;
      }
      case 'ledger.created':
        yield row('ledger', `ledger ${record.body.origin} began with ${record.body.taken} older records`);
        return;
      case 'key.rotated':
        yield row(
          'key',
          `${record.body.endorsed ? 'endorsed' : 'not endorsed'} change from ${record.body.previous} to ${record.body.next}`,
        );
        return;
      default:
        return;
    }
  }

  *#started(row: (what: string, words: string) => Row, time: string, index: number): Generator<Row> {
    const life = this.#life;
    this.#life = { running: true, time, index };
    if (life === undefined) return;
    if (life.running) yield row('crash', `the gateway that had started at ${life.time} (record ${life.index}) ended without recording it`);
    else yield row('down', `no gateway ran since ${life.time} (record ${life.index}), ${secondsBetween(life.time, time).toFixed(0)} s`);
  }
}

function recoveredWords({ channels }: AuditRecord<'session.recovered'>['body']): string {
  const torn = channels.reduce((sum, channel) => sum + channel.tornBytes, 0);
  const aside = channels.flatMap(({ setAside }) => (setAside === undefined ? [] : [setAside]));
  const kept = aside.length === 0 ? '' : `; set aside: ${aside.join(', ')}`;
  return `the session was cut off by the end of the gateway: ${channels.length} recordings recovered, ${torn} torn bytes${kept}`;
}

function erasedWords({ body }: AuditRecord<'erased'>): string {
  const count = body.records.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const who = body.request?.signatures.map(({ principal }) => principal).join(' and ');
  const part = body.parts > 1 ? ` (part ${body.part} of ${body.parts})` : '';
  return `${count} records and ${body.files.length} files erased${part}, basis ${body.basis}${who === undefined ? '' : ` of ${who}`}: ${body.reason}`;
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
