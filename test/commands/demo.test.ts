import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, type Reached } from '../operator-api/api-client.ts';
import { startBrowser } from '../support/browser.ts';
import { approveAsTold, logInCode, watchFor } from '../support/console.ts';
import { sallyport } from '../support/gateway.ts';
import { recordedAs, recordsOf } from '../support/records.ts';
import { ended, plainEnvironment, run, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

/** What somebody sees who starts Sallyport for the first time. */

const belongings = new Belongings();
afterAll(() => belongings.release());

let directory: string;
let data: string;
let demo: ReturnType<typeof startProgram>;
let said = '';
let address: URL;
let reached: Reached;
let token: string;
let page: Page;
const faults: string[] = [];

beforeAll(async () => {
  directory = join(belongings.directory('demo'), 'kept');
  data = join(directory, 'data');
  const main = join(import.meta.dirname, '../../gateway/main.ts');
  demo = startProgram(process.execPath, [main, 'demo', '--data', directory], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  belongings.add(() => void demo.kill('SIGKILL'));
  if (demo.stdout === null) throw new Error('the demo has no output');
  for await (const line of createInterface({ input: demo.stdout })) {
    said += `${line}\n`;
    if (line.includes('Press Ctrl-C')) break;
  }
  demo.stdout.resume();
  address = new URL(/https:\S+/.exec(said)?.[0] ?? '');
  reached = { httpsPort: Number(address.port), data };
}, 60_000);

test('says first where the console is, and lets its reader in there once: the code is in no address after that', async () => {
  expect(said).toMatch(/^Open the console:\n\n {2}https:\/\/127\.0\.0\.1:\d+\/#code=spc_[\w-]{22}$/m);
  const browser = await startBrowser(belongings);
  page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  watchFor(page, faults);
  await page.goto(address.href);
  await page.getByText('6 sessions').waitFor();
  expect(page.url()).not.toContain('spc_');
  expect((await ask(reached, 'login.code', { code: address.hash.slice('#code='.length) })).status).toBe(401);
  token = String((await ask(reached, 'login.code', { code: await logInCode(reached, 'reviewer@example.com') })).body.token);
  expect((await ask(reached, 'whoami', {}, { token })).body).toMatchObject({ roles: ['reviewer', 'auditor', 'admin'] });
});

test('shows the fingerprint of the certificate, whole', async () => {
  const [, shown = ''] = /SHA-256 is\n {2}(\S+)\n/.exec(said) ?? [];
  expect(shown).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  const again = await sallyport(['console', '--data', data, '--json']);
  expect(JSON.parse(again.stdout.toString())).toMatchObject({ fingerprint: shown, operator: 'reviewer@example.com' });
});

describe('the sessions that it begins with', () => {
  test('are of different kinds, all of them real: allowed, denied, approved with a signature, a file, a terminal', async () => {
    const { body } = await ask(reached, 'session.list', { limit: 50 }, { token });
    expect((body.sessions as unknown[]).length).toBeGreaterThanOrEqual(6);
    const verdicts = (await recordsOf(data, 'action.decided')).map(({ actor, target, body: { action, decision } }) =>
      [actor.principal, target.name, action, decision.verdict].join(' '),
    );
    for (const expected of [
      'deploy-bot workshop ssh:exec allow',
      'deploy-bot warehouse ssh:exec allow',
      'deploy-bot warehouse ssh:exec deny',
      'deploy-bot warehouse ssh:exec ask',
      'engineer@example.com warehouse ssh:shell allow',
      'engineer@example.com workshop ssh:write-file allow',
    ])
      expect(verdicts).toContain(expected);
    const [decided] = await recordsOf(data, 'approval.decided');
    expect(decided).toMatchObject({ actor: { principal: 'reviewer@example.com' }, body: { verdict: 'approve', state: 'approved' } });
    await recordedAs(
      data,
      'session.close',
      ({ actor, target }) => actor.principal === 'engineer@example.com' && target.name === 'warehouse',
    );
    expect((await sallyport(['verify', '--data', data])).status).toBe(0);
  }, 30_000);

  test('are followed by those that the reader makes as it says', async () => {
    const command = /ssh -F (\S+) engineer 'uname -a'/.exec(said);
    const done = await run('ssh', ['-F', command?.[1] ?? '', 'engineer', 'uname -a']);
    expect(done.stdout.toString()).toMatch(/^Linux /);
    const refused = await run('ssh', ['-F', command?.[1] ?? '', 'deploy-bot', 'rm -rf /tmp/nothing-of-anybody']);
    expect([refused.status === 0, refused.stderr]).toEqual([false, expect.stringContaining('ACTION_DENIED')]);
  });

  test('and end as their commands do, also when those close their terminal before they end', async () => {
    const config = /ssh -F (\S+) engineer/.exec(said)?.[1] ?? '';
    const file = join(directory, 'touched');
    for (let time = 0; time < 12; time += 1)
      expect(await run('ssh', ['-F', config, 'engineer', `touch ${file}`])).toMatchObject({ status: 0, stderr: '' });
  });

  test('and by what waits for approval in the console, signed there with a key that the browser makes', async () => {
    const command = /ssh -F (\S+) deploy-bot 'touch/.exec(said);
    const file = join(directory, 'by-an-agent');
    const session = run('ssh', ['-F', command?.[1] ?? '', 'deploy-bot', `touch ${file}`]);
    await page.getByRole('link', { name: /^Approvals/ }).click();
    await page.getByRole('button', { name: 'Make a signing key…' }).click();
    await page.getByRole('button', { name: 'Make and register the key' }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await approveAsTold(page);
    expect(await session).toMatchObject({ status: 0 });
    expect(existsSync(file)).toBe(true);
    const [key] = await recordsOf(data, 'operator.key');
    const decided = (await recordsOf(data, 'approval.decided')).at(-1);
    expect(decided).toMatchObject({ actor: { principal: 'reviewer@example.com' }, body: { key: key?.body.key, verdict: 'approve' } });
    expect(faults).toEqual([]);
  });
});

test('ends when it is told to, and keeps what was recorded', async () => {
  demo.kill('SIGINT');
  expect((await ended(demo)).status).toBe(0);
  expect((await sallyport(['sessions', '--data', data])).stdout.toString()).toContain('deploy-bot for engineer@example.com');
});
