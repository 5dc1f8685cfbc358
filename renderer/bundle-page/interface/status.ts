import type { StepState } from '../../evidence/step.ts';
import type { Verification } from '../../evidence/verification.ts';
import { counted } from './format.ts';

/** One word for a state, and its sign: colour never says it alone. */
export const signs: Record<StepState, { sign: string; word: string }> = {
  waiting: { sign: '○', word: 'waiting' },
  running: { sign: '◌', word: 'running' },
  passed: { sign: '✓', word: 'passed' },
  failed: { sign: '✗', word: 'failed' },
  limited: { sign: '!', word: 'could not be checked here' },
};

export interface Overall {
  state: StepState;
  words: string;
}

/** All steps in a few words. */
export function overall(verification: Verification): Overall {
  const steps = verification.list;
  const faults = steps.reduce((sum, step) => sum + step.findings.length + step.more, 0);
  const done = steps.filter(({ state }) => state !== 'waiting' && state !== 'running').length;
  if (faults > 0)
    return {
      state: 'failed',
      words: `${counted(faults, 'fault')} found${verification.finished ? '' : `, step ${done + 1} of ${steps.length}`}`,
    };
  if (!verification.finished) return { state: 'running', words: `Verifying, step ${Math.min(done + 1, steps.length)} of ${steps.length}` };
  if (steps.some(({ state }) => state === 'limited')) return { state: 'limited', words: 'Verified as far as this browser can' };
  return { state: 'passed', words: 'Verified' };
}
