import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { descendants, killIfThere } from './processes.ts';

/**
 * A test that waits in vain fails by its time limit, in its own process. One that keeps that process busy for ever can't
 * even be told to stop: the run is given up, and this says where it was.
 */
export class SilenceReporter implements Reporter {
  readonly #seconds: number;
  readonly #running = new Map<TestModule, { heard: number; at: string }>();
  #timer: NodeJS.Timeout | undefined;

  /** More seconds than any test may take. */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  onTestRunStart(): void {
    this.#timer ??= setInterval(() => this.#look(), (this.#seconds * 1000) / 20);
    this.#timer.unref();
  }

  onTestModuleStart(module: TestModule): void {
    this.#hear(module, 'that its preparation begins');
  }

  onTestCaseReady(test: TestCase): void {
    this.#hear(test.module, `that "${test.fullName}" begins`);
  }

  onTestCaseResult(test: TestCase): void {
    this.#hear(test.module, `that "${test.fullName}" is over`);
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module);
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
  }

  #hear(module: TestModule, at: string): void {
    this.#running.set(module, { heard: performance.now(), at });
  }

  #look(): void {
    const silent = [...this.#running].filter(([, { heard }]) => performance.now() - heard > this.#seconds * 1000);
    if (silent.length === 0) return;
    for (const [module, { at }] of silent)
      process.stderr.write(`${module.relativeModuleId} has said nothing for ${this.#seconds} seconds. What was heard last is ${at}.\n`);
    for (const pid of descendants(process.pid)) killIfThere(pid);
    process.exit(1);
  }
}
