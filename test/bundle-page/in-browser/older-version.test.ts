import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../support/browser.ts';
import { startGateway } from '../../support/gateway.ts';
import { Belongings } from '../../support/temp.ts';
import { exportedBundle, openPage } from './opened-page.ts';

const belongings = new Belongings();
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(belongings);
});
afterAll(() => belongings.release());

describe('what version 0.1 recorded', () => {
  it('plays, and the page says what it cannot compare because the seals are older', async () => {
    const data = join(belongings.directory('older'), 'data');
    mkdirSync(data);
    cpSync(join(import.meta.dirname, '../../fixtures/data-directory-0.1/killed'), data, { recursive: true });
    // Its start takes the older records into a ledger and recovers what the killed gateway left.
    const gateway = await startGateway(belongings, {
      data,
      configuration: { gateway: { name: 'fixture' }, recording: { reserve: '1MiB' } },
    });
    await gateway.stop();
    const opened = await openPage(browser, await exportedBundle(belongings, data));
    expect(await opened.verified()).toEqual({
      records: 'passed',
      tree: 'passed',
      signature: 'passed',
      segments: 'limited',
      sessions: 'passed',
      range: 'passed',
    });
    const { page, go } = opened;
    expect(await page.textContent('.pill')).toBe('! Verified as far as this browser can');
    await go('#/');
    expect(await page.textContent('[data-step=segments] .result')).toMatch(
      /older than the digests that a page can compare: run data\/verify\.sh/,
    );
    await go('#/sessions');
    await page.waitForFunction(() => document.querySelectorAll('.sessions-rows [role=option]').length === 4);
    expect(await page.$$eval('.sessions-rows .flag', (flags) => flags.map((flag) => flag.textContent))).toEqual(['recovered']);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.controls');
    await page.waitForFunction(() => document.querySelectorAll('.transcript-rows [role=option]').length > 0);
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });
});
