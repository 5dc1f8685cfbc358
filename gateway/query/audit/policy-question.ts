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
    { name: 'verdict', says: 'allow; ask, of what was allowed with an approval only (approvals says whether there was one)' },
    { name: 'policies', says: 'ids of the rules that decided' },
    { name: 'policy_set', says: 'what names the set of all rules in force: a SHA-256' },
    { name: 'policy_index', says: 'ledger index of the record with the text of the policy (the first of several, where it is long)' },
    { name: 'policy_text', says: 'the text, in the first row of each set of rules that has one on record', wide: true },
    { name: 'configuration', says: 'SHA-256 of the configuration file that was recorded last before the session began' },
    { name: 'configuration_index', says: 'ledger index of the record that says so', wide: true },
    { name: 'index', says: 'ledger index of the decision', wide: true },
  ],
  filters: ['principal', 'onBehalfOf', 'target', 'protocol'],
  limits: [
    'The tags of targets, which a policy may refer to, are not in records: a copy of the configuration file whose SHA-256 is the one named here has them. Of decisions by gateways that did not record their policy yet, that file is the text as well',
  ],
  missing: [],
  order: 'in the order of the ledger; the opening of a session that began before the period stands where that session ends',
  followsSessions: true,
  context: ['gateway.start', 'config.changed', 'policy.changed'],
  answer: (asked) => new PolicyAnswer(asked),
};

interface InForce {
  configuration: string;
  index: number;
}

/** Texts that are remembered, with what is left of a set whose text was told. */
const MOST_POLICIES = 1000;

interface RecordedPolicy {
  index: number;
  /** Undefined once it was told. */
  text: string | undefined;
}

class PolicyAnswer implements Answering {
  readonly #asked: Asked;
  readonly #sessions: FollowedSessions;
  /** What the last record said that was read before a session, and of sessions what it was when they began. */
  #current: InForce | undefined;
  readonly #ofSession = new Map<string, InForce | undefined>();
  /** Decisions about sessions that began before the period: told when it is known that they ran into it. */
  readonly #early = new Map<string, Row>();
  readonly #policies = new Map<string, RecordedPolicy>();

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#sessions = new FollowedSessions(asked.period);
  }

  *take(seen: Seen): Generator<Row> {
    const { record, session, inPeriod, index } = seen;
    if (record?.type === 'gateway.start' || record?.type === 'config.changed')
      this.#current = { configuration: record.body.configuration, index };
    if (record?.type === 'policy.changed') this.#notePolicy(index, record);
    const step = this.#sessions.take(seen);
    if (session === null || step === undefined) return;
    if (seen.type === 'session.open') this.#ofSession.set(session, this.#current);
    if (record?.type === 'session.open') {
      const row = this.#row(record, record.body.decision, 'connect', index, record.body.protocol);
      if (row !== undefined && inPeriod) yield this.#withText(row);
      else if (row !== undefined) this.#early.set(session, row);
    } else if (record?.type === 'action.decided' && inPeriod && record.body.decision.verdict !== 'deny') {
      const row = this.#row(record, record.body.decision, record.body.action, index, step.followed.open?.body.protocol);
      if (row !== undefined) yield this.#withText(row);
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
    if (row !== undefined) yield this.#withText(row);
  }

  #notePolicy(index: number, { body }: AuditRecord<'policy.changed'>): void {
    const { policySet, text, part } = body;
    const known = this.#policies.get(policySet);
    // The same set may come into force again: its text is the same.
    if (known === undefined && part === 1 && this.#policies.size < MOST_POLICIES) this.#policies.set(policySet, { index, text });
    else if (known?.text !== undefined && part > 1 && index === known.index + part - 1) known.text += text;
  }

  /** The text goes with the first row that is given of its set. */
  #withText(row: Row): Row {
    const known = this.#policies.get(String(row.policy_set));
    const told = { ...row, policy_index: known?.index ?? null, policy_text: known?.text ?? null };
    if (known !== undefined) known.text = undefined;
    return told;
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
