import { isInPeriod, type Question, type Row, type Seen } from './question.ts';

export const viewedExportedQuestion: Question = {
  name: 'viewed-exported',
  asks: 'Who watched recordings, and who took evidence out?',
  columns: [
    { name: 'time', says: 'when (UTC)' },
    { name: 'what', says: 'exported' },
    { name: 'who', says: 'the user who did it' },
    { name: 'method', says: 'how that was established', wide: true },
    { name: 'source', says: 'from where' },
    { name: 'sessions', says: 'sessions in the bundle' },
    { name: 'records', says: 'records in the bundle' },
    { name: 'left_out', says: 'sessions that answered the question and were left out' },
    { name: 'question', says: 'what was exported, as JSON' },
    { name: 'manifest', says: "SHA-256 of the bundle's tag manifest", wide: true },
    { name: 'index', says: 'ledger index of the record', wide: true },
  ],
  filters: [],
  limits: [
    'Watching, reading and searching are not recorded yet: play, transcript, cast, show and audit on a data directory leave no record',
    'Whoever can read the data directory can copy it without the gateway',
  ],
  missing: ['access.viewed', 'access.searched'],
  order: 'in the order of the ledger',
  followsSessions: false,
  context: [],
  answer: ({ period }) => ({
    *take({ record, index, time }: Seen): Generator<Row> {
      if (record?.type !== 'access.exported' || !isInPeriod(time, period)) return;
      const { actor, body } = record;
      yield {
        time,
        what: 'exported',
        who: actor.principal,
        method: actor.authentication?.method ?? null,
        source: actor.source,
        sessions: body.sessions,
        records: body.records,
        left_out: body.leftOut,
        question: JSON.stringify(body.question),
        manifest: body.manifest,
        index,
      };
    },
    finish: () => [],
  }),
};
