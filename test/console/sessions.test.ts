import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeOperators } from '../operator-api/api-client.ts';
import { startBrowser } from '../support/browser.ts';
import { ssh } from '../support/clients.ts';
import { accessibilityFaults, logInCode, type OpenConsole, openConsole } from '../support/console.ts';
import { endedSessions } from '../support/recordings.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';

const REVIEWER = 'reviewer@example.com';
const AUDITOR = 'auditor@example.com';
const belongings = new Belongings();

let world: World;
let browser: Browser;
let opened: OpenConsole | undefined;
const principals: string[] = [];

beforeAll(async () => {
  const operators = await makeOperators(belongings.directory('operators'), { [REVIEWER]: ['reviewer'], [AUDITOR]: ['auditor'] });
  [browser, world] = await Promise.all([
    startBrowser(belongings),
    openWorld(belongings, { agents: 6, gateway: { https: true }, humans: operators.humans, web: { tags: { env: 'prod' } } }),
  ]);
  for (const command of ['echo first-of-all', 'printf "a needle in the hay\\n"', 'true']) {
    const route = world.agent();
    principals.push(route.principal);
    expect((await ssh(route, command)).status).toBe(0);
    await endedSessions(world.gateway.data, route.principal);
  }
});
afterAll(() => belongings.release());
afterEach(async () => {
  expect(opened?.faults() ?? []).toEqual([]);
  await opened?.close();
  opened = undefined;
});

async function show(options: Parameters<typeof openConsole>[2] = {}): Promise<Page> {
  opened = await openConsole(browser, world.gateway, { operator: AUDITOR, ...options });
  return opened.page;
}

const rows = (page: Page) => page.getByRole('grid', { name: 'Sessions' }).getByRole('row');

describe('the sessions', () => {
  it('are listed, the newest first, with who, for whom and where', async () => {
    const page = await show();
    await page.getByText('3 sessions').waitFor();
    expect(await rows(page).count()).toBe(4);
    const newest = rows(page).nth(1);
    await expect.poll(() => newest.textContent()).toContain(`${principals[2]} for engineer@example.com`);
    expect(await newest.textContent()).toContain('prod');
    expect(await newest.textContent()).toMatch(/1 action.*committed/);
  });

  it('are filtered by what is typed, and the address keeps it', async () => {
    const page = await show();
    const filter = page.getByRole('textbox', { name: 'Filter' });
    await page.getByText('3 sessions').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(`agent:${principals[0]}`);
    await page.getByText('1 session', { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe(`agent:${principals[0]}`);
    await filter.fill('text:needle');
    await expect.poll(() => rows(page).nth(1).textContent()).toContain(principals[1]);
    await filter.fill('state:running');
    await page.getByText('“state:” is one of live, closed, recovered, erased').waitFor();
    await filter.fill('target:nowhere');
    await page.getByText('No session answers this').waitFor();
    await page.getByRole('button', { name: 'Show all sessions' }).click();
    await page.getByText('3 sessions').waitFor();
  });

  it('are moved in and opened with keys alone', async () => {
    const page = await show();
    await page.getByText('3 sessions').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await expect.poll(() => page.locator('[data-current]').textContent()).toContain(principals[1]);
    await page.keyboard.press('x');
    await page.getByText('1 chosen of 3 sessions').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/session\/[0-9a-f-]{36}/);
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.waitForURL(/\/sessions/);
  });

  it('that begin while somebody reads appear by themselves at the top', async () => {
    const page = await show();
    await page.getByText(/^\d+ sessions$/).waitFor();
    const route = world.agent();
    await ssh(route, 'true');
    await expect.poll(() => rows(page).nth(1).textContent()).toContain(route.principal);
  });

  it('have views, built in and one’s own', async () => {
    const page = await show();
    await page.getByRole('button', { name: 'All sessions' }).click();
    await page.getByRole('menuitem', { name: 'Something was denied' }).click();
    await page.getByText('No session answers this').waitFor();
    await page.getByRole('textbox', { name: 'Filter' }).fill(`agent:${principals[0]}`);
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('textbox', { name: 'Name of the view' }).fill('mine');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.goto(`${opened?.origin}/sessions`);
    await page.getByRole('button', { name: 'All sessions' }).click();
    await page.getByRole('menuitem', { name: 'mine', exact: true }).click();
    await page.getByText('1 session', { exact: true }).waitFor();
  });
});

describe('the palette', () => {
  it('goes anywhere and finds a session', async () => {
    const page = await show();
    await page.getByText(/^\d+ sessions$/).waitFor();
    await page.keyboard.press('Control+k');
    const field = page.getByRole('combobox', { name: /What to do/ });
    await field.fill('evid');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/evidence$/);
    await page.keyboard.press('Control+k');
    await field.fill(principals[1] ?? '');
    await page.getByRole('option', { name: `${principals[1]} for` }).click();
    await page.waitForURL(/\/session\//);
    await field.waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).getByText('Go to Approvals').waitFor();
  });
});

describe('the search', () => {
  it('leads from a line to its moment', async () => {
    const page = await show({ route: '/search' });
    await page.getByRole('textbox', { name: 'What was on a screen' }).fill('"a needle"');
    await page.keyboard.press('Enter');
    const hit = page.getByRole('link', { name: /a needle in the hay/ });
    await expect
      .poll(
        async () => {
          // What was sealed a moment ago is indexed in another one.
          if ((await hit.count()) > 0) return true;
          await page.reload();
          await page.getByRole('status').first().waitFor();
          return (await hit.count()) > 0;
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(true);
    expect(await hit.locator('mark').textContent()).toBe('a needle');
    await hit.click();
    await page.waitForURL(/\/session\/[0-9a-f-]{36}\?channel=0&at=\d/);
  });

  it('says what cannot be looked for', async () => {
    const page = await show({ route: '/search?q=target:web' });
    await page.getByText('Say what to look for').waitFor();
  });
});

describe('a log-in', () => {
  it('is asked for, and leads back to where somebody wanted to go', async () => {
    opened = await openConsole(browser, world.gateway, { route: '/sessions?q=env:prod' });
    const { page } = opened;
    await page.getByRole('heading', { name: 'Log in to Sallyport' }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('textbox', { name: /Code/ }).fill(`https://x/#code=${await logInCode(world.gateway, AUDITOR)}`);
    await page.keyboard.press('Enter');
    await page.getByText(/^\d+ sessions$/).waitFor();
    expect(page.url()).toContain('/sessions?q=env:prod');
  });

  it('that is refused says so, and not why', async () => {
    opened = await openConsole(browser, world.gateway, { route: '/#code=0123456789abcdef0123456789abcdef', expectedStatuses: [401] });
    await opened.page.getByRole('alert').getByText('the log-in was refused').waitFor();
    // It is neither in the address nor in what the browser goes back to.
    expect(opened.page.url()).not.toContain('code=');
  });

  it('that is ended elsewhere asks for another one, without leaving the place', async () => {
    const page = await show({ operator: REVIEWER, expectedStatuses: [401] });
    await page.getByText(/^\d+ sessions$/).waitFor();
    const other = await openConsole(browser, world.gateway);
    await other.close();
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.getByRole('textbox', { name: 'What was on a screen' }).fill('anything');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/search\?q=anything/);
    await page.evaluate(() => fetch('/api/logout', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }));
    // It is told by the end of what follows the events.
    await page.getByRole('heading', { name: 'Log in again' }).waitFor();
    await page.getByText(`The log-in of ${REVIEWER} was ended`).waitFor();
    await page.getByRole('textbox', { name: /Code/ }).fill(await logInCode(world.gateway, REVIEWER));
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/search\?q=anything/);
    await page.getByRole('textbox', { name: 'What was on a screen' }).waitFor();
  });
});

describe('the console', () => {
  it.each(['light', 'dark'] as const)('has nothing that axe objects to, %s', async (theme) => {
    const page = await show({ theme });
    await page.getByText(/^\d+ sessions$/).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    for (const [route, text] of [
      ['/settings', 'Signing keys'],
      ['/search?q=needle', 'needle'],
    ] as const) {
      await page.goto(`${opened?.origin}${route}`);
      await page.getByText(text).first().waitFor();
      expect(await accessibilityFaults(page), route).toEqual([]);
    }
    await page.keyboard.press('Control+k');
    await page.getByRole('listbox', { name: 'Found' }).waitFor();
    expect(await accessibilityFaults(page), 'palette').toEqual([]);
  });

  it('says that the gateway is lost, and goes on when it is back', async () => {
    const page = await show({ expectedStatuses: [0, 401, 503] });
    await page.getByText(/^\d+ sessions$/).waitFor();
    await world.gateway.stop();
    await page.getByText('Not connected: what you see may be old').waitFor();
    // What was there can still be read.
    expect(await rows(page).count()).toBeGreaterThan(1);
    await world.gateway.start();
    // It has begun anew, and with it every log-in.
    await page.getByRole('heading', { name: 'Log in again' }).waitFor();
    await page.getByRole('textbox', { name: /Code/ }).fill(await logInCode(world.gateway, AUDITOR));
    await page.keyboard.press('Enter');
    await page.getByText(/^\d+ sessions$/).waitFor();
    expect(await page.getByText('Not connected').count()).toBe(0);
  });
});
