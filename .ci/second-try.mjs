// Runs the test files that failed once more, by themselves, and counts: `node second-try.mjs STATUS REPORT COUNTS`, with the
// exit status of the run, what test/support/outcome-reporter.ts wrote of it, and where to write `passed failed skipped`.
// A test that fails on a busy machine and passes on a quiet one must not keep a good change out; but it is to be mended,
// so it is named. Many failed files are no bad luck, and a run that broke off proves nothing: those are not tried again.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const MOST_FILES = 5;
const [status, report, counts] = process.argv.slice(2);
const say = (/** @type {string} */ text) => process.stdout.write(`${text}\n`);

/** Undefined when the run did not come to its end. */
function readReport(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function runAlone(files) {
  const second = `${report}.second`;
  const words = ['--kill-after=60s', '10m', 'npm', 'test', '--', '--no-file-parallelism', ...files];
  spawnSync('timeout', words, { stdio: 'inherit', env: { ...process.env, SALLYPORT_TEST_REPORT: second } });
  return readReport(second);
}

/** What was skipped instead has not passed. */
function hasPassed(first, second) {
  return second !== undefined && second.failures.length === 0 && second.passed > 0 && second.skipped <= first.skipped;
}

function tryAgain(run) {
  const failed = run.files.filter(({ failures }) => failures.length > 0);
  if (failed.length === 0) return run;
  if (failed.length > MOST_FILES) {
    say(`\n== ${failed.length} test files failed, too many for bad luck: none is tried again`);
    return run;
  }
  say(`\n== ${failed.length} test file(s) failed; once more, by themselves`);
  const again = runAlone(failed.map(({ file }) => file));
  const errors = [...run.errors, ...(again?.errors ?? [])];
  const files = run.files.map((first) => {
    if (first.failures.length === 0) return first;
    const second = again?.files.find(({ file }) => file === first.file);
    if (!hasPassed(first, second)) return second !== undefined && second.failures.length > 0 ? second : first;
    for (const { test, message } of first.failures)
      say(`\n${message}\n== passed only when run by itself: ${first.file}${test === undefined ? '' : ` > ${test}`}`);
    return second;
  });
  return { files, errors };
}

const first = readReport(report);
let passed = 0;
let failed = 0;
let skipped = 0;
if (first !== undefined) {
  const { files, errors } = tryAgain(first);
  for (const error of errors) say(`\n== an error that nobody caught, of no test file: ${error}`);
  failed += errors.length;
  for (const file of files) {
    passed += file.passed;
    failed += file.failures.length;
    skipped += file.skipped;
  }
}
// A run that broke off, or failed for a reason that is not in its report, has failed.
const explained =
  first !== undefined && (status === '0' || first.errors.length > 0 || first.files.some(({ failures }) => failures.length > 0));
if (!explained || passed + failed === 0) {
  say(`\n== the tests did not run to their end (status ${status})`);
  failed += 1;
}
writeFileSync(counts, `${passed} ${failed} ${skipped}\n`);
