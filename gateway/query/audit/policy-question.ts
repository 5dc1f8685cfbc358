import type { Actor, AuditRecord } from '../../../contract/record.ts';
import { matches, whoCells } from './actor-words.ts';
import { FollowedSessions } from './followed-sessions.ts';
import type { Answering, Asked, Question, Row, Seen } from './question.ts';

export const policyInForceQuestion: Question = {
  name: 'policy-in-force',
  asks: 'Which policy allowed it?',
  columns: [
    { name: 'time', says: 'when it was decided (UTC)' },
    { name: 'session', says: 'id of the session' },
    { name: 'human', says: 'the human behind it' },
    { name: 'principal', says: 'who logged in' },
    { name: 'kind', says: 'human or agent', wide: true },
    { name: 'target', says: 'at what' },
    { name: 'action', says: 'connect for the session itself, then what was done in it' },
    { name: 'verdict', says: 'allow' },
    { name: 'policies', says: 'ids of the rules that decided' },
    { name: 'policy_set', says: 'SHA-256 of the canonical JSON of all rules in force' },
    { name: 'configuration', says: 'SHA-256 of the configuration file that was recorded last before the session began' },
    { name: 'configuration_index', says: 'ledger index of the record that says so', wide: true },
    { name: 'index', says: 'ledger index of the decision', wide: true },
  ],
  filters: ['principal', 'onBehalfOf', 'target', 'protocol'],
  limits: [
    'The text of the policy is not recorded yet: its hash and that of the configuration file are, and a copy of the file whose SHA-256 is the one named here is the text',
  ],
  missing: ['policy.changed'],
  order: 'in the order of the ledger; the opening of a session that began before the period stands where that session ends',
  followsSessions: true,
  context: ['gateway.start', 'config.changed'],
  answer: (asked) => new PolicyAnswer(asked),
};

interface InForce {
  configuration: string;
  index: number;
}

class PolicyAnswer implements Answering {
  readonly #asked: Asked;
  readonly #sessions: FollowedSessions;
  /** What the last record said that was read before a session, and of sessions what it was when they began. */
  #current: InForce | undefined;
  readonly #ofSession = new Map<string, InForce | undefined>();
  /** Decisions about sessions that began before the period: told when it is known that they ran into it. */
  readonly #early = new Map<string, Row>();

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#sessions = new FollowedSessions(asked.period);
  }

  *take(seen: Seen): Generator<Row> {
    const { record, session, inPeriod, index } = seen;
    if (record?.type === 'gateway.start' || record?.type === 'config.changed')
      this.#current = { configuration: record.body.configuration, index };
    const step = this.#sessions.take(seen);
    if (session === null || step === undefined) return;
    if (seen.type === 'session.open') this.#ofSession.set(session, this.#current);
    if (record?.type === 'session.open') {
      const row = this.#row(record, record.body.decision, 'connect', index, record.body.protocol);
      if (row !== undefined && inPeriod) yield row;
      else if (row !== undefined) this.#early.set(session, row);
    } else if (record?.type === 'action.decided' && inPeriod && record.body.decision.verdict === 'allow') {
      const row = this.#row(record, record.body.decision, record.body.action, index, step.followed.open?.body.protocol);
      if (row !== undefined) yield row;
    }
    if (!step.over) return;
    if (step.inPeriod) yield* this.#tellEarly(session);
    this.#early.delete(session);
    this.#ofSession.delete(session);
  }

  *finish(): Generator<Row> {
    for (const { session } of this.#sessions.rest()) yield* this.#tellEarly(session);
  }

  *#tellEarly(session: string): Generator<Row> {
    const row = this.#early.get(session);
    if (row !== undefined) yield row;
  }

  #row(
    record: { actor: Actor; target: { name: string }; time: string; session?: string },
    decision: AuditRecord<'session.open'>['body']['decision'],
    action: string,
    index: number,
    protocol: string | undefined,
  ): Row | undefined {
    const { actor, target, time, session = '' } = record;
    if (matches({ actor, target, protocol }, this.#asked.filters) !== 'yes') return undefined;
    const inForce = this.#ofSession.get(session);
    return {
      time,
      session,
      ...whoCells(actor),
      target: target.name,
      action,
      verdict: decision.verdict,
      policies: decision.policies,
      policy_set: decision.policySet,
      configuration: inForce?.configuration ?? null,
      configuration_index: inForce?.index ?? null,
      index,
    };
  }
}
