import { createHash } from 'node:crypto';
import type { ApprovalState } from '../../../contract/approval.ts';
import type { AuditRecord } from '../../../contract/record.ts';
import { canonicalBytes } from '../../ledger/canonical-json.ts';
import { conflictOfInterest, type ReadDecision, type RecordedRequest, type SignedRecord } from './signed-decision.ts';

/** A request as far as the records up to a point of the ledger tell. */
export interface FollowedApproval {
  /** Once it is approved, without the facts, which may be long: nothing is compared with them any more. */
  request: RecordedRequest;
  /** SHA-256 of the facts, as the record of the action has it. */
  facts: string;
  /** Of the record that asks. */
  index: number;
  /** Fingerprint of the key with which the principal had logged in. */
  principalKey: string | undefined;
  state: ApprovalState;
  /** Of the record that made it so. */
  stateIndex: number;
  /** When the last of the approvals that were needed was recorded. */
  approvedAt: string | undefined;
  decisions: number;
  /** Who approved, or reviewed, and with which keys. Everybody who decided is in them once. */
  reviewers: Set<string>;
  keys: Set<string>;
  approvals: number;
  uses: number;
  lastUse: number;
}

/** The time of a record is that of writing it down, a moment after it was decided that it is in time. */
const LEEWAY_MILLIS = 2000;

export function followed(index: number, { actor, body: { request } }: AuditRecord<'approval.asked'>): FollowedApproval {
  return {
    request,
    facts: createHash('sha256').update(canonicalBytes(request.facts)).digest('hex'),
    index,
    principalKey: actor.authentication?.key,
    state: request.breakGlass ? 'review' : 'waiting',
    stateIndex: index,
    approvedAt: undefined,
    decisions: 0,
    reviewers: new Set(),
    keys: new Set(),
    approvals: 0,
    uses: 0,
    lastUse: index,
  };
}

/** Takes a decision into account, and says what about it cannot be, apart from its signature. */
export function* decisionFaults(
  approval: FollowedApproval,
  index: number,
  record: SignedRecord,
  read: ReadDecision | undefined,
): Generator<string> {
  const { request } = approval;
  const { actor, body, time, type } = record;
  const { principal } = actor;
  const isReview = type === 'review.signed';
  const key = read?.key ?? body.key;
  approval.decisions += 1;
  if (body.digest !== request.digest) yield `The decision is about another digest than the request had (record ${approval.index})`;
  const conflict = conflictOfInterest(request, record);
  if (conflict !== undefined) yield `${conflict}: nobody approves their own access, or that of their own agent`;
  if (read !== undefined && read.fingerprint === approval.principalKey)
    yield `${principal} decided with the key ${read.fingerprint}, with which ${request.principal} had logged in`;
  if (isReview !== request.breakGlass)
    yield isReview
      ? 'A review is recorded of what was no emergency access'
      : 'Emergency access is decided on like a request that waits, instead of being reviewed';
  if (request.reasonRequired && body.reason.trim() === '') yield 'The rule wants a reason, and the decision has none';
  if (!isReview && isLater(time, request.expires, LEEWAY_MILLIS))
    yield `The decision of ${principal} is dated ${time}, after the request had expired (${request.expires})`;
  const again = approval.reviewers.has(principal);
  if (again) yield `${principal} decided on the same request a second time`;
  else if (approval.keys.has(key)) yield `The decision of ${principal} was signed with a key that has decided on the same request already`;
  // What is not known to be the word of one more reviewer does not count towards those that are needed.
  const counts = conflict === undefined && read?.wrong === undefined && !again && !approval.keys.has(key);
  approval.reviewers.add(principal);
  approval.keys.add(key);
  if (counts && (isReview || body.verdict === 'approve')) approval.approvals += 1;
  yield* stateFaults(approval, index, record);
}

function* stateFaults(approval: FollowedApproval, index: number, record: SignedRecord): Generator<string> {
  const { state, approvals, request } = approval;
  const enough = approvals >= Math.max(1, request.needed);
  if (record.type === 'review.signed') {
    if (state === 'review' && enough) become(approval, 'reviewed', index);
    return;
  }
  if (state !== 'waiting') return;
  const recorded = record.body.state;
  const follows = record.body.verdict === 'deny' ? 'denied' : enough ? 'approved' : 'waiting';
  if (recorded !== follows)
    yield recorded === 'approved'
      ? `The request counts as approved with ${approvals} of the ${request.needed} approvals that it needs`
      : `The request is recorded as ${recorded} after this decision, from which follows that it is ${follows}`;
  // As it is recorded: that this is wrong was told, and what rests on it is told by the same words.
  become(approval, recorded, index);
  if (recorded === 'approved') approval.approvedAt = record.time;
}

/** It can be decided on. */
export function isUndecided({ state }: FollowedApproval): boolean {
  return state === 'waiting' || state === 'review';
}

export function become(approval: FollowedApproval, state: ApprovalState, index: number): void {
  if (approval.state === state) return;
  approval.state = state;
  if (state === 'approved') approval.request = { ...approval.request, facts: {} };
  approval.stateIndex = index;
}

/** Takes a use into account, and says what about it cannot be. */
export function* useFaults(approval: FollowedApproval, index: number, record: AuditRecord<'grant.used'>): Generator<string> {
  const { request, state } = approval;
  const { body, actor, time, session } = record;
  const { grants } = request;
  if (body.digest !== request.digest || body.action !== request.action)
    yield `The grant is used for something else than was approved: ${body.action === request.action ? 'the digest' : 'the action'} differs from the request's (record ${approval.index})`;
  if (body.askedIn !== request.session)
    yield `The grant is used as one that was asked for in another session than it was (record ${approval.index})`;
  if (actor.principal !== request.principal || actor.onBehalfOf !== request.onBehalfOf)
    yield `The grant is used by ${actor.principal}, and was approved for ${request.principal}`;
  if (state !== 'approved' && state !== 'review' && state !== 'reviewed')
    yield state === 'waiting'
      ? 'The grant is used before the request was approved'
      : `The grant is used although the request was ${state} (record ${approval.stateIndex})`;
  if (grants === 'once' && approval.uses > 0) yield usedAgain(approval.lastUse);
  if (grants === 'session' && session !== request.session)
    yield 'The grant is used in another session than the one that it was approved for';
  const from = request.breakGlass ? request.asked : approval.approvedAt;
  if (typeof grants === 'number' && from !== undefined && isLater(time, from, grants * 1000 + LEEWAY_MILLIS))
    yield `The grant is used at ${time}, and was good for ${grants} s from ${from}`;
  approval.uses += 1;
  approval.lastUse = index;
}

export function usedAgain(before: number): string {
  return `The grant is used a second time, and is good for one use (the first is record ${before})`;
}

/** `margin` in milliseconds. What cannot be read as a time is not later. */
function isLater(time: string, than: string, margin: number): boolean {
  return Date.parse(time) - Date.parse(than) > margin;
}
