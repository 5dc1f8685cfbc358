import { approvalFilters, isAskedAbout, whoAskedCells, whoAskedColumns } from './approval-cells.ts';
import { conflictWords, FollowedApprovals, type FollowedDecision, signatureWords } from './followed-approvals.ts';
import type { Answering, Asked, Question, Row, Seen } from './question.ts';

export const selfApprovalsQuestion: Question = {
  name: 'self-approvals',
  asks: 'Did anybody approve their own access, or that of their own agent?',
  columns: [
    { name: 'time', says: 'when it was decided (UTC)' },
    ...whoAskedColumns,
    { name: 'reviewer', says: 'who decided' },
    { name: 'verdict', says: 'approve or deny' },
    { name: 'conflict', says: 'why this should not be' },
    { name: 'key', says: 'fingerprint of the key that the decision was signed with' },
    { name: 'signature', says: 'good, or what is wrong with it', wide: true },
    { name: 'index', says: 'ledger index of the decision', wide: true },
  ],
  filters: approvalFilters,
  limits: [],
  missing: [],
  order: 'in the order of the ledger. No row is what is expected: the gateway takes no such decision',
  followsSessions: true,
  context: [],
  answer: (asked) => new SelfApprovalsAnswer(asked),
};

/** Reviewers and keys that are remembered, to find one key that signs for two. */
const MOST_KEYS = 10_000;

class SelfApprovalsAnswer implements Answering {
  readonly #asked: Asked;
  readonly #approvals: FollowedApprovals;
  readonly #owners = new Map<string, string>();
  #looked = 0;
  #unknown = 0;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#approvals = new FollowedApprovals(asked.origin);
  }

  get remarks(): readonly string[] {
    const looked = `${this.#looked} ${this.#looked === 1 ? 'decision was' : 'decisions were'} looked at, reviews of emergency access included`;
    return this.#unknown === 0 ? [looked] : [looked, `Of ${this.#unknown} more the request is not among the records that were read`];
  }

  *take(seen: Seen): Generator<Row> {
    const { approval, record } = this.#approvals.take(seen);
    if (approval === undefined || !seen.inPeriod) return;
    if (record?.type !== 'approval.decided' && record?.type !== 'review.signed') return;
    const decision = approval.decisions.at(-1);
    if (decision === undefined || !isAskedAbout(approval, this.#asked.filters)) return;
    if (approval.request === undefined) {
      this.#unknown += 1;
      return;
    }
    this.#looked += 1;
    const conflict = conflictWords(approval, decision) ?? this.#sharedKey(decision);
    if (conflict === undefined) return;
    yield {
      time: record.time,
      ...whoAskedCells(approval),
      reviewer: record.actor.principal,
      verdict: record.body.verdict,
      conflict,
      key: decision.read?.fingerprint ?? null,
      signature: signatureWords(decision),
      index: decision.index,
    };
  }

  *finish(): Generator<Row> {
    // Every row is given the moment its decision is read.
  }

  #sharedKey({ record, read }: FollowedDecision): string | undefined {
    if (read === undefined) return undefined;
    const { principal } = record.actor;
    const owner = this.#owners.get(read.key);
    if (owner === undefined && this.#owners.size < MOST_KEYS) this.#owners.set(read.key, principal);
    return owner === undefined || owner === principal ? undefined : `${principal} signed with the key that ${owner} had signed with`;
  }
}
