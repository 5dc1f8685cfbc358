import type { AuditRecord } from '../../../contract/record.ts';
import { type Cell, isInPeriod, type Question, type Row, type Seen } from './question.ts';

export const viewedExportedQuestion: Question = {
  name: 'viewed-exported',
  asks: 'Who watched recordings, who searched and asked about what others did, and who took evidence out?',
  columns: [
    { name: 'time', says: 'when (UTC)' },
    {
      name: 'what',
      says: 'watched (live), played, read (transcript), looked at (details), searched, audited (asked a question), exported',
    },
    { name: 'who', says: 'the user or operator who did it' },
    { name: 'method', says: 'how that was established', wide: true },
    { name: 'source', says: 'from where' },
    { name: 'session', says: 'id of the session that was looked at' },
    { name: 'target', says: 'its target', wide: true },
    { name: 'channel', says: 'the channel; empty for all of them', wide: true },
    { name: 'from_seconds', says: 'which part: seconds since the channel opened; empty for its beginning' },
    { name: 'to_seconds', says: 'the end of that part; empty for its end' },
    { name: 'results', says: 'how much a search found, or rows of an answer', wide: true },
    { name: 'sessions', says: 'sessions in the bundle' },
    { name: 'records', says: 'records in the bundle' },
    { name: 'left_out', says: 'sessions that answered the question and were left out' },
    { name: 'question', says: 'what was exported, searched for or asked, as JSON' },
    { name: 'manifest', says: "SHA-256 of the bundle's tag manifest", wide: true },
    { name: 'index', says: 'ledger index of the record', wide: true },
  ],
  filters: [],
  limits: [
    'Whoever can read the data directory can copy it, or read it with other programs, without the gateway',
    'play, transcript and cast say on standard error where they cannot record that somebody looks: on a copy that takes no writes, or as another user. On the command line sessions, show, audit and verify show no recording, and leave no record; a question that is asked over HTTPS is one',
  ],
  missing: [],
  order: 'in the order of the ledger',
  followsSessions: false,
  context: [],
  answer: ({ period }) => ({
    *take({ record, index, time }: Seen): Generator<Row> {
      if (record === undefined || !isInPeriod(time, period)) return;
      const cells = cellsOf(record);
      if (cells === undefined) return;
      const { actor } = record;
      yield { time, who: actor.principal, method: actor.authentication?.method ?? null, source: actor.source, index, ...none, ...cells };
    },
    finish: () => [],
  }),
};

const none: Row = {
  session: null,
  target: null,
  channel: null,
  from_seconds: null,
  to_seconds: null,
  results: null,
  sessions: null,
  records: null,
  left_out: null,
  question: null,
  manifest: null,
};

const viewed = { watch: 'watched', play: 'played', transcript: 'read', details: 'looked at' } as const;

function cellsOf(record: AuditRecord): Row | undefined {
  switch (record.type) {
    case 'access.viewed': {
      const { how, channel, from, to } = record.body;
      return {
        what: viewed[how],
        session: record.session ?? null,
        target: record.target.name,
        channel: channel ?? null,
        from_seconds: seconds(from),
        to_seconds: seconds(to),
      };
    }
    case 'access.searched':
      return { what: 'searched', results: record.body.results, question: JSON.stringify(record.body.query) };
    case 'access.audited': {
      const { question, parameters, rows } = record.body;
      return { what: 'audited', results: rows, question: JSON.stringify({ question, ...parameters }) };
    }
    case 'access.exported': {
      const { sessions, records, leftOut, question, manifest } = record.body;
      return { what: 'exported', sessions, records, left_out: leftOut, question: JSON.stringify(question), manifest };
    }
    default:
      return undefined;
  }
}

function seconds(nanos: number | undefined): Cell {
  return nanos === undefined ? null : Math.round(nanos / 1e6) / 1000;
}
