import { wordsOf } from './data-fault.ts';

export type StepState = 'waiting' | 'running' | 'passed' | 'failed' | 'limited';

/** Where a finding is, so that the interface can lead there. */
export interface Finding {
  words: string;
  session?: string;
  index?: number;
  channel?: number;
  segment?: number;
}

/** One step of the verification, as it is shown. */
export interface Step {
  readonly id: string;
  readonly title: string;
  /** What it proves when it passes, and what it cannot prove. */
  readonly proves: string;
  readonly limits: string;
  state: StepState;
  /** One sentence: what was found. */
  result: string;
  findings: Finding[];
  /** Findings beyond those that are kept. */
  more: number;
  /** 0 to 1 while it runs. */
  progress: number;
  tookMs: number;
}

export type StepId = 'records' | 'tree' | 'signature' | 'segments' | 'sessions' | 'range';

const MOST_FINDINGS = 500;

export function step(id: string, title: string, proves: string, limits: string): Step {
  return { id, title, proves, limits, state: 'waiting', result: 'Waiting', findings: [], more: 0, progress: 0, tookMs: 0 };
}

export function newSteps(): Record<StepId, Step> {
  return {
    records: step(
      'records',
      'Records have the hashes in the ledger',
      'The SHA-256 of every record in this bundle is computed from its bytes and found at its place in the ledger. A record that was edited, moved or added shows here.',
      'It does not say that the ledger itself is the right one; the next two steps do.',
    ),
    tree: step(
      'tree',
      'The ledger adds up to its checkpoint',
      'The hashes are combined, pair by pair, up to a single one: the root in the checkpoint. Nothing below it can change without changing the root.',
      'Entries of sessions that were not asked for are only here as hashes. What they say cannot be seen.',
    ),
    signature: step(
      'signature',
      'The checkpoint is signed by the gateway',
      'The Ed25519 signature on the checkpoint fits the log’s public key: whoever holds that key vouched for this root.',
      'Whose key it is, no file can prove. Compare its fingerprint with one that you got another way.',
    ),
    segments: step(
      'segments',
      'Recordings are what was sealed',
      'Every part of every recording has the length and the SHA-256 that its record says. What replays here is what the gateway recorded, byte for byte.',
      'Binary content that is only counted (bulk) is known by its digest; attachments are checked by verify.sh.',
    ),
    sessions: step(
      'sessions',
      'Sessions are complete',
      'Every session has its beginning and its end, every channel all its parts without a gap, and the list in this page says what the records say.',
      'A session that was never recorded leaves nothing to find. The gateway hands nothing on before it is recorded.',
    ),
    range: step(
      'range',
      'Nothing is missing in the range',
      'The numbers of records in this bundle and of entries elsewhere add up to the range of the ledger that the question covers.',
      'That the ledger was not cut off or exchanged as a whole rests on a checkpoint that you obtained another way. Compare one below.',
    ),
  };
}

export function addFinding(step: Step, finding: Finding): void {
  if (step.findings.length < MOST_FINDINGS) step.findings.push(finding);
  else step.more += 1;
}

/**
 * Runs one step, and says how it ended and how long it took. `work` gives the sentence of its result, adds findings, and
 * may call a step `limited` that could not be made here.
 */
export async function runStep(step: Step, changed: () => void, work: (step: Step) => Promise<string> | string): Promise<void> {
  const begun = performance.now();
  step.state = 'running';
  step.result = 'Running';
  changed();
  await breath();
  try {
    step.result = await work(step);
  } catch (thrown) {
    // A fault of the page itself is shown as what it is; it must never look like a step that passed.
    addFinding(step, { words: `This step broke off: ${wordsOf(thrown)}` });
    step.result = 'This step broke off.';
  }
  if (step.findings.length > 0) step.state = 'failed';
  else if (step.state === 'running') step.state = 'passed';
  step.progress = 1;
  step.tookMs = performance.now() - begun;
  changed();
}

/** Told at most a hundred times a step. */
export function makeProgress(step: Step, done: number, changed: () => void): void {
  if (done - step.progress < 0.01) return;
  step.progress = done;
  changed();
}

export function faultCount(step: Step): string {
  const count = step.findings.length + step.more;
  return count === 1 ? '1 fault' : `${number(count)} faults`;
}

export function number(value: number): string {
  return value.toLocaleString('en');
}

/** Gives the browser a turn, so that the page draws and answers. */
export function breath(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** Rests whenever the page has had no turn for as long as a frame takes. */
export function paced(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < 12) return;
    await breath();
    since = performance.now();
  };
}
