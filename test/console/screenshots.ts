import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type IPty, spawn } from 'node-pty';
import type { Page } from 'playwright-core';
import { startBrowser } from '../support/browser.ts';
import { openConsole } from '../support/console.ts';
import { sessionsOf } from '../support/recordings.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';

/** `npm run screenshots`: every screen of the console, light and dark, from a demo that runs; three of them for the README. */

const root = join(import.meta.dirname, '../..');
const output = join(root, 'dist', 'screenshots');
const inReadme = ['replay-dark', 'live-dark', 'approvals-light'];
const belongings = new Belongings();

async function main(): Promise<void> {
  mkdirSync(output, { recursive: true });
  const directory = join(belongings.directory('screenshots'), 'demo');
  const said = await startDemo(directory);
  const httpsPort = Number(/https:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
  const gateway = { httpsPort, data: join(directory, 'data') };
  const work = agent(directory, 'engineer');
  for (const command of [
    'uname -sr',
    'cat /etc/os-release',
    "printf '\\033[32mok\\033[0m \\033[33mwarn\\033[0m \\033[31mfailed\\033[0m\\n'",
    'date -u',
    'id',
    'exit',
  ])
    await typed(work, command);
  const [done] = await until('the session is closed', async () => {
    const sessions = (await sessionsOf(gateway.data, 'engineer@example.com')).filter(
      ({ state, target }) => state === 'closed' && target === 'workshop',
    );
    return sessions.length > 1 ? [sessions.at(-1)] : undefined;
  });
  await typed(agent(directory, 'deploy-bot'), 'while :; do date -u; sleep 1; done');
  agent(directory, 'deploy-bot', 'touch /tmp/by-an-agent');
  agent(directory, 'engineer', 'watch -n 1 cat /proc/loadavg');

  const browser = await startBrowser(belongings);
  for (const theme of ['dark', 'light'] as const) {
    const { page, origin, close } = await openConsole(browser, gateway, { operator: 'reviewer@example.com', theme });
    await page.getByRole('navigation', { name: 'Places' }).waitFor();
    const shoot = async (name: string, route: string, ready: (page: Page) => Promise<unknown>) => {
      await page.goto(`${origin}${route}`);
      await ready(page).catch(async (thrown: unknown) => {
        await page.screenshot({ path: join(output, 'not-ready.png') });
        throw thrown;
      });
      await page.waitForLoadState('networkidle');
      await page.screenshot({ path: join(output, `${name}-${theme}.png`) });
      process.stderr.write(`${name}-${theme}.png\n`);
    };
    await shoot('sessions', '/sessions', (at) => at.getByText(/^\d+ sessions$/).waitFor());
    await shoot('replay', `/session/${done?.id}?at=4.4`, (at) => at.getByText('os-release').first().waitFor());
    for (const panel of ['decision', 'evidence', 'review'])
      await shoot(`replay-${panel}`, `/session/${done?.id}?panel=${panel}`, (at) => at.getByRole('tabpanel').first().waitFor());
    await shoot('live', '/live', (at) => at.getByText(/UTC/).first().waitFor());
    await shoot('approvals', '/approvals', (at) => at.getByText('touch /tmp/by-an-agent').first().waitFor());
    await shoot('search', '/search?q=Linux', (at) => at.locator('mark').first().waitFor());
    await shoot('evidence', '/evidence', (at) => at.getByText('vm').first().waitFor());
    await shoot('bundle', '/bundle', (at) => at.locator('input[type=file]').waitFor({ state: 'attached' }));
    await shoot('settings', '/settings', (at) => at.getByText('Signing keys').first().waitFor());
    await close();
  }
  for (const name of inReadme) copyFileSync(join(output, `${name}.png`), join(root, 'docs', `${name}.png`));
}

async function startDemo(directory: string): Promise<string> {
  const demo = startProgram(process.execPath, [join(root, 'gateway/main.ts'), 'demo', '--data', directory], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  belongings.add(async () => {
    demo.kill('SIGINT');
    await ended(demo);
  });
  if (demo.stdout === null) throw new Error('the demo has no output');
  let said = '';
  for await (const line of createInterface({ input: demo.stdout })) {
    said += `${line}\n`;
    if (line.includes('Press Ctrl-C')) break;
  }
  demo.stdout.resume();
  return said;
}

/** A line as somebody types it, and its answer. */
async function typed(terminal: IPty, line: string): Promise<void> {
  await new Promise<void>((resolve) => {
    let waiting: NodeJS.Timeout | undefined;
    const settle = () => {
      clearTimeout(waiting);
      waiting = setTimeout(resolve, 700);
    };
    terminal.onData(settle);
    settle();
  });
  terminal.write(`${line}\r`);
}

function agent(directory: string, who: string, command?: string): IPty {
  const words = ['-tt', '-F', join(directory, 'ssh_config'), who, ...(command === undefined ? [] : [command])];
  const terminal = spawn('ssh', words, { name: 'xterm-256color', cols: 100, rows: 30, env: plainEnvironment() });
  belongings.add(() => terminal.kill('SIGKILL'));
  return terminal;
}

try {
  await main();
} finally {
  await belongings.release();
}
