import { number } from '../design/format.ts';
import type { BundleProgress } from './bundle-messages.ts';

export interface Verdict {
  readonly tone: 'plain' | 'ok' | 'ask' | 'deny';
  readonly words: string;
}

/** All steps in a few words. It says nothing of steps that have not run. */
export function verdictOf(progress: BundleProgress | undefined): Verdict {
  if (progress === undefined) return { tone: 'plain', words: 'Reading' };
  const { steps, finished } = progress;
  const faults = steps.reduce((sum, { findings, more }) => sum + findings.length + more, 0);
  const done = steps.filter(({ state }) => state !== 'waiting' && state !== 'running').length;
  const where = finished ? '' : `, step ${Math.min(done + 1, steps.length)} of ${steps.length}`;
  if (faults > 0) return { tone: 'deny', words: `${number(faults)} ${faults === 1 ? 'fault' : 'faults'} found${where}` };
  if (!finished) return { tone: 'plain', words: `Verifying${where}` };
  if (steps.some(({ state }) => state === 'failed')) return { tone: 'deny', words: 'Not verified' };
  if (steps.some(({ state }) => state === 'limited')) return { tone: 'ask', words: 'Verified as far as it can be here' };
  return { tone: 'ok', words: 'Verified' };
}

/** What the list of sessions says of each. Another object only when it says something else. */
export interface SessionEvidence {
  readonly faults: ReadonlyMap<string, number>;
  /** Of the bundle as a whole: nothing may look proved before all of it is. */
  readonly stands: 'running' | 'failed' | 'limited' | 'passed';
}

export function sessionEvidence(progress: BundleProgress | undefined, before: SessionEvidence | undefined): SessionEvidence {
  const faults = progress?.sessionFaults ?? new Map<string, number>();
  const stands = standsOf(progress);
  const same = before !== undefined && before.stands === stands && before.faults.size === faults.size;
  if (same && [...faults].every(([session, count]) => before.faults.get(session) === count)) return before;
  return { faults, stands };
}

function standsOf(progress: BundleProgress | undefined): SessionEvidence['stands'] {
  if (progress?.finished !== true) return 'running';
  if (progress.steps.some(({ state }) => state === 'failed')) return 'failed';
  // Transcripts and tables may be unsigned; what is replayed is proved by the ledger all the same.
  return progress.steps.some(({ id, state }) => state === 'limited' && id !== 'attestation') ? 'limited' : 'passed';
}

/** `12 ms`, `3.4 s`. */
export function tookWords(millis: number): string {
  if (millis < 1) return '< 1 ms';
  return millis < 1000 ? `${Math.round(millis)} ms` : `${(millis / 1000).toFixed(1)} s`;
}
