import { matches, whoCells } from './actor-words.ts';
import { type FollowedApproval, FollowedApprovals } from './followed-approvals.ts';
import { FollowedSessions } from './followed-sessions.ts';
import type { Answering, Asked, Question, Row, Seen } from './question.ts';

export const refusedQuestion: Question = {
  name: 'refused',
  asks: 'What was refused: log-ins, sessions, actions, requests for approval, and why?',
  columns: [
    { name: 'time', says: 'when (UTC)' },
    { name: 'what', says: 'log-in, session, action, or a request for approval that was denied, expired or withdrawn' },
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
    { name: 'policies', says: 'the rules that decided, of an action; the rule by which an approval was needed', wide: true },
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
  readonly #approvals: FollowedApprovals;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#approvals = new FollowedApprovals(asked.origin);
    this.#sessions = new FollowedSessions(asked.period);
  }

  *take(seen: Seen): Generator<Row> {
    const { record, inPeriod } = seen;
    const step = this.#sessions.take(seen);
    const { approval } = this.#approvals.take(seen);
    if (!inPeriod || record === undefined) return;
    const protocolOfSession = step?.followed.open?.body.protocol;
    const row = approval === undefined ? rowOf(seen, protocolOfSession) : approvalRow(approval, seen, protocolOfSession);
    if (row === undefined) return;
    const protocol = typeof row.protocol === 'string' ? row.protocol : undefined;
    if (matches({ actor: approval?.asked?.actor ?? record.actor, target: record.target, protocol }, this.#asked.filters) !== 'no')
      yield row;
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
  if (record.type !== 'action.decided' || record.body.decision.verdict !== 'deny') return undefined;
  const { action, facts, decision } = record.body;
  const { policies } = decision;
  return {
    ...none,
    ...common,
    what: 'action',
    protocol: sessionProtocol ?? null,
    requested: `${action} ${JSON.stringify(facts)}`,
    policies,
    reason: 'policy denied it',
    session: record.session ?? null,
  };
}

/** The record by which a request ended without what was asked for. */
function approvalRow(
  { asked, request, end, id }: FollowedApproval,
  { record, index }: Seen,
  sessionProtocol: string | undefined,
): Row | undefined {
  if (record === undefined || end?.index !== index) return undefined;
  const actor = asked?.actor ?? record.actor;
  return {
    time: record.time,
    what: `approval ${end.kind}`,
    protocol: sessionProtocol ?? null,
    source: actor.source,
    ...whoCells(actor),
    user: null,
    method: actor.authentication?.method ?? null,
    key: actor.authentication?.key ?? null,
    target: record.target.name,
    requested: request === undefined ? `approval ${id}` : `${request.action} ${JSON.stringify(request.facts)}`,
    code: null,
    policies: request === undefined ? null : [request.rule],
    reason: end.words,
    session: record.session ?? null,
    index,
  };
}
