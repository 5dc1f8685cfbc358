import { matches, whoCells } from './actor-words.ts';
import { FollowedSessions } from './followed-sessions.ts';
import type { Answering, Asked, Question, Row, Seen } from './question.ts';

export const refusedQuestion: Question = {
  name: 'refused',
  asks: 'What was refused: log-ins, sessions, actions, and why?',
  columns: [
    { name: 'time', says: 'when (UTC)' },
    { name: 'what', says: 'log-in, session or action' },
    { name: 'protocol', says: 'ssh …' },
    { name: 'source', says: 'address and port of the client' },
    { name: 'human', says: 'the human behind it; of a log-in nobody was established' },
    { name: 'principal', says: 'who had logged in; "unknown" of a log-in' },
    { name: 'kind', says: 'human, agent or unknown', wide: true },
    { name: 'user', says: 'the user name that the client gave at a log-in, as it wrote it' },
    { name: 'method', says: 'how the log-in was tried', wide: true },
    { name: 'key', says: 'fingerprint of the last key that was offered', wide: true },
    { name: 'target', says: 'what was to be reached' },
    { name: 'requested', says: 'what was asked for, as the client wrote it; of an action its facts as JSON' },
    { name: 'code', says: 'code of the refusal (docs/errors.md)', wide: true },
    { name: 'policies', says: 'the rules that decided, of an action', wide: true },
    { name: 'reason', says: 'why' },
    { name: 'session', says: 'id of the session in which an action was refused', wide: true },
    { name: 'index', says: 'ledger index of the record', wide: true },
  ],
  filters: ['protocol'],
  limits: [
    'A connection that tried several keys is one row, with the last of them',
    'Connections of a source that is locked out, or above the limit of connections, are dropped and leave no record',
    'Requests that the gateway does not understand or pass on (X11, variables that are not on the list) are in the recording of their session',
  ],
  missing: [],
  order: 'in the order of the ledger',
  followsSessions: true,
  context: [],
  answer: (asked) => new RefusedAnswer(asked),
};

class RefusedAnswer implements Answering {
  readonly #asked: Asked;
  readonly #sessions: FollowedSessions;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#sessions = new FollowedSessions(asked.period);
  }

  *take(seen: Seen): Generator<Row> {
    const { record, inPeriod } = seen;
    const step = this.#sessions.take(seen);
    if (!inPeriod || record === undefined) return;
    const row = rowOf(seen, step?.followed.open?.body.protocol);
    if (row === undefined) return;
    const protocol = typeof row.protocol === 'string' ? row.protocol : undefined;
    if (matches({ actor: record.actor, target: record.target, protocol }, this.#asked.filters) !== 'no') yield row;
  }

  *finish(): Generator<Row> {
    // Every refusal is a row of its own the moment it is read.
  }
}

function rowOf({ record, index }: Seen, sessionProtocol: string | undefined): Row | undefined {
  if (record === undefined) return undefined;
  const common = { time: record.time, source: record.actor.source, ...whoCells(record.actor), target: record.target.name, index };
  const none = { user: null, method: null, key: null, requested: null, code: null, policies: null, session: null };
  if (record.type === 'auth.refused') {
    const { protocol, user, method, key, reason } = record.body;
    return { ...none, ...common, what: 'log-in', protocol, user, method, key: key ?? null, reason };
  }
  if (record.type === 'session.refused') {
    const { protocol, code, reason, requested } = record.body;
    const { method, key } = record.actor.authentication ?? {};
    return { ...none, ...common, what: 'session', protocol, method: method ?? null, key: key ?? null, requested, code, reason };
  }
  if (record.type !== 'action.decided' || record.body.decision.verdict === 'allow') return undefined;
  const { action, facts, decision } = record.body;
  const { verdict, policies } = decision;
  return {
    ...none,
    ...common,
    what: 'action',
    protocol: sessionProtocol ?? null,
    requested: `${action} ${JSON.stringify(facts)}`,
    policies,
    reason: verdict === 'deny' ? 'policy denied it' : `the verdict was ${verdict}`,
    session: record.session ?? null,
  };
}
