import type { ApprovalRequest } from '../../contract/approval.ts';
import type { Action, Decision } from '../../contract/policy.ts';
import type { Actor, Resource } from '../../contract/record.ts';
import { type Approvals, type Consent, clockTime } from '../approval/approvals.ts';

export interface WantedConsent {
  readonly decision: Decision;
  readonly action: Action;
  readonly facts: Readonly<Record<string, unknown>>;
  /** Undefined for the connection itself. */
  readonly channel: number | undefined;
  /** Consent that was given before does not count. */
  readonly eachUse?: boolean;
  readonly justification?: string;
  readonly signal?: AbortSignal;
}

/** A request that waits: what, for whom in words, until when. */
export interface WaitingConsent {
  readonly request: ApprovalRequest;
  readonly whom: string;
  readonly until: string;
}

/** Who asks, and where. */
interface Asker {
  readonly id: string;
  readonly actor: Actor;
  readonly resource: Resource;
}

/**
 * Obtains the consent that a decision asks for. Resolves when it is there and its use is durable; rejects with why there
 * is none. What still waits when `signal` aborts is withdrawn. `awaited` has the ids of the requests that wait.
 */
export async function obtainConsent(
  approvals: Approvals,
  { id: session, actor, resource }: Asker,
  { decision, action, facts, channel, eachUse = false, justification }: WantedConsent,
  signal: AbortSignal,
  awaited: Set<string>,
  asked: (waiting: WaitingConsent) => void,
): Promise<Consent> {
  const { principal, kind, onBehalfOf, source } = actor;
  let id: string | undefined;
  try {
    return await approvals.obtain(
      {
        principal,
        kind: kind === 'human' ? 'human' : 'agent',
        ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
        source,
        target: resource,
        session,
        ...(channel === undefined ? {} : { channel }),
        action,
        facts,
        policies: decision.policies,
        policySet: decision.policySet,
        rule: decision.rule ?? '',
        eachUse,
        ...(justification === undefined ? {} : { justification }),
        actor,
        resource,
      },
      signal,
      (request, whom) => {
        id = request.id;
        awaited.add(id);
        asked({ request, whom, until: clockTime(request.expires) });
      },
    );
  } finally {
    if (id !== undefined) awaited.delete(id);
  }
}
