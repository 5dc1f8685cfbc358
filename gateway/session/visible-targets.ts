import type { TargetFacts } from '../../contract/policy.ts';
import { visibleTargets } from '../policy/decide.ts';
import type { Authenticated } from './session.ts';
import type { SessionParts } from './session-parts.ts';

/** The targets that somebody may connect to, by name. Others do not exist for them. */
export function targetsFor(who: Authenticated, parts: Pick<SessionParts, 'inForce'>): readonly TargetFacts[] {
  return visibleTargets(who.facts, parts.inForce().policy);
}
