import type { AuditRecord } from '../../../contract/record.ts';
import { conflictOfInterest, type ReadDecision, type RecordedRequest, readDecision, type SignedRecord } from '../verify/signed-decision.ts';
import type { Seen } from './question.ts';

/** A reviewer's word on a request, with what its signature is worth. */
export interface FollowedDecision {
  index: number;
  record: SignedRecord;
  /** Undefined where nothing says what the ledger is called. */
  read: ReadDecision | undefined;
}

export interface ApprovalEnd {
  kind: 'denied' | 'expired' | 'withdrawn';
  index: number;
  time: string;
  words: string;
}

/** A request for approval as far as its records have been read. */
export interface FollowedApproval {
  id: string;
  index: number | null;
  /** Undefined where it is erased, or was not among what was read. */
  asked: AuditRecord<'approval.asked'> | undefined;
  request: RecordedRequest | undefined;
  decisions: FollowedDecision[];
  /** When the last approval that was needed was recorded. */
  approved: string | undefined;
  end: ApprovalEnd | undefined;
  used: { first: string; last: string; count: number } | undefined;
  /** It was used before it was approved. */
  early: boolean;
  /** One of its records is in the period. */
  inPeriod: boolean;
}

export type ApprovalRecord =
  | AuditRecord<'approval.asked'>
  | AuditRecord<'approval.expired'>
  | AuditRecord<'approval.withdrawn'>
  | AuditRecord<'grant.used'>
  | SignedRecord;

/** Requests that are remembered at one time. Beyond it, the oldest are told as they stand. */
const MOST_FOLLOWED = 3000;

/**
 * Follows requests for approval through their records. Memory: those that something can still happen to, of which a
 * gateway has few.
 */
export class FollowedApprovals {
  readonly #origin: string | undefined;
  readonly #open = new Map<string, FollowedApproval>();
  /** Requests of a session, which are over with it unless they are good for a time or wait for a review. */
  readonly #ofSession = new Map<string, Set<string>>();

  constructor(origin: string | undefined) {
    this.#origin = origin;
  }

  /** The request that a record is of. `over`: nothing more is expected of these, and they are not followed any more. */
  take(seen: Seen): { approval: FollowedApproval | undefined; record: ApprovalRecord | undefined; over: FollowedApproval[] } {
    const over: FollowedApproval[] = [];
    if (seen.type === 'session.close' || seen.type === 'session.recovered') {
      if (seen.session !== null) over.push(...this.#sessionEnds(seen.session));
      return { approval: undefined, record: undefined, over };
    }
    const record = approvalRecord(seen.record);
    if (record === undefined) return { approval: undefined, record, over };
    const approval = this.#of(record, over);
    approval.inPeriod ||= seen.inPeriod;
    this.#note(approval, record, seen.index);
    if (isOver(approval)) {
      this.#forget(approval);
      over.push(approval);
    }
    return { approval, record, over };
  }

  *rest(): Generator<FollowedApproval> {
    const left = [...this.#open.values()];
    this.#open.clear();
    this.#ofSession.clear();
    yield* left;
  }

  #of(record: ApprovalRecord, over: FollowedApproval[]): FollowedApproval {
    const id = record.type === 'approval.asked' ? record.body.request.id : record.body.approval;
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const approval: FollowedApproval = {
      id,
      index: null,
      asked: undefined,
      request: undefined,
      decisions: [],
      approved: undefined,
      end: undefined,
      used: undefined,
      early: false,
      inPeriod: false,
    };
    if (this.#open.size >= MOST_FOLLOWED) {
      for (const oldest of this.#open.values()) {
        this.#forget(oldest);
        over.push(oldest);
        break;
      }
    }
    this.#open.set(id, approval);
    return approval;
  }

  #note(approval: FollowedApproval, record: ApprovalRecord, index: number): void {
    const { time } = record;
    switch (record.type) {
      case 'approval.asked': {
        const { request } = record.body;
        approval.index = index;
        approval.asked = record;
        approval.request = request;
        this.#ofSession.set(request.session, (this.#ofSession.get(request.session) ?? new Set<string>()).add(request.id));
        break;
      }
      case 'approval.decided':
      case 'review.signed': {
        const read = approval.request && this.#origin !== undefined ? readDecision(this.#origin, approval.request, record) : undefined;
        approval.decisions.push({ index, record, read });
        if (record.type === 'review.signed') break;
        if (record.body.state === 'approved') approval.approved ??= time;
        if (record.body.state === 'denied')
          approval.end ??= { kind: 'denied', index, time, words: `${record.actor.principal} denied it: ${record.body.reason}` };
        break;
      }
      case 'approval.expired': {
        const words = record.body.reason === 'deadline' ? 'nobody decided in time' : 'the gateway was started again while it waited';
        approval.end ??= { kind: 'expired', index, time, words };
        break;
      }
      case 'approval.withdrawn':
        approval.end ??= { kind: 'withdrawn', index, time, words: record.body.reason };
        break;
      case 'grant.used': {
        const { used } = approval;
        approval.used = { first: used?.first ?? time, last: time, count: (used?.count ?? 0) + 1 };
        if (approval.approved === undefined && approval.request?.breakGlass !== true) approval.early = true;
        break;
      }
      default:
        record satisfies never;
    }
  }

  *#sessionEnds(session: string): Generator<FollowedApproval> {
    for (const id of this.#ofSession.get(session) ?? []) {
      const approval = this.#open.get(id);
      if (approval?.request === undefined || approval.request.breakGlass || typeof approval.request.grants === 'number') continue;
      if (approval.approved === undefined) continue; // Its own end is recorded.
      this.#forget(approval);
      yield approval;
    }
  }

  #forget({ id, request }: FollowedApproval): void {
    this.#open.delete(id);
    if (request === undefined) return;
    const own = this.#ofSession.get(request.session);
    own?.delete(id);
    if (own?.size === 0) this.#ofSession.delete(request.session);
  }
}

/** Nothing more is expected: it ended, its one use was made, or it was reviewed. */
function isOver({ request, end, used, approved, decisions }: FollowedApproval): boolean {
  if (request?.breakGlass === true) return used !== undefined && decisions.length >= Math.max(1, request.needed);
  return end !== undefined || (used !== undefined && approved !== undefined && request?.grants === 'once');
}

export function approvalRecord(record: AuditRecord | undefined): ApprovalRecord | undefined {
  switch (record?.type) {
    case 'approval.asked':
    case 'approval.decided':
    case 'approval.expired':
    case 'approval.withdrawn':
    case 'grant.used':
    case 'review.signed':
      return record;
    default:
      return undefined;
  }
}

/** What the signature of a decision is worth, in words. */
export function signatureWords({ read }: FollowedDecision): string {
  if (read === undefined) return 'not checked: the request or the name of the ledger is not among what was read';
  return read.wrong === undefined ? 'good' : `NOT GOOD: it ${read.wrong}`;
}

/** Why a decision should not be there, in words. */
export function conflictWords({ asked, request }: FollowedApproval, { record, read }: FollowedDecision): string | undefined {
  if (request === undefined) return undefined;
  const conflict = conflictOfInterest(request, record);
  if (conflict !== undefined) return conflict;
  if (read !== undefined && read.fingerprint === asked?.actor.authentication?.key)
    return `${record.actor.principal} signed with the key that ${request.principal} had logged in with`;
  return undefined;
}
