import { createHash } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../support/browser.ts';
import { Belongings } from '../../support/temp.ts';
import { copyOf, openPage } from './opened-page.ts';
import { sharedBundle } from './shared-bundle.ts';
import { changePage, readPage } from './tamper.ts';

const belongings = new Belongings();
const shared = sharedBundle(belongings);
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(belongings);
});
afterAll(() => belongings.release());

describe('the overview', () => {
  it('says what was asked, how complete the answer is, and what each step proves', async () => {
    const { bundle } = await shared();
    const opened = await openPage(browser, bundle);
    await opened.verified();
    const { page } = opened;
    const { question, completeness, ledger } = readPage(bundle);
    expect(await page.textContent('h1')).toBe(question.words);
    const words = (await page.textContent('main')) ?? '';
    expect(words).toContain(`The question covers the ledger entries ${completeness.first} to ${completeness.last}`);
    expect(words).toContain('No session that answers the question was left out.');
    expect(words).toContain(ledger.verifierKey);
    const key = Buffer.from(ledger.verifierKey.split('+').slice(2).join('+'), 'base64').subarray(1);
    expect(words).toContain(createHash('sha256').update(key).digest('hex'));
    for (const meaning of await page.$$('.meaning')) expect(await meaning.textContent()).toMatch(/What this proves, and what not.{60,}/);
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });
});

describe('the list of sessions', () => {
  it('is filtered by words and fields, and opened from the keyboard', async () => {
    const { bundle, story } = await shared();
    const opened = await openPage(browser, bundle, { hash: '#/sessions' });
    const { page } = opened;
    const shown = () => page.$$eval('.sessions-rows [role=option]', (rows) => rows.map((row) => row.querySelector('strong')?.textContent));
    const filter = async (query: string, count: number) => {
      await page.locator('.sessions-rows').focus();
      await page.keyboard.press('/');
      await page.keyboard.type(query);
      await page.waitForFunction((wanted) => document.querySelectorAll('.sessions-rows [role=option]').length === wanted, count);
      return shown();
    };
    await page.waitForFunction(() => document.querySelectorAll('.sessions-rows [role=option]').length === 7);
    expect(await filter('agent:triage', 2)).toEqual(['triage-agent', 'triage-agent']);
    await page.keyboard.press('Enter');
    expect(await filter('state:recovered', 1)).toEqual(['triage-agent']);
    await page.locator('.toolbar input').fill('');
    expect(await filter('-agent:triage -human:engineer@example.com', 2)).toHaveLength(2);
    await page.locator('.toolbar input').fill('');
    expect(await filter('command:"make test"', 1)).toEqual(['triage-agent']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForFunction((id) => window.location.hash === `#/sessions/${id}`, story.exec);
    await page.goBack();
    await page.waitForSelector('.sessions-rows [role=option]');
    expect(await page.inputValue('.toolbar input'), 'coming back finds the same list').toBe('command:"make test"');
    await page.locator('.toolbar input').fill('nothing like this');
    expect(await page.textContent('.empty')).toMatch(/Nothing fits the filter/);
    await page.getByRole('button', { name: 'Show all sessions' }).click();
    await page.waitForFunction(() => document.querySelectorAll('.sessions-rows [role=option]').length === 7);
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });

  it('flags what is out of the ordinary, and says of each whether it is verified', async () => {
    const { bundle } = await shared();
    const opened = await openPage(browser, bundle, { hash: '#/sessions' });
    await opened.verified();
    await opened.page.waitForFunction(() => document.querySelectorAll('.sessions-rows .evidence.passed').length === 7);
    expect((await opened.page.$$eval('.sessions-rows .flag', (flags) => flags.map((flag) => flag.textContent))).toSorted()).toEqual([
      'live at export',
      'recovered',
    ]);
    await opened.close();
  });

  it('of 5,000 sessions is there at once, filters at once and never draws more than what is seen', async () => {
    const copy = copyOf(belongings, (await shared()).bundle);
    changePage(copy, (page) => {
      const [template] = page.sessions;
      if (template === undefined) throw new Error('there is no session');
      for (let number = page.sessions.length; number < 5000; number += 1) {
        const id = `01a206a2-251b-7522-b64b-${String(number).padStart(12, '0')}`;
        page.sessions.push({
          ...template,
          recordings: [],
          id,
          principal: `agent-${number}`,
          started: new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString(),
        });
      }
    });
    const opened = await openPage(browser, copy, { hash: '#/sessions' });
    const { page } = opened;
    await page.waitForFunction(() => document.querySelector('.toolbar [role=status]')?.textContent === '5,000 sessions');
    const drawn = () => page.$$eval('.sessions-rows [role=option]', (rows) => rows.length);
    expect(await drawn()).toBeLessThan(80);
    await page.keyboard.press('End');
    await page.waitForFunction(() => document.querySelector('.sessions-rows .current')?.getAttribute('aria-posinset') === '5000');
    expect(await drawn()).toBeLessThan(80);
    const took = await page.evaluate(() => {
      const field = document.querySelector<HTMLInputElement>('.toolbar input');
      if (field === null) throw new Error('there is no filter');
      let shortest = Number.POSITIVE_INFINITY;
      for (const text of ['agent-1', 'agent-2', 'agent-3', 'agent-49 -agent-4999']) {
        const begun = performance.now();
        field.value = text;
        field.dispatchEvent(new Event('input'));
        shortest = Math.min(shortest, performance.now() - begun);
      }
      return shortest;
    });
    expect(took, 'milliseconds to filter').toBeLessThan(250);
    // agent-49, agent-490 to 499 and agent-4900 to 4998.
    expect(await page.textContent('.toolbar [role=status]')).toBe('110 of 5,000 sessions');
    expect((await opened.verified()).sessions).toBe('failed');
    await opened.go('#/');
    expect(await page.textContent('[data-step=sessions] .findings')).toMatch(/None of its records is in the bundle/);
    await opened.close();
  });
});

describe('the records', () => {
  it('of a session are told in words, with their hash, their exact bytes and their proof', async () => {
    const { bundle, story } = await shared();
    const opened = await openPage(browser, bundle, { hash: `#/sessions/${story.exec}/records` });
    const { page } = opened;
    await opened.verified();
    await page.waitForFunction(() => document.querySelectorAll('.record-rows .evidence.passed').length >= 5);
    const types = await page.$$eval('.record-rows [role=option]', (rows) => rows.map((row) => row.children[2]?.textContent));
    expect(types.slice(0, 2)).toEqual(['session.open', 'channel.open']);
    expect(types.at(-1)).toBe('session.close');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.querySelector('.record-detail h2')?.textContent === 'Opened channel 0, exec: make test');
    const exact = (await page.textContent('.record-detail .exact')) ?? '';
    const facts = (await page.textContent('.record-detail .facts')) ?? '';
    expect(facts).toContain(createHash('sha256').update(exact).digest('hex'));
    expect(facts).toMatch(/✓ proved Its hash stands at this place of the ledger/);
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });

  it('outside any session have a place of their own', async () => {
    const opened = await openPage(browser, (await shared()).bundle, { hash: '#/records' });
    await opened.page.waitForFunction(() => document.querySelector('.record-rows')?.textContent.includes('ledger.created'));
    await opened.close();
  });
});

describe('the report', () => {
  it('has the question, the steps, the checkpoint and every session, and prints on white', async () => {
    const { bundle, story } = await shared();
    const opened = await openPage(browser, bundle, { hash: '#/report' });
    await opened.verified();
    const { page } = opened;
    await page.waitForFunction(() => document.querySelectorAll('.report .sessions-table .evidence.passed').length === 7);
    const words = (await page.textContent('.report')) ?? '';
    for (const part of ['Every step passed.', readPage(bundle).ledger.checkpoint.trimEnd(), 'make test']) expect(words).toContain(part);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.top').isVisible()).toBe(false);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)');
    const pages = (await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type\s*\/Page\b/g) ?? [];
    expect(pages.length, 'all of it is printed, not what the window shows').toBeGreaterThan(1);
    expect(opened.complaints).toEqual([]);
    expect(story.exec).toBeTypeOf('string');
    await opened.close();
  });
});

describe('the page', () => {
  it('is reached by keyboard alone, and shows where the focus is', async () => {
    const { bundle } = await shared();
    const opened = await openPage(browser, bundle);
    const { page } = opened;
    await opened.verified();
    const reached: string[] = [];
    for (let press = 0; press < 24; press += 1) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const at = document.activeElement;
        return at === null || at === document.body
          ? undefined
          : { name: at.textContent.trim() || at.getAttribute('aria-label'), outline: getComputedStyle(at).outlineStyle };
      });
      if (focus === undefined) continue;
      expect(focus.outline, `focus on ${focus.name}`).toBe('solid');
      reached.push(focus.name ?? '');
    }
    expect(reached).toEqual(
      expect.arrayContaining([
        'To the content',
        'Overview',
        'Sessions',
        'Records',
        'Report',
        '✓ Verified',
        'Light',
        'What this proves, and what not',
        'Compare',
      ]),
    );
    await opened.close();
  });

  it('follows the system’s colours until the reader chooses, and keeps the choice', async () => {
    const { bundle } = await shared();
    const opened = await openPage(browser, bundle, { colorScheme: 'light' });
    const { page } = opened;
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole('button', { name: 'Change to dark colours' }).click();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.waitForSelector('.pill');
    expect(await ground()).toBe(dark);
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });

  it('fits a window of 900 pixels on every screen', async () => {
    const { bundle, story } = await shared();
    const opened = await openPage(browser, bundle, { viewport: { width: 900, height: 640 } });
    await opened.verified();
    for (const hash of [
      '#/',
      '#/sessions',
      `#/sessions/${story.shell}/0?at=60`,
      `#/sessions/${story.shell}/records`,
      '#/records',
      '#/report',
    ]) {
      await opened.go(hash);
      await opened.page.waitForFunction(() => document.querySelector('main')?.childElementCount === 1);
      const over = await opened.page.evaluate(() =>
        [...document.querySelectorAll('body, main, header, .screen, .toolbar, .split, .controls, .overview, .report')]
          .filter((node) => node.scrollWidth > node.clientWidth + 1)
          .map((node) => `${node.tagName}.${node.className}`),
      );
      expect(over, hash).toEqual([]);
    }
    await opened.close();
  });

  it('says so when an address leads nowhere', async () => {
    const opened = await openPage(browser, (await shared()).bundle, { hash: '#/sessions/01a206a2-251b-7522-b64b-acc926086c1e' });
    expect(await opened.page.textContent('main h1')).toBe('This session is not in the bundle');
    await opened.go('#/nowhere');
    await opened.page.waitForFunction(() => document.querySelector('main h1')?.textContent === 'There is nothing at this address');
    await opened.close();
  });
});
