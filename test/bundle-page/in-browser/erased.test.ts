import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgedData } from '../../retention/aged-data.ts';
import { startBrowser } from '../../support/browser.ts';
import { Belongings } from '../../support/temp.ts';
import { exportedBundle, openPage } from './opened-page.ts';

const belongings = new Belongings();
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(belongings);
});
afterAll(() => belongings.release());

describe('a session whose retention is over', () => {
  it('is still proved to have taken place, and the page says who erased it, when and why', async () => {
    const data = await AgedData.open({ directory: belongings.directory('aged') });
    const old = await data.session({ principal: 'leaver', command: 'cat /etc/old', daysAgo: 401 });
    const young = await data.session({ principal: 'stayer', command: 'cat /etc/young', daysAgo: 10 });
    await data.run();
    await data.close();
    const bundle = await exportedBundle(belongings, data.directory);

    const opened = await openPage(browser, bundle);
    expect(await opened.verified()).toEqual({
      records: 'passed',
      tree: 'passed',
      signature: 'passed',
      segments: 'passed',
      sessions: 'passed',
      range: 'passed',
    });
    const { page, go } = opened;
    await go('#/');
    expect(await page.textContent('[data-step=records] .result')).toMatch(/hashes of erased ones/);
    expect(await page.textContent('main')).toMatch(
      /Of 1 session among them the content was erased.*No session that answers the question was left out/s,
    );
    await go('#/sessions');
    await page.waitForFunction(() => document.querySelectorAll('.sessions-rows [role=option]').length === 2);
    expect(await page.$$eval('.sessions-rows .flag', (flags) => flags.map((flag) => flag.textContent))).toEqual(['erased']);
    expect(await page.evaluate(() => document.body.textContent)).not.toMatch(/leaver|\/etc\/old/);
    await go(`#/sessions/${old}`);
    await page.waitForFunction(() => document.querySelector('.replay-stage h2')?.textContent === 'This session was erased');
    expect(await page.textContent('.replay-stage')).toMatch(
      /at the end of its retention on .* UTC by root: kept for 400 days, as configured/,
    );
    await go(`#/sessions/${young}`);
    await page.waitForFunction(() => document.querySelector('.cells')?.textContent.includes('uid=0(root)'));
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });
});
