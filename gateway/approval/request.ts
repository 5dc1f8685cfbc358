import { createHash } from 'node:crypto';
import { type ApprovalRequest, boundText, MAX_REQUEST_BYTES } from '../../contract/approval.ts';
import { canonicalText } from '../../contract/canonical.ts';
import type { Actor, Resource } from '../../contract/record.ts';
import { isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { uuidV7 } from '../base/ids.ts';
import type { ApprovalRule } from './approval-rule.ts';

/** What somebody wants to do and may not without consent. */
export interface Wish
  extends Pick<
    ApprovalRequest,
    'principal' | 'kind' | 'onBehalfOf' | 'source' | 'target' | 'session' | 'channel' | 'action' | 'facts' | 'policies' | 'policySet'
  > {
  readonly rule: string;
  /** Each use is to be asked about: what was granted before does not cover it. */
  readonly eachUse?: boolean;
  readonly justification?: string;
  readonly actor: Actor;
  readonly resource: Resource;
}

/** What reviewers are asked; `now` is the wall clock in microseconds. Throws APPROVAL_UNAVAILABLE for what could not be shown to them. */
export function requestOf(wish: Wish, rule: ApprovalRule, now: number): ApprovalRequest {
  const { principal, kind, onBehalfOf, source, target, session, channel, action, facts, policies, policySet, justification } = wish;
  const bound = { principal, ...(onBehalfOf === undefined ? {} : { onBehalfOf }), target, action, facts, policySet, rule: rule.name };
  let request: ApprovalRequest;
  try {
    request = {
      id: uuidV7(now),
      ...bound,
      digest: createHash('sha256').update(boundText(bound)).digest('hex'),
      kind,
      source,
      session,
      ...(channel === undefined ? {} : { channel }),
      policies,
      asked: isoMicros(now),
      expires: isoMicros(now + rule.withinSeconds * 1e6),
      needed: rule.needed,
      reasonRequired: rule.reasonRequired,
      grants: rule.grants,
      breakGlass: rule.breakGlass,
      ...(justification === undefined ? {} : { justification }),
    };
    if (Buffer.byteLength(canonicalText(request)) <= MAX_REQUEST_BYTES) return request;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw unavailable(`this cannot be shown to a reviewer: ${error.message}`);
  }
  throw unavailable(
    `this is longer than the ${MAX_REQUEST_BYTES} bytes that can be shown to a reviewer`,
    'make it shorter, for example by putting it into a file first',
  );
}

/** Of a rule that is not in the configuration any more: whoever is an active reviewer may still close what it left open. */
export function ruleOf({ rule, needed, reasonRequired, grants, breakGlass }: ApprovalRequest): ApprovalRule {
  return { name: rule, reviewers: { groups: [], names: [] }, needed, withinSeconds: 0, reasonRequired, grants, breakGlass };
}

/** For the person who waits: whose consent it takes. */
export function whomOf({ reviewers, needed }: ApprovalRule): string {
  const named = [...reviewers.names, ...reviewers.groups.map((group) => `the group ${group}`)];
  const whom = named.length === 0 ? 'a reviewer' : named.join(' or ');
  return needed === 1 ? whom : `${needed} of ${whom}`;
}

/** `12:34:56 UTC` of an ISO 8601 time. */
export function clockTime(time: string): string {
  return `${time.slice(11, 19)} UTC`;
}

export function unavailable(what: string, remedy?: string): SallyportError {
  return new SallyportError(
    'APPROVAL_UNAVAILABLE',
    `an approval is needed and cannot be asked for: ${what}`,
    remedy === undefined ? {} : { remedy },
  );
}
