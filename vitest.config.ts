import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { OutcomeReporter } from './test/support/outcome-reporter.ts';
import { SilenceReporter } from './test/support/silence-reporter.ts';

const report = process.env.SALLYPORT_TEST_REPORT;

export default defineConfig({
  test: {
    // Of the console's components, .tsx: they begin with `// @vitest-environment happy-dom`.
    include: ['test/**/*.test.{ts,tsx}'],
    globalSetup: ['test/support/built-console.ts'],
    // Processes, not threads: native modules, signals and process.exit behave as they do in the gateway.
    pool: 'forks',
    // One more than there are cores: on two of them, two leave a quarter of the time unused while they wait.
    maxWorkers: availableParallelism() + 1,
    // What Node made of the source at the first start of a gateway or a command; the thousand others of a run begin with it.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/sallyport-tests') },
    retry: 0,
    passWithNoTests: false,
    allowOnly: process.env.CI === undefined,
    // Real clients and servers start and stop within a test, on machines with two busy cores.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 45_000 } },
    teardownTimeout: 20_000,
    reporters: ['default', new SilenceReporter(330), ...(report === undefined ? [] : [new OutcomeReporter(report)])],
  },
});
