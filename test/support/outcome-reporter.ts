import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** A test file as a run left it. */
export interface FileOutcome {
  /** Relative to the project's folder. */
  file: string;
  passed: number;
  skipped: number;
  failures: Failure[];
}

export interface Failure {
  /** Undefined where it is the file as a whole: it could not be loaded, its preparation failed, nobody caught an error. */
  test?: string;
  message: string;
}

export interface RunOutcome {
  files: FileOutcome[];
  /** Errors that nobody caught and that belong to no file. */
  errors: string[];
}

/** Writes down for `.ci/run` what passed and what failed. vitest's own report has not the errors that nobody caught. */
export class OutcomeReporter implements Reporter {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const outcome: RunOutcome = { files: [], errors: [] };
    const byPath = new Map<string, FileOutcome>();
    for (const module of modules) {
      const file = outcomeOf(module);
      outcome.files.push(file);
      byPath.set(module.moduleId, file);
    }
    for (const error of unhandled) {
      const file = byPath.get(fileOf(error) ?? '');
      if (file === undefined) outcome.errors.push(wordsOf(error));
      else file.failures.push({ message: `an error that nobody caught: ${wordsOf(error)}` });
    }
    writeFileSync(this.#path, JSON.stringify(outcome));
  }
}

function outcomeOf(module: TestModule): FileOutcome {
  const outcome: FileOutcome = { file: module.relativeModuleId, passed: 0, skipped: 0, failures: [] };
  for (const test of module.children.allTests()) {
    const { state, errors } = test.result();
    if (state === 'passed') outcome.passed += 1;
    else if (state === 'skipped') outcome.skipped += 1;
    else outcome.failures.push({ test: test.fullName, message: errors?.map(wordsOf).join('\n') ?? 'it was never run to its end' });
  }
  // What fails around the tests leaves them skipped.
  for (const error of module.errors()) outcome.failures.push({ message: wordsOf(error) });
  for (const suite of module.children.allSuites())
    for (const error of suite.errors()) outcome.failures.push({ test: `${suite.fullName} (around its tests)`, message: wordsOf(error) });
  if (outcome.failures.length === 0 && !module.ok()) outcome.failures.push({ message: 'it failed without a word' });
  return outcome;
}

/** In which file it came about, as far as vitest says so. Of a process that died, the words of the cause do. */
function fileOf(error: SerializedError): string | undefined {
  const path: unknown = error.VITEST_TEST_PATH;
  if (typeof path === 'string') return path;
  return /while running test file (.+)$/m.exec(error.cause?.message ?? '')?.[1];
}

function wordsOf(error: { message?: string; stack?: string | undefined; cause?: { message?: string } | undefined }): string {
  const words = error.stack ?? error.message ?? 'it has no words';
  return error.cause?.message === undefined ? words : `${words}\n${error.cause.message}`;
}
