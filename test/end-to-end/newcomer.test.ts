import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type IPty, spawn } from 'node-pty';
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { approveAsTold, watchFor } from '../support/console.ts';
import { sallyport } from '../support/gateway.ts';
import { descendants, killIfThere } from '../support/processes.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

/**
 * Somebody who has never seen Sallyport, with a terminal and a browser, and nothing to read but what both show. Every
 * address and every command is taken from what was printed.
 */

const belongings = new Belongings();
afterAll(() => belongings.release());

const root = join(import.meta.dirname, '../..');
const faults: string[] = [];

test('npm start; replay the demo session; a session watched live; a command approved and run; a bundle exported and verified', async () => {
  const directory = join(belongings.directory('newcomer'), 'demo');
  const { program, said } = await npmStart(directory);

  const address = /^ {2}(https:\/\/127\.0\.0\.1:\d+\/#code=\S+)$/m.exec(said)?.[1] ?? '';
  const browser = await startBrowser(belongings);
  const context = await browser.newContext({ ignoreHTTPSErrors: true, acceptDownloads: true, viewport: { width: 1360, height: 820 } });
  const page = await context.newPage();
  watchFor(page, faults);
  await page.goto(address);

  await replaysTheFirstSession(page);
  const shell = await watchesAShell(page, commandIn(said, 'a shell as the agent'));
  const file = await approvesACommand(page, commandIn(said, 'waits for your approval'));
  expect(existsSync(file)).toBe(true);
  shell.write('exit\r');
  const bundle = await exportsAndVerifies(page, directory);

  const verified = await sallyport(['verify', bundle]);
  expect(verified.status, verified.stdout.toString()).toBe(0);
  expect(faults).toEqual([]);
  pressControlC(program);
  expect((await ended(program)).status).toBe(0);
}, 240_000);

async function npmStart(directory: string) {
  const words = ['start', '--silent', '--', '--data', directory];
  const program = startProgram('npm', words, {
    cwd: root,
    // As on a machine without a display: the address is printed.
    env: plainEnvironment({ SALLYPORT_NO_BROWSER: '1' }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  belongings.add(() => {
    const { pid } = program;
    if (pid === undefined) return;
    // npm starts a shell, and that what it was asked for.
    for (const each of [...descendants(pid), pid]) killIfThere(each);
  });
  let said = '';
  if (program.stdout === null) throw new Error('the demo has no output');
  for await (const line of createInterface({ input: program.stdout })) {
    said += `${line}\n`;
    if (line.includes('Press Ctrl-C')) break;
  }
  program.stdout.resume();
  return { program, said };
}

/** To the gateway, which npm started; the terminal gives it to npm as well, which ends without a status then. */
function pressControlC({ pid }: ReturnType<typeof startProgram>): void {
  if (pid === undefined) throw new Error('it never ran');
  process.kill(descendants(pid).at(-1) ?? pid, 'SIGINT');
}

/** The command that stands before these words. */
function commandIn(said: string, words: string): string {
  const line = said.split('\n').find((each) => each.includes(words)) ?? '';
  const command = line.slice(0, line.indexOf(words)).trim();
  expect(command).toMatch(/^ssh -F /);
  return command;
}

/** The first one was printed too: the agent ran `uname`. */
async function replaysTheFirstSession(page: Page): Promise<void> {
  const row = page.getByRole('row', { name: /deploy-bot for engineer@example\.com.*workshop/ });
  await row.first().click();
  await page.getByText('uname -sr; id -un; date -u +%Y-%m-%d').first().waitFor();
  const screen = page.locator('.terminal').first();
  await page.keyboard.press('Home');
  await expect.poll(async () => Number(await screen.getAttribute('data-position'))).toBe(0);
  await page.keyboard.press('Space');
  await expect.poll(async () => await screen.textContent()).toMatch(/Linux \d/);
}

/** A shell that a person types in, and somebody sees it in the browser as it comes. */
async function watchesAShell(page: Page, command: string): Promise<IPty> {
  const shell = inTerminal(command);
  await page.getByRole('link', { name: /^Live/ }).click();
  await page
    .getByRole('link', { name: /deploy-bot/ })
    .first()
    .click();
  const screen = page.locator('.terminal').first();
  await expect.poll(async () => await screen.textContent()).toMatch(/[$#]/);
  shell.write('echo seen-as-$((40+2))\r');
  await expect.poll(async () => await screen.textContent()).toContain('seen-as-42');
  return shell;
}

/** What the agent wants to do waits; the reviewer makes a key, approves, and it runs. Gives the file that comes of it. */
async function approvesACommand(page: Page, command: string): Promise<string> {
  const file = /'touch (\S+)'/.exec(command)?.[1] ?? '';
  const agent = inTerminal(command);
  let shown = '';
  agent.onData((text) => {
    shown += text;
  });
  const exited = new Promise<number>((resolve) => agent.onExit(({ exitCode }) => resolve(exitCode)));
  await page.getByRole('link', { name: /^Approvals\s*1/ }).click();
  await page.getByText(`touch ${file}`).first().waitFor();
  await page.getByRole('button', { name: 'Make a signing key…' }).click();
  await page.getByRole('button', { name: 'Make and register the key' }).click();
  await page.getByRole('button', { name: 'Done' }).click();
  await approveAsTold(page);
  expect(await exited, shown).toBe(0);
  return file;
}

/** The session that was approved, as a bundle that is opened where it was made. */
async function exportsAndVerifies(page: Page, directory: string): Promise<string> {
  await page.getByRole('link', { name: 'Sessions', exact: true }).click();
  const row = page.getByRole('row', { name: /deploy-bot.*1 asked/ }).first();
  await row.click();
  await page.getByText('touch ').first().waitFor();
  await page.getByRole('button', { name: 'Export…' }).click();
  await page.getByRole('button', { name: 'Write the bundle' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  const bundle = join(directory, (await download).suggestedFilename());
  await (await download).saveAs(bundle);
  await page.getByRole('button', { name: 'Close' }).last().click();

  await page.getByRole('link', { name: 'Evidence' }).click();
  await page.getByRole('tab', { name: 'Open a bundle' }).click();
  await page.locator('input[type=file]').setInputFiles(bundle);
  await page
    .getByText(/Verified/)
    .first()
    .waitFor();
  return bundle;
}

function inTerminal(command: string): IPty {
  const terminal = spawn('sh', ['-c', `exec ${command}`], { name: 'xterm-256color', cols: 100, rows: 30, env: plainEnvironment() });
  belongings.add(() => terminal.kill('SIGKILL'));
  return terminal;
}
