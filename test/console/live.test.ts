import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeOperators } from '../operator-api/api-client.ts';
import { startBrowser } from '../support/browser.ts';
import { sshArguments } from '../support/clients.ts';
import { accessibilityFaults, type OpenConsole, openConsole } from '../support/console.ts';
import { DrivenTerminal } from '../support/driven-terminal.ts';
import { Belongings } from '../support/temp.ts';
import { type AgentRoute, openWorld, type World, webTarget } from '../support/world.ts';

/** Sessions that run, as operators see them: a real client in a real terminal on one side, a real browser on the other. */

const ALICE = 'alice@example.com';
const AUDITOR = 'auditor@example.com';
const belongings = new Belongings();

let world: World;
let browser: Browser;
let opened: OpenConsole | undefined;
const clients: DrivenTerminal[] = [];

beforeAll(async () => {
  const directory = belongings.directory('live');
  const operators = await makeOperators(directory, { [ALICE]: ['reviewer'], [AUDITOR]: ['auditor'] });
  const policy = join(directory, 'policy.cedar');
  writeFileSync(
    policy,
    `@id("in") permit(principal is Agent, action == Action::"connect", resource);
@id("shell") permit(principal is Agent, action == Action::"ssh:shell", resource);
@id("exec") permit(principal is Agent, action == Action::"ssh:exec", resource);
`,
  );
  chmodSync(policy, 0o644);
  [browser, world] = await Promise.all([
    startBrowser(belongings),
    openWorld(belongings, {
      agents: 16,
      web: { allow: undefined },
      targets: (host) => [{ ...webTarget(host, 'orders'), allow: undefined, tags: { env: 'production' } }],
      humans: operators.humans,
      configuration: { policy },
      gateway: { https: true },
    }),
  ]);
});
afterAll(() => belongings.release());
afterEach(async () => {
  for (const client of clients.splice(0)) client.kill();
  expect(opened?.faults() ?? []).toEqual([]);
  await opened?.close();
  opened = undefined;
});

async function show(route: string, operator = ALICE, theme: 'dark' | 'light' = 'dark'): Promise<Page> {
  opened = await openConsole(browser, world.gateway, { operator, route, theme });
  opened.page.setDefaultTimeout(10_000);
  return opened.page;
}

/** Somebody at a terminal, with a prompt that is easily told. */
async function atTerminal(target = 'web'): Promise<{ client: DrivenTerminal; route: AgentRoute }> {
  const route = world.agent(target);
  const client = new DrivenTerminal('ssh', sshArguments(route, ['-tt']), 80, 24);
  clients.push(client);
  await client.shows(/[#$]$/m);
  await client.typed("export PS1='ready> '; clear\r", /^ready>$/m);
  return { client, route };
}

/** On the wall, by its keys: arrows until it is selected. */
async function select(page: Page, { principal }: AgentRoute): Promise<Locator> {
  const tile = page.getByRole('link', { name: new RegExp(`^${principal} `) });
  await tile.waitFor();
  const isSelected = () => tile.evaluate((node) => node === document.activeElement);
  await page.keyboard.press('Home');
  for (let tries = 0; tries < 12 && !(await isSelected()); tries += 1) await page.keyboard.press('ArrowRight');
  expect(await isSelected()).toBe(true);
  return tile;
}

async function open(page: Page, route: AgentRoute): Promise<void> {
  await select(page, route);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/live\/[0-9a-f-]{36}/);
  await page.getByRole('group', { name: 'Screen of the session as it is now' }).waitFor();
}

/** What the page shows of a terminal, line by line. */
const screenOf = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('.terminal .line')]
      .map((line) => (line.textContent ?? '').trimEnd())
      .join('\n')
      .trimEnd(),
  );

async function say(page: Page, key: string, words: string): Promise<void> {
  await page.keyboard.press(key);
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await expect.poll(() => dialog.getByRole('textbox').evaluate((node) => node === document.activeElement)).toBe(true);
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
}

describe('the wall', () => {
  it('shows what runs with its terminal, and is gone through by keys', async () => {
    const [first, second] = [await atTerminal(), await atTerminal('orders')];
    await first.client.typed('echo on-the-first\r', /^on-the-first/m);
    const page = await show('/live');
    await page.getByText('2 sessions run').waitFor();
    // Production stands before what is not.
    const tiles = page.getByRole('list', { name: 'Running sessions' }).getByRole('link');
    const names = await tiles.evaluateAll((all) => all.map((each) => each.textContent?.replaceAll(/\s+/g, ' ').trim()));
    expect(names).toEqual([`${second.route.principal} on ordersproduction`, `${first.route.principal} on web`]);
    await expect.poll(() => screenOf(page)).toContain('on-the-first');
    await select(page, first.route);
    await page.getByText('selected', { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/live\/[0-9a-f-]{36}/);
    await page.keyboard.press('Escape');
    await page.waitForURL(/\/live$/);
    // What is over leaves, and what was not selected is acted on by no key.
    first.client.kill();
    await page.getByText('1 session runs').waitFor();
    expect(await page.getByRole('button', { name: /^Terminate/ }).isDisabled()).toBe(true);
  });

  it('of nothing says what would show there', async () => {
    const page = await show('/live');
    await page.getByText('Nothing runs at the moment').waitFor();
  });
});

describe('one session', () => {
  it('is joined late with the screen as it is, cell by cell, and follows: a key shows within 100 ms', async () => {
    const { client, route } = await atTerminal();
    await client.typed('printf "\\033[31mred\\033[0m and wide 漢字 | %s\\n" "$(seq 1 60 | tail -3 | tr \'\\n\' +)"\r', /58\+59\+60/);
    const page = await show('/live');
    await open(page, route);
    await expect.poll(() => screenOf(page)).toBe(client.text.trimEnd());
    await page.evaluate(() => {
      const state = window as unknown as { seen: [number, string][] };
      state.seen = [];
      const look = () => state.seen.push([Date.now(), document.querySelector('.terminal')?.textContent ?? '']);
      new MutationObserver(look).observe(document.querySelector('.terminal') as Element, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    });
    let shortest = Number.POSITIVE_INFINITY;
    for (const letter of 'abcdefghij') {
      const line = `${letter}${letter}`;
      client.type(letter);
      const pressed = Date.now();
      await client.typed(letter, new RegExp(`ready> .*${line}$`, 'm'));
      const arrived = await page.waitForFunction(
        (wanted) => (window as unknown as { seen: [number, string][] }).seen.find(([, text]) => text.includes(wanted))?.[0],
        line,
      );
      shortest = Math.min(shortest, Number(await arrived.jsonValue()) - pressed);
    }
    expect(shortest).toBeLessThan(100);
    await page.getByText('delay under 0.1 s').waitFor();
    expect(await page.getByText(/person watches/).textContent()).toBe('1 person watches');
  });

  it('is told something, is paused and goes on, and what was held comes in its order', async () => {
    const { client, route } = await atTerminal();
    const page = await show('/live');
    await open(page, route);
    await say(page, 'm', 'look at the disk first');
    await client.shows(`${ALICE}: look at the disk first`);
    await page.getByText('Shown on one channel, and on record.').waitFor();
    await say(page, 'p', 'a look at what it does');
    await page.getByText('paused: nothing flows').waitFor();
    client.type('echo he""ld\r');
    await say(page, 'p', 'all is well');
    await client.shows(/^held/m);
    const { text } = client;
    const places = [`paused by ${ALICE}`, `resumed by ${ALICE}`, '\nheld'].map((words) => text.indexOf(words));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThan(0);
    await page.getByText('paused: nothing flows').waitFor({ state: 'hidden' });
    // Whoever else looks sees who did what and why.
    const doings = page.getByRole('list', { name: 'What is on record, the newest first' });
    await expect.poll(() => doings.textContent()).toContain(`${ALICE} paused the session: a look at what it does`);
  });

  it('is stepped through, terminated by keys alone, and keeps its last screen', async () => {
    const { client, route } = await atTerminal();
    const page = await show('/live');
    await open(page, route);
    await say(page, 's', 'what does it want there');
    await page.getByText('stepping: each action asks').waitFor();
    client.type('echo never-""seen\r');
    const card = page.getByRole('article');
    await card.getByText('Types this line at a terminal').waitFor();
    expect(await card.getByRole('group').textContent()).toBe('echo never-""seen');
    await say(page, 't', 'enough');
    await client.ended();
    await page.getByText(/^Ended: .*alice@example.com ended this session: enough/).waitFor();
    expect(await screenOf(page)).toContain('ready>');
    expect(client.text).not.toContain('never-seen');
    expect(await page.getByRole('button', { name: /^Terminate/ }).isDisabled()).toBe(true);
    await page.getByRole('link', { name: 'Replay it' }).click();
    await page.waitForURL(/\/session\/[0-9a-f-]{36}/);
  });

  it('ends with the lock of its principal, who stays out until somebody unlocks them', async () => {
    const { client, route } = await atTerminal();
    const page = await show('/live');
    await open(page, route);
    await page.getByRole('button', { name: `Lock ${route.principal}…` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Nobody is locked.').waitFor();
    await dialog.getByRole('textbox', { name: 'Why' }).fill('the key has leaked');
    await page.keyboard.press('Enter');
    await client.ended();
    await dialog.getByText('“the key has leaked”').waitFor();
    await dialog.getByRole('button', { name: 'Unlock…' }).click();
    await page.keyboard.type('another key is used');
    await page.keyboard.press('Enter');
    await dialog.getByText('Nobody is locked.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText(/^Ended: /).waitFor();
  });

  it('without a terminal shows its lines as they come', async () => {
    const route = world.agent();
    const client = new DrivenTerminal('ssh', [...sshArguments(route), 'while read line; do echo "got $line"; done'], 80, 24);
    clients.push(client);
    const page = await show('/live');
    await page.getByRole('link', { name: new RegExp(`^${route.principal} `) }).click();
    await page.getByText('Without a terminal').waitFor();
    await client.typed('this\r', 'got this');
    await expect.poll(() => screenOf(page)).toContain('got this');
  });

  it('is watched by an auditor, who is told why there is nothing to press', async () => {
    const { client, route } = await atTerminal();
    const page = await show('/live', AUDITOR);
    await open(page, route);
    await page.getByText(/^You may watch\./).waitFor();
    expect(await page.getByRole('button', { name: /^(Message|Pause|Step|Terminate)/ }).count()).toBe(0);
    await page.keyboard.press('t');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await client.typed('echo still here\r', /^still here/m);
    await expect.poll(() => screenOf(page)).toContain('still here');
  });
});

describe('for everybody', () => {
  it.each(['dark', 'light'] as const)('wall, session and dialogs are without fault in %s', async (theme) => {
    const { route } = await atTerminal('orders');
    const page = await show('/live', ALICE, theme);
    await select(page, route);
    await expect.poll(() => screenOf(page)).toContain('ready>');
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.keyboard.press('t');
    await page.getByRole('dialog').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await open(page, route);
    await page.getByRole('list', { name: 'What is on record, the newest first' }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
  });
});
