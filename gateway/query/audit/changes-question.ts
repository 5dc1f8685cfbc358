import { type Answering, isInPeriod, type Period, type Question, type Row, type Seen } from './question.ts';

export const changesQuestion: Question = {
  name: 'changes',
  asks: 'What was changed about the gateway itself: configuration, software, keys?',
  columns: [
    { name: 'time', says: 'when it took effect (UTC)' },
    { name: 'what', says: 'configuration, software, ledger or key' },
    { name: 'who', says: 'as whom it was recorded' },
    { name: 'source', says: 'where' },
    { name: 'before', says: 'SHA-256 of the configuration before, the version before, the key before' },
    { name: 'after', says: 'the same afterwards' },
    { name: 'words', says: 'what happened' },
    { name: 'index', says: 'ledger index of the record', wide: true },
  ],
  filters: [],
  limits: [
    'Who edited the configuration file, and what of it changed, is not recorded yet: the gateway records the SHA-256 of every file it took into force, and when. Policy, principals and operators stand in that file',
  ],
  missing: ['policy.changed', 'operator.changed'],
  order: 'in the order of the ledger',
  followsSessions: false,
  context: ['gateway.start', 'config.changed'],
  answer: ({ period }) => new ChangesAnswer(period),
};

class ChangesAnswer implements Answering {
  readonly #period: Period;
  #configuration: string | undefined;
  #software: string | undefined;

  constructor(period: Period) {
    this.#period = period;
  }

  *take(seen: Seen): Generator<Row> {
    for (const row of this.#changes(seen)) if (isInPeriod(seen.time, this.#period)) yield row;
  }

  finish(): Iterable<Row> {
    return [];
  }

  *#changes({ record, index, time }: Seen): Generator<Row> {
    if (record === undefined) return;
    const { actor, type } = record;
    const row = (what: string, before: string | null, after: string, words: string): Row => ({
      time,
      what,
      who: actor.principal,
      source: actor.source,
      before,
      after,
      words,
      index,
    });
    if (type === 'gateway.start') {
      const { configuration, version, runtime, crypto } = record.body;
      const software = `${version}, ${runtime}, ${crypto} cryptography`;
      const before = { configuration: this.#configuration, software: this.#software };
      this.#configuration = configuration;
      this.#software = software;
      if (before.configuration === undefined) yield row('configuration', null, configuration, 'the first that is recorded');
      else if (before.configuration !== configuration)
        yield row(
          'configuration',
          before.configuration,
          configuration,
          'another one at a start: it was changed while the gateway did not run',
        );
      if (before.software === undefined) yield row('software', null, software, 'the first that is recorded');
      else if (before.software !== software) yield row('software', before.software, software, 'another version at a start');
    } else if (type === 'config.changed') {
      const { configuration, previous } = record.body;
      this.#configuration = configuration;
      const words = configuration === previous ? 'read again without a change' : 'taken into force while the gateway ran';
      yield row('configuration', previous, configuration, words);
    } else if (type === 'ledger.created') {
      const { origin, key, taken } = record.body;
      yield row(
        'ledger',
        null,
        key,
        `the ledger ${origin} began${taken === 0 ? '' : ` with the ${taken} records that were there already`}`,
      );
    } else if (type === 'key.rotated') {
      const { previous, next, endorsed } = record.body;
      yield row('key', previous, next, endorsed ? 'endorsed with the key before it' : 'the key before it was lost and did not endorse it');
    }
  }
}
