/** Where in the configuration something is: the keys and indices that lead there from the root. */
export type ConfigPath = readonly (string | number)[];

/** Something wrong at one place. Both texts are for people and never hold the value of a secret. */
export interface Finding {
  readonly path: ConfigPath;
  /** Whether the key itself is meant, or what it stands for. */
  readonly at: 'key' | 'value';
  /** What is wrong, without a full stop. */
  readonly problem: string;
  /** How to mend it: whole sentences. */
  readonly mend: string;
}

/** A finding with its place in the file; lines and columns count from 1. */
export interface ConfigFault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly problem: string;
  readonly mend: string;
}

/** A file that is nothing but faults would otherwise be answered with a report larger than itself. */
export const MAX_REPORTED_FAULTS = 1000;

/** One line, in the form that editors and terminals know from compilers. */
export function describeFault(fault: ConfigFault): string {
  return `${fault.file}:${fault.line}:${fault.column}: ${fault.problem}. ${fault.mend}`;
}

/** What somebody wrote, quoted for a message: short, and without anything that a terminal would obey. */
export function quoted(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');
  return `"${clean.length > 60 ? `${clean.slice(0, 60)}…` : clean}"`;
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** The known word that was probably meant; undefined when none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > 100) return undefined;
  let best: { distance: number; candidate: string } | undefined;
  const wanted = word.toLowerCase().replaceAll('_', '-');
  let looked = 0;
  for (const candidate of known) {
    // A suggestion is a courtesy: with very many names it is not worth the time.
    if (++looked > 500) break;
    if (Math.abs(candidate.length - word.length) > 2) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (best === undefined || distance < best.distance) best = { distance, candidate };
  }
  return best !== undefined && best.distance <= (wanted.length < 5 ? 1 : 2) ? best.candidate : undefined;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
