import type { TargetFacts } from '../../contract/policy.ts';
import { circumstancesOf } from './decision-facts.ts';
import type { Authenticated } from './session.ts';
import type { SessionParts } from './session-parts.ts';

/** The targets that somebody may connect to, by name. Others do not exist for them. */
export async function targetsFor(who: Authenticated, parts: Pick<SessionParts, 'inForce' | 'clock'>): Promise<readonly TargetFacts[]> {
  const now = parts.clock.wallMicros();
  const allowed = await parts.inForce().policy.visibleTargets(who.facts, circumstancesOf(who.actor, now, now));
  const only = who.restrictions?.targets;
  return only === undefined ? allowed : allowed.filter(({ name }) => only.includes(name));
}
