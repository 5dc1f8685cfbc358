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

/** `12 ms`, `3.4 s`. */
export function tookWords(millis: number): string {
  if (millis < 1) return '< 1 ms';
  return millis < 1000 ? `${Math.round(millis)} ms` : `${(millis / 1000).toFixed(1)} s`;
}
