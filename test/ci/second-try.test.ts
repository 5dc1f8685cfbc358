import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { FileOutcome } from '../support/outcome-reporter.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const script = join(import.meta.dirname, '../../.ci/second-try.mjs');
const reporter = join(import.meta.dirname, '../support/outcome-reporter.ts');
const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');

const belongings = new Belongings();
afterEach(() => belongings.release());

/** A project of its own, whose tests find in `again` whether they were run before. */
class Project {
  readonly #directory = belongings.directory('project');
  readonly #report = join(this.#directory, 'report.json');
  readonly #environment = { PATH: process.env.PATH, HOME: this.#directory, NO_COLOR: '1', SALLYPORT_TEST_REPORT: this.#report };

  constructor(tests: Record<string, string>) {
    this.#write('package.json', '{ "private": true, "type": "module", "scripts": { "test": "node run.mjs" } }');
    this.#write('run.mjs', RUN);
    this.#write('vitest.config.mjs', CONFIG);
    for (const [name, text] of Object.entries(tests)) this.#write(name, `${HEAD}${text}`);
  }

  /** The last line of counts, and what was said. */
  async tried(): Promise<{ counts: string; said: string; status: number | null }> {
    const first = await run(process.execPath, ['run.mjs'], { cwd: this.#directory, env: this.#environment });
    return this.triedAfter(first.status);
  }

  async triedAfter(status: number | null): Promise<{ counts: string; said: string; status: number | null }> {
    const counts = join(this.#directory, 'counts');
    const words = [script, String(status), this.#report, counts];
    const finished = await run(process.execPath, words, { cwd: this.#directory, env: this.#environment });
    expect(finished.status, finished.stderr).toBe(0);
    return { counts: readFileSync(counts, 'utf8').trim(), said: finished.stdout.toString(), status };
  }

  /** As if this had been the run. */
  report(files: readonly FileOutcome[], errors: readonly string[] = []): void {
    writeFileSync(this.#report, JSON.stringify({ files, errors }));
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#directory, name), text);
  }
}

const RUN = `
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
const { status } = spawnSync(process.execPath, [${JSON.stringify(vitest)}, 'run', ...process.argv.slice(2)], { stdio: 'inherit' });
appendFileSync('runs', 'x');
process.exit(status ?? 1);
`;
const CONFIG = `
import { OutcomeReporter } from ${JSON.stringify(reporter)};
export default { test: { globals: true, include: ['*.test.mjs'], reporters: [new OutcomeReporter(process.env.SALLYPORT_TEST_REPORT)] } };
`;
const HEAD = `
import { existsSync } from 'node:fs';
const again = existsSync('runs');
`;

const whole: FileOutcome = { file: 'whole.test.mjs', passed: 1, skipped: 0, failures: [] };

describe('the second try of test files that failed', () => {
  it('counts what passes then as passed, and names it with what it failed with', async () => {
    const { counts, said, status } = await new Project({
      'test.test.mjs': `
        it('always', () => {});
        describe('of a group', () => it('on a bad day', () => expect(again, 'a bad day').toBe(true)));
        it.skip('not today', () => {});`,
      'hook.test.mjs': `describe('group', () => { beforeAll(() => expect(again).toBe(true)); it('in it', () => {}); });`,
      'load.test.mjs': `if (!again) throw new Error('will not load'); it('is there', () => {});`,
      'error.test.mjs': `it('leaves an error', async () => {
          if (!again) setTimeout(() => { throw new Error('nobody caught me'); }, 1);
          await new Promise((done) => setTimeout(done, 100));
        });`,
      'death.test.mjs': `it('dies', () => { if (!again) process.kill(process.pid, 'SIGKILL'); });`,
      'whole.test.mjs': `it('is whole', () => expect(again, 'whole files are not run again').toBe(false));`,
    }).tried();
    expect(status).toBe(1);
    expect(counts).toBe('7 0 1');
    expect(said).toMatch(/a bad day: expected[\s\S]*\n== passed only when run by itself: test\.test\.mjs > of a group > on a bad day\n/);
    expect(said).toMatch(/\n== passed only when run by itself: hook\.test\.mjs > group \(around its tests\)\n/);
    expect(said).toMatch(/will not load[\s\S]*\n== passed only when run by itself: load\.test\.mjs\n/);
    expect(said).toMatch(/nobody caught me[\s\S]*\n== passed only when run by itself: error\.test\.mjs\n/);
    expect(said).toMatch(/exited unexpectedly[\s\S]*\n== passed only when run by itself: death\.test\.mjs\n/);
    expect(said).not.toContain('whole.test.mjs');
  });

  it('lets fail what fails again, what is skipped instead, and what only the second run brings', async () => {
    const { counts, said } = await new Project({
      'again.test.mjs': `it('passes', () => {}); it('is wrong', () => expect(1).toBe(2));`,
      'skipped.test.mjs': `it.skipIf(again)('hides', () => expect(1).toBe(2)); it('passes', () => {});`,
      'other.test.mjs': `it('first', () => expect(again).toBe(true)); it('then', () => expect(again).toBe(false));`,
    }).tried();
    expect(counts).toBe('3 3 0');
    expect(said).not.toContain('passed only');
  });

  it('is not for more than five files', async () => {
    const project = new Project({});
    project.report(Array.from({ length: 6 }, (_, index) => ({ ...whole, file: `${index}`, failures: [{ test: 'it', message: 'no' }] })));
    const { counts, said } = await project.triedAfter(1);
    expect(counts).toBe('6 6 0');
    expect(said).toContain('too many for bad luck');
  });

  it('proves nothing of a run that broke off, or failed for a reason that it does not give', async () => {
    const project = new Project({});
    expect((await project.triedAfter(124)).counts).toBe('0 1 0');
    project.report([whole]);
    expect((await project.triedAfter(0)).counts).toBe('1 0 0');
    const { counts, said } = await project.triedAfter(137);
    expect(counts).toBe('1 1 0');
    expect(said).toContain('did not run to their end (status 137)');
    project.report([]);
    expect((await project.triedAfter(0)).counts).toBe('0 1 0');
    project.report([whole], ['it came from nowhere']);
    expect((await project.triedAfter(1)).counts).toBe('1 1 0');
  });
});
