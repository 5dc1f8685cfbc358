import { approvalFilters, grantWords, isAskedAbout, NEW_APPROVALS, whoAskedCells, whoAskedColumns } from './approval-cells.ts';
import { conflictWords, type FollowedApproval, FollowedApprovals, signatureWords } from './followed-approvals.ts';
import type { Answering, Asked, Question, Row, Seen } from './question.ts';

export const approvalsQuestion: Question = {
  name: 'approvals',
  asks: 'Who approved what, and before it happened?',
  columns: [
    { name: 'asked', says: 'when it was asked for (UTC)' },
    ...whoAskedColumns,
    { name: 'needed', says: 'different reviewers who had to approve' },
    { name: 'state', says: 'waiting, approved, denied, expired, withdrawn, emergency access' },
    { name: 'decided', says: 'when the last decision was recorded' },
    { name: 'reviewers', says: 'who decided, and what' },
    { name: 'keys', says: 'fingerprints of the keys that they signed with, in the same order', wide: true },
    { name: 'signatures', says: 'good, or what is wrong with them, in the same order' },
    { name: 'reasons', says: 'what they gave as reasons, in the same order', wide: true },
    { name: 'used', says: 'when what was approved began; empty when it never did' },
    { name: 'uses', says: 'how often it was used', wide: true },
    { name: 'before', says: 'whether it was approved before it happened: yes, NO, or emergency access, which is reviewed afterwards' },
    { name: 'grants', says: 'what the approval is good for: one use, the session, or a time', wide: true },
    { name: 'justification', says: 'why, in the words of whoever asked', wide: true },
    { name: 'session', says: 'id of the session', wide: true },
    { name: 'index', says: 'ledger index of the record that asks', wide: true },
  ],
  filters: approvalFilters,
  limits: [NEW_APPROVALS],
  missing: [],
  order: 'in the order in which they were over; those that something can still happen to come last',
  followsSessions: true,
  context: [],
  answer: (asked) => new ApprovalsAnswer(asked, approvalRow),
};

export const justificationQuestion: Question = {
  name: 'justification',
  asks: 'For which stated reason was access taken?',
  columns: [
    { name: 'asked', says: 'when it was asked for (UTC)' },
    ...whoAskedColumns,
    { name: 'justification', says: 'why, in the words of whoever asked; empty where nothing was said' },
    { name: 'reasons', says: 'what the reviewers gave as reasons, each with the reviewer' },
    { name: 'state', says: 'waiting, approved, denied, expired, withdrawn, emergency access' },
    { name: 'session', says: 'id of the session', wide: true },
    { name: 'index', says: 'ledger index of the record that asks', wide: true },
  ],
  filters: approvalFilters,
  limits: [
    'Reasons are stated where an approval is needed. Access that policy allows by itself is taken without one, and is not in this answer',
  ],
  missing: [],
  order: 'in the order in which they were over; those that something can still happen to come last',
  followsSessions: true,
  context: [],
  answer: (asked) =>
    new ApprovalsAnswer(asked, (approval) => ({
      asked: approval.request?.asked ?? null,
      ...whoAskedCells(approval),
      justification: approval.request?.justification ?? null,
      reasons: approval.decisions.map(({ record }) => `${record.actor.principal}: ${record.body.reason}`),
      state: stateOf(approval),
      session: approval.request?.session ?? null,
      index: approval.index,
    })),
};

export const breakGlassQuestion: Question = {
  name: 'break-glass',
  asks: 'Which emergency access was there, and was it reviewed?',
  columns: [
    { name: 'asked', says: 'when it was taken (UTC)' },
    ...whoAskedColumns,
    { name: 'used', says: 'when it began' },
    { name: 'justification', says: 'why, in the words of whoever took it' },
    { name: 'reviewed', says: 'when it was reviewed last; empty when nobody has' },
    { name: 'review', says: 'not reviewed, reviewed by too few, found justified, objected to' },
    { name: 'reviewers', says: 'who reviewed it, and what they said' },
    { name: 'keys', says: 'fingerprints of the keys that they signed with, in the same order', wide: true },
    { name: 'signatures', says: 'good, or what is wrong with them, in the same order' },
    { name: 'reasons', says: 'what they gave as reasons, in the same order', wide: true },
    { name: 'session', says: 'id of the session', wide: true },
    { name: 'index', says: 'ledger index of the record', wide: true },
  ],
  filters: approvalFilters,
  limits: [NEW_APPROVALS, 'A review that was signed after the end of the period is not in this answer: leave --to out to see all of them'],
  missing: [],
  order: 'in the order in which they were reviewed; those that were not come last',
  followsSessions: true,
  context: [],
  answer: (asked) =>
    new ApprovalsAnswer(asked, (approval) => (approval.request?.breakGlass === true ? breakGlassRow(approval) : undefined)),
};

/** One row for each request that one of its records is in the period of. */
class ApprovalsAnswer implements Answering {
  readonly #asked: Asked;
  readonly #row: (approval: FollowedApproval) => Row | undefined;
  readonly #approvals: FollowedApprovals;

  constructor(asked: Asked, row: (approval: FollowedApproval) => Row | undefined) {
    this.#asked = asked;
    this.#row = row;
    this.#approvals = new FollowedApprovals(asked.origin);
  }

  *take(seen: Seen): Generator<Row> {
    for (const approval of this.#approvals.take(seen).over) yield* this.#tell(approval);
  }

  *finish(): Generator<Row> {
    for (const approval of this.#approvals.rest()) yield* this.#tell(approval);
  }

  *#tell(approval: FollowedApproval): Generator<Row> {
    if (!approval.inPeriod || !isAskedAbout(approval, this.#asked.filters)) return;
    const row = this.#row(approval);
    if (row !== undefined) yield row;
  }
}

function approvalRow(approval: FollowedApproval): Row {
  const { request, used, index } = approval;
  return {
    asked: request?.asked ?? null,
    ...whoAskedCells(approval),
    needed: request?.needed ?? null,
    state: stateOf(approval),
    decided: approval.decisions.at(-1)?.record.time ?? null,
    ...decisionCells(approval),
    used: used?.first ?? null,
    uses: used?.count ?? 0,
    before: beforeItHappened(approval),
    grants: request === undefined ? null : grantWords(request.grants),
    justification: request?.justification ?? null,
    session: request?.session ?? null,
    index,
  };
}

function breakGlassRow(approval: FollowedApproval): Row {
  const { request, used, decisions, index } = approval;
  return {
    asked: request?.asked ?? null,
    ...whoAskedCells(approval),
    used: used?.first ?? null,
    justification: request?.justification ?? null,
    reviewed: decisions.at(-1)?.record.time ?? null,
    review: reviewWords(approval),
    ...decisionCells(approval),
    session: request?.session ?? null,
    index,
  };
}

/** What is not good does not count, however it is recorded. */
function decisionCells(approval: FollowedApproval): Row {
  const { decisions } = approval;
  return {
    reviewers: decisions.map((decision) => {
      const { record } = decision;
      const conflict = conflictWords(approval, decision);
      return `${record.actor.principal} ${verdictWords[record.body.verdict]}${conflict === undefined ? '' : ` (CONFLICT: ${conflict})`}`;
    }),
    keys: decisions.map(({ read }) => read?.fingerprint ?? ''),
    signatures: decisions.map(signatureWords),
    reasons: decisions.map(({ record }) => record.body.reason),
  };
}

const verdictWords = { approve: 'approved', deny: 'denied' } as const;

function goodReviews(approval: FollowedApproval) {
  const good = approval.decisions.filter(
    (decision) => decision.read?.wrong === undefined && conflictWords(approval, decision) === undefined,
  );
  return { good, reviewers: new Set(good.map(({ record }) => record.actor.principal)).size };
}

function reviewWords(approval: FollowedApproval): string {
  const { good, reviewers } = goodReviews(approval);
  if (reviewers === 0) return approval.decisions.length === 0 ? 'not reviewed' : 'NOT REVIEWED: no review of it is good';
  if (good.some(({ record }) => record.body.verdict === 'deny')) return 'objected to';
  return reviewers < (approval.request?.needed ?? 1) ? 'reviewed by too few' : 'found justified';
}

function stateOf({ request, end, approved, used }: FollowedApproval): string {
  if (request?.breakGlass === true) return 'emergency access';
  if (approved !== undefined) return end?.kind === 'withdrawn' ? 'approved, then withdrawn' : 'approved';
  if (end !== undefined) return end.kind;
  return request === undefined ? (used === undefined ? 'unknown' : 'used, and no request is among the records that were read') : 'waiting';
}

function beforeItHappened({ request, used, early }: FollowedApproval): string | null {
  if (used === undefined) return null;
  if (request?.breakGlass === true) return 'emergency access';
  return early ? 'NO' : 'yes';
}
