import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeOperators } from '../operator-api/api-client.ts';
import { ServedLog } from '../renderer/ledger-log.ts';
import { changePage, filesOf, rebuilt } from '../renderer/rebuilt-bundle.ts';
import { startBrowser } from '../support/browser.ts';
import { ssh } from '../support/clients.ts';
import { accessibilityFaults, type OpenConsole, openConsole } from '../support/console.ts';
import { endedSessions } from '../support/recordings.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';

const AUDITOR = 'auditor@example.com';
const REVIEWER = 'reviewer@example.com';
const belongings = new Belongings();
const downloads = belongings.directory('downloads');
const bundle = join(downloads, 'bundle.zip');

let world: World;
let browser: Browser;
let opened: OpenConsole[] = [];

beforeAll(async () => {
  const operators = await makeOperators(belongings.directory('operators'), { [AUDITOR]: ['auditor'], [REVIEWER]: ['reviewer'] });
  [browser, world] = await Promise.all([
    startBrowser(belongings),
    openWorld(belongings, { agents: 4, gateway: { https: true }, humans: operators.humans, web: { tags: { env: 'prod' } } }),
  ]);
  for (const command of ['echo first-of-all', 'printf "a needle in the hay\\n"', 'exit 3']) {
    const route = world.agent();
    await ssh(route, command);
    await endedSessions(world.gateway.data, route.principal);
  }
});
afterAll(() => belongings.release());
afterEach(async () => {
  const faults = opened.flatMap((each) => each.faults());
  for (const each of opened) await each.close();
  opened = [];
  expect(faults).toEqual([]);
});

async function show(options: Parameters<typeof openConsole>[2] = {}): Promise<Page> {
  const each = await openConsole(browser, world.gateway, { operator: AUDITOR, route: '/evidence', ...options });
  opened.push(each);
  return each.page;
}

const steps = (page: Page) => page.getByRole('list', { name: 'Steps of the verification' }).getByRole('listitem');

describe('the evidence', () => {
  it('shows the ledger, and has everything verified with its steps', async () => {
    const page = await show();
    await page.getByText('for the first time today').waitFor();
    await page.getByText('Nothing was verified since the gateway started').waitFor();
    await page.getByRole('button', { name: 'Verify everything' }).click();
    await page.getByText('✓ Intact').waitFor();
    await expect.poll(() => steps(page).count()).toBeGreaterThan(4);
    expect(await steps(page).evaluateAll((all) => all.map((step) => step.getAttribute('data-state')))).not.toContain('failed');
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it('is held against what this device has seen before', async () => {
    const page = await show();
    await page.getByText('for the first time today').waitFor();
    // Another question grows the ledger; what it is then has to continue what it was.
    await page.getByRole('button', { name: /^Which privileged access/ }).click();
    await page.getByText('consistent with what was seen here before').waitFor();
    await page.getByRole('button', { name: 'Show the ledger' }).click();
    await page.getByText(/consistent since/).waitFor();
    const size = await page.evaluate(() => localStorage.length);
    expect(size).toBeGreaterThan(0);
  });

  it('says so loudly when the ledger is not the one that was seen here', async () => {
    const page = await show();
    await page.getByText('for the first time today').waitFor();
    await page.evaluate((checkpoint) => {
      for (const name of Object.keys(localStorage)) {
        if (!name.startsWith('sallyport-ledger ')) continue;
        localStorage.setItem(name, JSON.stringify({ ...(JSON.parse(localStorage.getItem(name) ?? '') as object), checkpoint }));
      }
    }, new ServedLog(5).checkpoint());
    await page.reload();
    await page.getByRole('heading', { name: 'This ledger is not the one that was seen here before' }).waitFor();
    await page.getByText('It is another log').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'This ledger is not the one that was seen here before' }).waitFor();
    await page.getByRole('button', { name: 'I know why…' }).click();
    await page.getByRole('button', { name: 'Yes, from now on this one is right' }).click();
    await page.getByText('for the first time today').waitFor();
  });

  it('answers the questions of an audit with a statement, as a table and as CSV', async () => {
    const page = await show();
    await page.getByRole('button', { name: /^Which privileged access/ }).click();
    await page.getByText('✓ Proved: 3 rows').waitFor();
    const table = page.getByRole('grid');
    expect(await table.getByRole('row').count()).toBe(4);
    expect(await table.getByRole('columnheader', { name: 'Principal' }).getAttribute('title')).not.toBe('');
    const narrow = await table.getByRole('columnheader').count();
    await page.getByRole('switch', { name: 'more columns' }).click();
    expect(await table.getByRole('columnheader').count()).toBeGreaterThan(narrow);
    await page.getByRole('textbox', { name: 'agent or human' }).fill('agent-2');
    await page.keyboard.press('Enter');
    await page.getByText('✓ Proved: 1 row', { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('principal')).toBe('agent-2');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
    const csv = join(downloads, 'answer.csv');
    await download.saveAs(csv);
    expect(readFileSync(csv, 'utf8')).toContain('agent-2');
    expect(readFileSync(csv, 'utf8')).not.toContain('agent-1');
    expect(await accessibilityFaults(page)).toEqual([]);
    await table.getByRole('link').first().click();
    await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/session\//);
  });

  it('is exported by an auditor, with the digest to note, and by nobody without the role', async () => {
    const page = await show({ theme: 'light' });
    await page.getByRole('button', { name: 'Export bundle…' }).click();
    await page.getByRole('dialog').getByText('3 sessions').waitFor();
    await page.getByRole('button', { name: 'Write the bundle' }).click();
    await page.getByRole('button', { name: 'Download' }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
    await download.saveAs(bundle);
    const digest = createHash('sha256').update(readFileSync(bundle)).digest('hex');
    expect(await page.getByRole('dialog').textContent()).toContain(digest);
    const reviewer = await show({ operator: REVIEWER });
    await reviewer.getByRole('heading', { name: 'Answered from the records' }).waitFor();
    expect(await reviewer.getByRole('button', { name: 'Export bundle…' }).count()).toBe(0);
  });
});

describe('a bundle', () => {
  it('that is forged, cut off or something else is refused in words that say what it is', async () => {
    const page = await show({ route: '/bundle' });
    const whole = readFileSync(bundle);
    const give = async (name: string, bytes: Buffer) => {
      writeFileSync(join(downloads, name), bytes);
      await page.locator('input[type=file]').first().setInputFiles(join(downloads, name));
    };
    await give('cut.zip', whole.subarray(0, whole.length - 1000));
    await page.getByText('It does not end as a bundle does: it is cut off').waitFor();
    await give('other.zip', Buffer.from('%PDF-1.7 '.repeat(100)));
    await page.getByText('It is another kind of file').waitFor();
    const changed = Buffer.from(whole);
    changed[whole.length >> 1] = (changed[whole.length >> 1] ?? 0) ^ 1;
    await give('changed.zip', changed);
    await page.getByText(/faults? found$/).waitFor();
    expect(await page.locator('[data-step=file]').getAttribute('data-state')).toBe('failed');
    await page.getByText('at least one byte of it was changed').waitFor();
    // A list that somebody wrote who wants the page to break, or to do something for them.
    const files = await filesOf(whole);
    changePage(files, ({ sessions }) => {
      for (const session of sessions) {
        session.started = 'yesterday';
        session.principal = '<img src=x onerror=alert(1)>\u202e';
        session.protocol = '\u0007';
      }
    });
    await give('forged.zip', await rebuilt(belongings, files, true));
    await page.getByText('What was signed is another bundle').waitFor();
    await page.getByText(/faults found$/).waitFor();
    await page.getByText('<img src=x onerror=alert(1)>\\u202e').first().waitFor();
    await page.getByRole('grid', { name: 'Sessions of the bundle' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.terminal').waitFor();
    await page.getByText(/faults? in this session/).waitFor();
  });

  it('is verified and replayed with the gateway stopped, by whoever is logged in and by whoever is not', async () => {
    const inside = await show({ expectedStatuses: [0] });
    const outside = await openConsole(browser, world.gateway, { expectedStatuses: [0], theme: 'light' });
    opened.push(outside);
    await inside.getByRole('heading', { name: 'Answered from the records' }).waitFor();
    await outside.page.getByRole('button', { name: 'Open a bundle' }).waitFor();
    // What a bundle takes is loaded by itself, before anybody wants it.
    for (const page of [inside, outside.page]) await expect.poll(() => page.workers().length).toBe(1);
    await world.gateway.stop();
    await inside.getByRole('tab', { name: 'Open a bundle' }).click();
    await outside.page.getByRole('button', { name: 'Open a bundle' }).click();
    for (const page of [inside, outside.page]) {
      await page.locator('input[type=file]').setInputFiles(bundle);
      await page.getByText('Verified', { exact: true }).waitFor();
      expect(await steps(page).evaluateAll((all) => all.map((step) => step.getAttribute('data-state')))).toEqual(Array(11).fill('passed'));
      expect(await page.locator('[data-step=bag]').textContent()).toMatch(/files, each with the SHA-256 of the manifest/);
      expect(await page.locator('[data-step=bag]').textContent()).toMatch(/\d (ms|s)$/);
      if (page === outside.page) expect(await accessibilityFaults(page)).toEqual([]);
      await page.getByRole('grid', { name: 'Sessions of the bundle' }).focus();
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      await page.locator('.terminal').getByText('first-of-all').waitFor();
      if (page === inside) expect(await accessibilityFaults(page)).toEqual([]);
      await page.getByRole('button', { name: 'All sessions' }).click();
    }
    // Of whoever has seen the gateway itself, this device remembers what it showed.
    await inside.getByText('This device has followed this log since').waitFor();
    const checkpoint = await inside.evaluate(() => {
      const [name] = Object.keys(localStorage).filter((each) => each.startsWith('sallyport-ledger '));
      return (JSON.parse(localStorage.getItem(name ?? '') ?? '{}') as { checkpoint: string }).checkpoint;
    });
    await inside.getByLabel('Compare with a checkpoint that you have').fill(checkpoint);
    await inside.getByRole('button', { name: 'Compare' }).click();
    await expect.poll(() => inside.getByText(/^(Newer than this bundle|Consistent|The same checkpoint)/).count()).toBe(2);
    await outside.page.getByLabel('Compare with a checkpoint that you have').fill(new ServedLog(4).checkpoint());
    await outside.page.getByRole('button', { name: 'Compare' }).click();
    await outside.page.getByText('Another log').waitFor();
  });
});
