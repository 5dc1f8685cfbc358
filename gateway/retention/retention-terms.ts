import { LONGEST_GRANT_SECONDS } from '../../contract/approval.ts';
import { isoMicros } from '../base/clock.ts';

/** How long recordings are kept: seconds from the end of their session. */
export interface RetentionTerms {
  /** By name; the tags of each are taken into account. */
  readonly targets: ReadonlyMap<string, number>;
  /** For records that belong to no session. */
  readonly refusals: number;
  /** For targets that are not listed any more: a line that was removed must not cost evidence that can't be had again. */
  readonly unlisted: number;
}

/** The part of the configuration that decides. */
export interface RetentionSettings {
  readonly recording: {
    readonly retainSeconds: number;
    readonly retainByTag: readonly { readonly tags: Readonly<Record<string, string>>; readonly retainSeconds: number }[];
  };
  readonly targets: ReadonlyMap<string, { readonly tags: Readonly<Record<string, string>>; readonly retainSeconds?: number }>;
}

export function retentionTerms({ recording, targets }: RetentionSettings): RetentionTerms {
  const byTag = (own: Readonly<Record<string, string>>) =>
    recording.retainByTag.find(({ tags }) =>
      Object.entries(tags).every(([name, value]) => Object.hasOwn(own, name) && own[name] === value),
    );
  const terms = new Map<string, number>();
  for (const [name, target] of targets)
    terms.set(name, target.retainSeconds ?? byTag(target.tags)?.retainSeconds ?? recording.retainSeconds);
  const unlisted = Math.max(recording.retainSeconds, ...recording.retainByTag.map((rule) => rule.retainSeconds), ...terms.values());
  return { targets: terms, refusals: recording.retainSeconds, unlisted };
}

/** Far more than a connection takes to begin once it has the consent that it needs. */
const BEGINNING_SECONDS = 86_400;

/**
 * The time since when nothing may have been recorded of a connection that never came about: then it won't any more, and
 * no other can begin with a grant of its approval. `now` is wall clock microseconds.
 */
export function settledBefore(now: number): string {
  return isoMicros(now - (LONGEST_GRANT_SECONDS + BEGINNING_SECONDS) * 1_000_000);
}

export function termOf(target: string, terms: RetentionTerms): number {
  return terms.targets.get(target) ?? terms.unlisted;
}

export function shortestTerm(terms: RetentionTerms): number {
  return Math.min(terms.unlisted, ...terms.targets.values());
}
