import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../support/browser.ts';
import { Belongings } from '../../support/temp.ts';
import { copyOf, type OpenedPage, openPage } from './opened-page.ts';
import { HOSTILE_NAME } from './recorded-story.ts';
import { sharedBundle } from './shared-bundle.ts';
import { changePage, recordScripts } from './tamper.ts';

const belongings = new Belongings();
const shared = sharedBundle(belongings);
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(belongings);
});
afterAll(() => belongings.release());

/** Nothing of what was tried has happened. */
async function unharmed({ page, complaints, strayRequests }: OpenedPage): Promise<void> {
  expect(await page.evaluate(() => (window as { attacked?: unknown }).attacked)).toBeUndefined();
  expect(await page.title()).not.toMatch(/stolen/);
  expect(await page.evaluate(() => document.querySelectorAll('img, iframe, object, embed, b, script:not([src])').length)).toBe(0);
  expect(
    await page.evaluate(() =>
      [...document.querySelectorAll('a')].map((link) => link.getAttribute('href')).filter((href) => !href?.startsWith('#')),
    ),
  ).toEqual([]);
  expect(complaints).toEqual([]);
  expect(strayRequests).toEqual([]);
}

describe('whoever was recorded', () => {
  it('cannot reach whoever watches: no markup, script, title, clipboard, link, answer or resize', async () => {
    const { bundle, story } = await shared();
    const opened = await openPage(browser, bundle, { hash: `#/sessions/${story.hostile}/0?at=0.95` });
    const { page } = opened;
    await page.evaluate(() => navigator.clipboard.writeText('mine'));
    await page.waitForFunction(() => document.querySelector('.cells')?.textContent.includes('the end'));
    const screen = await page.textContent('.cells');
    expect(screen).toContain('click me and me');
    expect(screen).toContain('<script>window.attacked=4</script>');
    expect(await page.$$eval('.cells .line', (lines) => lines.length), 'a window is not made smaller').toBe(24);
    await unharmed(opened);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('mine');
    await page.locator('.cells .line').first().click();
    await page.getByRole('tab', { name: 'Details' }).click();
    await unharmed(opened);
    await opened.close();
  });

  it('is named as it stands, on every screen, and control characters are shown instead of obeyed', async () => {
    const { bundle, story } = await shared();
    const opened = await openPage(browser, bundle);
    const { page, go } = opened;
    await opened.verified();
    const shown = HOSTILE_NAME.replace('\u202e', '\\u202e');
    for (const [hash, selector] of [
      ['#/sessions', '.sessions-rows'],
      [`#/sessions/${story.hostile}/0`, '.session-head'],
      [`#/sessions/${story.hostile}/records`, '.record-detail'],
      ['#/report', '.report'],
    ] as const) {
      await go(hash);
      await page.waitForFunction(([where, words]) => document.querySelector(where)?.textContent.includes(words) === true, [
        selector,
        shown,
      ] as const);
      expect(await page.evaluate(() => document.body.textContent.includes('\u202e'))).toBe(false);
      await unharmed(opened);
    }
    await go('#/');
    await unharmed(opened);
    await opened.close();
  });
});

describe('a bundle that was made to attack its reader', () => {
  it('cannot make the page load anything but its own data', async () => {
    const { bundle, story } = await shared();
    for (const name of [
      '../../../etc/passwd',
      'https://example.com/x',
      'casts/../bundle',
      '//example.com/x',
      'data:text/javascript,attacked=1',
      'records/0001?x',
      '',
    ]) {
      const copy = copyOf(belongings, bundle);
      changePage(copy, (page) => {
        page.records.scripts = [name];
        const segment = page.sessions.find(({ id }) => id === story.exec)?.recordings[0]?.segments[0];
        if (segment !== undefined) segment.script = name;
      });
      const opened = await openPage(browser, copy);
      const states = await opened.verified();
      expect(states, name).toMatchObject({ records: 'failed', segments: 'failed' });
      expect(await opened.page.textContent('[data-step=records] .findings')).toMatch(/is no name of a part of a bundle/);
      await unharmed(opened);
      await opened.close();
    }
  });

  it('cannot put markup anywhere through its list', async () => {
    const copy = copyOf(belongings, (await shared()).bundle);
    const markup = '<img src="https://example.com/x" onerror="window.attacked=9"><script>window.attacked=10</script>\u202e';
    changePage(copy, (page) => {
      page.question.words = markup;
      page.question.parameters = { [markup]: markup, nested: { [markup]: [markup] } };
      page.gateway = { name: markup, version: markup };
      page.notes = [markup];
      page.ledger.origin = markup;
      page.completeness.leftOut = [{ session: markup, reason: markup }];
      for (const session of page.sessions) {
        Object.assign(session, { target: markup, protocol: markup, source: markup, reason: markup });
        for (const recording of session.recordings) {
          Object.assign(recording, { kind: markup, command: markup });
          for (const segment of recording.segments) Object.assign(segment, { script: null, damage: markup });
        }
      }
    });
    const opened = await openPage(browser, copy);
    await opened.verified();
    const ids = await opened.page.evaluate(() => window.location.hash);
    expect(ids).toBe('');
    for (const hash of [
      '#/',
      '#/sessions',
      '#/records',
      '#/report',
      `#/sessions/${(await shared()).story.several}`,
      `#/${markup}`,
      '#/sessions/<b>',
    ]) {
      await opened.go(hash);
      await opened.page.waitForFunction(() => document.querySelector('main')?.childElementCount === 1);
      await unharmed(opened);
    }
    await opened.close();
  });

  it('that unpacks without end is let go', async () => {
    const { deflateRawSync } = await import('node:zlib');
    const { writeFileSync } = await import('node:fs');
    const { scriptFile } = await import('./tamper.ts');
    const copy = copyOf(belongings, (await shared()).bundle);
    const [script = ''] = recordScripts(copy);
    const bomb = deflateRawSync(Buffer.alloc(300 * 1024 * 1024, 'x'), { level: 1 }).toString('base64');
    writeFileSync(scriptFile(copy, script), `sallyport(${JSON.stringify(script)},"${bomb}");\n`);
    const opened = await openPage(browser, copy);
    expect(await opened.verified()).toMatchObject({ records: 'failed', tree: 'passed' });
    expect(await opened.page.textContent('[data-step=records] .findings')).toMatch(/unpacks to more than any part/);
    await opened.close();
  });

  it('runs under a policy that forbids inline scripts, other origins and markup from text', async () => {
    const opened = await openPage(browser, (await shared()).bundle);
    const { page, complaints } = opened;
    await opened.verified();
    const tried = await page.evaluate(async () => {
      const outcomes: string[] = [];
      const attempt = async (name: string, action: () => unknown) => {
        try {
          await action();
          outcomes.push(`${name}: done`);
        } catch {
          outcomes.push(`${name}: refused`);
        }
      };
      const script = document.createElement('script');
      await attempt('text of a script', () => {
        script.textContent = 'window.attacked = 1';
        document.head.append(script);
      });
      await attempt('address of a script', () => {
        document.createElement('script').src = 'data:text/javascript,window.attacked=2';
      });
      await attempt('markup', () => {
        document.body.innerHTML = '<img src=x onerror="window.attacked=3">';
      });
      await attempt('a request', () => fetch('https://example.com/'));
      await attempt('a worker', () => new Worker(URL.createObjectURL(new Blob(['1']))));
      return outcomes;
    });
    expect(tried).toEqual([
      'text of a script: refused',
      'address of a script: refused',
      'markup: refused',
      'a request: refused',
      'a worker: refused',
    ]);
    expect(await page.evaluate(() => (window as { attacked?: unknown }).attacked)).toBeUndefined();
    expect(complaints.length).toBeGreaterThan(0);
    await opened.close();
  });
});
