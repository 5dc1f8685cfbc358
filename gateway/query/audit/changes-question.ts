import type { AuditRecord } from '../../../contract/record.ts';
import { type Answering, isInPeriod, type Period, type Question, type Row, type Seen } from './question.ts';

export const changesQuestion: Question = {
  name: 'changes',
  asks: 'What was changed about the gateway itself: configuration, policy, operators and identities, software, keys?',
  columns: [
    { name: 'time', says: 'when it took effect (UTC)' },
    { name: 'what', says: 'configuration, policy, operator, identity, lock, credential, software, ledger or key' },
    { name: 'who', says: 'as whom it was recorded' },
    { name: 'source', says: 'where' },
    {
      name: 'before',
      says: 'SHA-256 of the configuration or policy before, the roles or the state before, the version before, the key before; fingerprint of a signing key',
    },
    { name: 'after', says: 'the same afterwards' },
    { name: 'words', says: 'what happened' },
    { name: 'index', says: 'ledger index of the record', wide: true },
  ],
  filters: [],
  limits: [
    'Who edited the configuration file is not recorded: the gateway records the SHA-256 of every file it took into force, and when. Policy, identities and operators are recorded as they change; targets and limits stand in that file alone',
  ],
  missing: [],
  order: 'in the order of the ledger',
  followsSessions: false,
  context: ['gateway.start', 'config.changed', 'policy.changed'],
  contextAll: ['identity.changed'],
  answer: ({ period }) => new ChangesAnswer(period),
};

type MakeRow = (what: string, before: string | null, after: string, words: string) => Row;

const sourceWords = { 'allow-lists': 'the lists in the configuration', cedar: 'a Cedar file' } as const;

/** Of more than so many, what was so before is not said. */
const MOST_IDENTITIES = 50_000;

class ChangesAnswer implements Answering {
  readonly #period: Period;
  #configuration: string | undefined;
  #software: string | undefined;
  #policy: string | undefined;
  readonly #identities = new Map<string, string>();

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
    const row: MakeRow = (what, before, after, words) => ({
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
    } else if (type === 'policy.changed') {
      const { policySet, previous, source, part, parts } = record.body;
      const before = previous ?? this.#policy;
      this.#policy = policySet;
      const where = parts === 1 ? 'its text stands in the record' : `its text stands in ${parts} records from this one on`;
      if (part === 1) yield row('policy', before ?? null, policySet, `taken into force from ${sourceWords[source]}; ${where}`);
    } else if (type === 'identity.changed') {
      yield* this.#identity(record, row);
    } else if (type === 'principal.locked' || type === 'principal.unlocked') {
      const { principal, reason } = record.body;
      yield row('lock', null, principal, `${type === 'principal.locked' ? 'locked' : 'unlocked'}: ${reason}`);
    } else if (type === 'credential.issued' && record.body.credential === 'operator-token') {
      const { id, principal, roles = [], validTo } = record.body;
      yield row(
        'credential',
        null,
        id,
        `an operator token was made for ${principal}, with the roles ${roles.join(', ')}, until ${validTo}`,
      );
    } else if (type === 'operator.key') {
      yield keyRow(record, row);
    } else if (type === 'credential.revoked') {
      yield row('credential', record.body.id, 'revoked', `${record.body.credential} revoked: ${record.body.reason}`);
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

  /** Of an operator, what roles they have from here on; of others, whether they are known, and in which groups. */
  *#identity({ body }: AuditRecord<'identity.changed'>, row: MakeRow): Generator<Row> {
    const { principal, kind, state, groups, operator } = body;
    const before = this.#identities.get(principal);
    const now = `${state}${groups.length === 0 ? '' : `, groups ${groups.join(' ')}`}${operator.length === 0 ? '' : `, operator ${operator.join(' ')}`}`;
    if (before !== undefined || this.#identities.size < MOST_IDENTITIES) this.#identities.set(principal, now);
    const isOperator = operator.length > 0 || before?.includes(', operator ') === true;
    yield row(isOperator ? 'operator' : 'identity', before ?? null, now, `${kind} ${principal}: ${state}`);
  }
}

/** Of a key that somebody registered for signing, or wanted to. */
function keyRow({ outcome, body }: AuditRecord<'operator.key'>, row: MakeRow): Row {
  const { operator, change, fingerprint, label, reason } = body;
  const [before, after, what] =
    change === 'removed'
      ? [fingerprint, 'removed', 'was removed']
      : outcome === 'success'
        ? [null, fingerprint, 'was registered']
        : [fingerprint, 'refused', 'was not registered'];
  return row('key', before, after, `a signing key of ${operator} (${label}) ${what}${reason === undefined ? '' : `: ${reason}`}`);
}
