import type { z } from 'zod';
import { type ConfigPath, type Finding, MAX_REPORTED_FAULTS, nearest, quoted } from './fault.ts';
import { kindOf, partOf } from './values.ts';

/** What is wrong with a configuration, as it is found. Keeps as many as are reported, and counts the others. */
export class Findings {
  readonly all: Finding[] = [];
  /** How many were left out. */
  more = 0;

  /** A mend that takes time is only worked out when it will be read. */
  add(path: ConfigPath, at: 'key' | 'value', problem: string, mend: string | (() => string)): void {
    if (this.all.length >= MAX_REPORTED_FAULTS) {
      this.more++;
      return;
    }
    this.all.push({ path, at, problem, mend: typeof mend === 'string' ? mend : mend() });
  }

  get none(): boolean {
    return this.all.length === 0;
  }

  /** Reads a value by its schema; undefined when something is wrong with it, which is then among the findings. */
  read<T>(schema: z.ZodType<T>, value: unknown, path: ConfigPath): T | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) this.#addIssue(issue, value, path);
    return undefined;
  }

  #addIssue(issue: z.core.$ZodIssue, value: unknown, base: ConfigPath): void {
    const inner = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    const path = [...base, ...inner];
    if (issue.code === 'unrecognized_keys') {
      const known = issue.message.split(', ');
      for (const key of issue.keys)
        this.add([...path, key], 'key', `unknown key ${quoted(key)}`, () => didYouMean(key, known) ?? `Known here: ${known.join(', ')}.`);
      return;
    }
    const params = issue.code === 'custom' ? issue.params : undefined;
    const wrong = valueAt(value, inner);
    if (wrong === undefined || params?.missing === true) {
      this.add(path, 'value', `${quoted(String(path.at(-1) ?? 'the file'))} is missing`, issue.message);
    } else if (typeof params?.problem === 'string') {
      this.add(path, 'value', params.problem, issue.message);
    } else if (issue.code === 'invalid_value' && typeof wrong === 'string') {
      this.add(path, 'value', `${quoted(wrong)} is not known here`, () =>
        [didYouMean(wrong, issue.values.map(String)), issue.message].filter(Boolean).join(' '),
      );
    } else {
      this.add(path, 'value', `${kindOf(wrong)} stands where ${expectation(issue)} belongs`, issue.message);
    }
  }
}

export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const candidate = nearest(word, known);
  return candidate === undefined ? undefined : `Did you mean ${quoted(candidate)}?`;
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return 'something else';
  return { array: 'a list', object: 'a section', boolean: 'true or false' }[issue.expected as string] ?? issue.expected;
}

function valueAt(value: unknown, path: ConfigPath): unknown {
  return path.reduce(partOf, value);
}
