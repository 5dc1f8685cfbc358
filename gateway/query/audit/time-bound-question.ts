import type { AuditRecord } from '../../../contract/record.ts';
import { grantWords } from './approval-cells.ts';
import { type FollowedApproval, FollowedApprovals, signatureWords } from './followed-approvals.ts';
import type { Answering, Asked, Question, Row, Seen } from './question.ts';

export const timeBoundQuestion: Question = {
  name: 'time-bound',
  asks: 'Which access was granted for a time, and when did it expire or was it revoked?',
  columns: [
    { name: 'time', says: 'when (UTC)' },
    { name: 'what', says: 'approval, emergency access, certificate, operator token, principal' },
    { name: 'event', says: 'granted, used, expired, withdrawn, denied, issued, revoked, locked, unlocked' },
    { name: 'whose', says: 'for whom' },
    { name: 'human', says: 'the human behind it', wide: true },
    { name: 'by', says: 'who did it' },
    { name: 'target', says: 'what it is good for; empty for all that policy allows' },
    { name: 'from', says: 'when it begins to be good' },
    { name: 'until', says: 'when it ends by itself; empty where it is bound to one use or to a session' },
    { name: 'words', says: 'what happened' },
    { name: 'id', says: 'id of the request, serial number of the certificate, id of the token', wide: true },
    { name: 'session', says: 'id of the session', wide: true },
    { name: 'index', says: 'ledger index of the record', wide: true },
  ],
  filters: [],
  limits: [
    'Access that the configuration allows without an approval stands in it without an end: policy-in-force names the configuration, and changes when it was changed',
    'A certificate or a token that is over its time leaves no record of that: its end is in the row that says that it was issued',
  ],
  missing: [],
  order: 'in the order of the ledger',
  followsSessions: true,
  context: [],
  answer: (asked) => new TimeBoundAnswer(asked),
};

class TimeBoundAnswer implements Answering {
  readonly #approvals: FollowedApprovals;

  constructor({ origin }: Asked) {
    this.#approvals = new FollowedApprovals(origin);
  }

  *take(seen: Seen): Generator<Row> {
    const { approval } = this.#approvals.take(seen);
    const { record, index, inPeriod } = seen;
    if (record === undefined || !inPeriod) return;
    const row = approval === undefined ? ofCredential(record) : ofApproval(approval, record);
    if (row === undefined) return;
    const none = { human: null, target: null, from: null, until: null, words: null, id: null };
    yield { time: record.time, by: record.actor.principal, session: record.session ?? null, index, ...none, ...row };
  }

  *finish(): Generator<Row> {
    // Every row is given the moment its record is read.
  }
}

function ofApproval(approval: FollowedApproval, record: AuditRecord): Row | undefined {
  const { request, id } = approval;
  const common = {
    what: request?.breakGlass === true ? 'emergency access' : 'approval',
    whose: request?.principal ?? null,
    human: request?.onBehalfOf ?? (request?.kind === 'human' ? request.principal : null),
    target: request?.target.name ?? null,
    id,
  };
  switch (record.type) {
    case 'approval.decided': {
      if (record.body.state === 'waiting') return undefined;
      if (record.body.state === 'denied') return { ...common, event: 'denied', words: record.body.reason };
      const decision = approval.decisions.at(-1);
      const until = typeof request?.grants === 'number' ? later(record.time, request.grants) : null;
      const good = request === undefined ? 'what its request says' : grantWords(request.grants);
      const signature = decision === undefined ? '' : `; the signature is ${signatureWords(decision)}`;
      return { ...common, event: 'granted', from: record.time, until, words: `${request?.action ?? 'access'} for ${good}${signature}` };
    }
    case 'grant.used':
      return { ...common, event: 'used', words: `${record.body.action} began` };
    case 'approval.expired':
      return { ...common, event: 'expired', words: approval.end?.words ?? record.body.reason };
    case 'approval.withdrawn':
      return { ...common, event: 'withdrawn', words: record.body.reason };
    default:
      return undefined;
  }
}

const credentials = { 'ssh-certificate': 'certificate', 'operator-token': 'operator token' } as const;

function ofCredential(record: AuditRecord): Row | undefined {
  switch (record.type) {
    case 'credential.issued': {
      const { credential, id, principal, onBehalfOf, validFrom, validTo, roles, targets } = record.body;
      return {
        what: credentials[credential],
        event: 'issued',
        whose: principal,
        human: onBehalfOf ?? null,
        target: targets ?? null,
        from: validFrom,
        until: validTo,
        words: roles === undefined ? null : `with the roles ${roles.join(', ')}`,
        id,
      };
    }
    case 'credential.revoked':
      return { what: credentials[record.body.credential], event: 'revoked', whose: null, words: record.body.reason, id: record.body.id };
    case 'operator.login':
      return {
        what: 'operator token',
        event: 'issued',
        whose: record.actor.principal,
        from: record.time,
        until: record.body.validTo,
        words: `logged in with ${record.body.method}, with the roles ${record.body.roles.join(', ')}`,
        id: record.body.token,
      };
    case 'operator.logout':
      return { what: 'operator token', event: 'revoked', whose: record.actor.principal, words: 'logged out', id: record.body.token };
    case 'principal.locked':
      return {
        what: 'principal',
        event: 'locked',
        whose: record.body.principal,
        words: `${record.body.reason} (${record.body.sessions} sessions ended)`,
      };
    case 'principal.unlocked':
      return { what: 'principal', event: 'unlocked', whose: record.body.principal, words: record.body.reason };
    default:
      return undefined;
  }
}

function later(time: string, seconds: number): string {
  return `${new Date(Date.parse(time) + seconds * 1000).toISOString().slice(0, -1)}${time.slice(23, 26)}Z`;
}
