import type { Finding } from './finding.ts';

/** Told of one code. What has more of a kind is one attack, and its number says enough. */
const MOST_OF_A_CODE = 1000;

/** Counts findings, and lets through those that are worth telling one by one. */
export class FindingsLog {
  readonly counts = new Map<string, { severity: Finding['severity']; count: number }>();
  faults = 0;
  notices = 0;

  /** Whether this one is to be told. */
  take({ severity, code }: Finding): boolean {
    if (severity === 'fault') this.faults += 1;
    else this.notices += 1;
    const known = this.counts.get(code);
    if (known === undefined) {
      this.counts.set(code, { severity, count: 1 });
      return true;
    }
    known.count += 1;
    return known.count <= MOST_OF_A_CODE;
  }

  /** Codes of which more were found than told, and how many more. */
  *untold(): Generator<{ code: string; severity: Finding['severity']; more: number }> {
    for (const [code, { severity, count }] of this.counts)
      if (count > MOST_OF_A_CODE) yield { code, severity, more: count - MOST_OF_A_CODE };
  }
}
