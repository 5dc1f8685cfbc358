import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Circumstances, Decision } from '../../contract/policy.ts';
import type { Actor, RecordBody, Resource } from '../../contract/record.ts';
import type { SessionTarget } from './session-parts.ts';

export function resourceOf(target: SessionTarget): Resource {
  const { name, kind, address } = target;
  if (address === undefined) return { name, kind };
  return { name, kind, address: typeof address === 'string' ? address : `${address.host}:${address.port}` };
}

export function decisionBody({ verdict, policies, policySet, rule }: Decision): RecordBody<'action.decided'>['decision'] {
  return { verdict, policies: [...policies], policySet, ...(rule === undefined ? {} : { rule }) };
}

/** How somebody asks, at a moment; times are microseconds of the wall clock. A clock that was set back makes no age negative. */
export function circumstancesOf(actor: Actor, now: number, openedAt: number): Circumstances {
  const sessionAge = Math.max(0, Math.floor((now - openedAt) / 1e6));
  return { time: now, source: actor.source, authentication: actor.authentication?.method ?? 'none', sessionAge };
}

/** SHA-256 of the canonical JSON of an action's facts, in hexadecimal. */
export function factsDigest(facts: Readonly<Record<string, unknown>>): string {
  return createHash('sha256')
    .update(canonicalize(facts) ?? '')
    .digest('hex');
}
