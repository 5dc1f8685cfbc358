import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../support/browser.ts';
import { Belongings } from '../../support/temp.ts';
import { type OpenedPage, openPage } from './opened-page.ts';
import { sharedBundle } from './shared-bundle.ts';

const belongings = new Belongings();
const shared = sharedBundle(belongings);
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(belongings);
});
afterAll(() => belongings.release());

async function replayOf(which: 'shell' | 'exec' | 'several' | 'long' | 'recovered', place = ''): Promise<OpenedPage> {
  const { bundle, story } = await shared();
  const opened = await openPage(browser, bundle, { hash: `#/sessions/${story[which]}${place}` });
  await opened.page.waitForSelector('.controls');
  return opened;
}

/** The lines of the screen, once one of them is as expected. */
async function screenWith(page: Page, words: string): Promise<string> {
  await page.waitForFunction(
    (wanted) => [...document.querySelectorAll('.cells .line')].some((line) => line.textContent.includes(wanted)),
    words,
  );
  return screenOf(page);
}

function screenOf(page: Page): Promise<string> {
  return page.$$eval('.cells .line', (lines) =>
    lines
      .map((line) => line.textContent.trimEnd())
      .join('\n')
      .trimEnd(),
  );
}

/** The position that the slider tells, in seconds. */
function position(page: Page): Promise<number> {
  return page.$eval('.timeline', (slider) => Number(slider.getAttribute('aria-valuenow')));
}

async function until(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelector('.timeline')?.getAttribute('aria-valuenow') === String(wanted), seconds);
}

async function withoutComplaint({ complaints, strayRequests, close }: OpenedPage): Promise<void> {
  expect(complaints).toEqual([]);
  expect(strayRequests).toEqual([]);
  await close();
}

describe('a replay', () => {
  it('shows the screen of a terminal as it was at any moment', async () => {
    const opened = await replayOf('long', '/0?at=30.5');
    const { page, go } = opened;
    const { story } = await shared();
    const ticks = (last: number) =>
      Array.from({ length: Math.min(23, last) }, (_, at) => `tick ${last - Math.min(23, last) + 1 + at}`).join('\n');
    expect(await screenWith(page, 'tick 30')).toBe(ticks(30));
    for (const second of [200, 5, 120, 60, 61, 240]) {
      await go(`#/sessions/${story.long}/0?at=${second}.5`);
      await screenWith(page, `tick ${second}`);
      await page.waitForFunction((next) => !document.querySelector('.cells')?.textContent.includes(`tick ${next}`), second + 1);
      expect(await screenOf(page), `at ${second} s`).toBe(ticks(second));
    }
    await withoutComplaint(opened);
  });

  it('keeps the recorded size, follows its changes and draws wide characters two columns wide', async () => {
    const opened = await replayOf('shell', '/0?at=50');
    const { page, go } = opened;
    const { story } = await shared();
    await screenWith(page, 'sudo systemctl restart shop');
    expect(await page.$$eval('.cells .line', (lines) => lines.length)).toBe(30);
    await go(`#/sessions/${story.shell}/0?at=113`);
    await screenWith(page, '漢字');
    expect(await page.$$eval('.cells .line', (lines) => lines.length)).toBe(36);
    const wide = page.locator('.cells .line', { hasText: '漢字 ünïcödé' }).last();
    const end = await wide.evaluate((line) => {
      const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const at = node.textContent?.indexOf('|') ?? -1;
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        return range.getBoundingClientRect().left - line.getBoundingClientRect().left;
      }
      return -1;
    });
    const column = await page.$eval('.cells', (cells) => cells.getBoundingClientRect().width / 120);
    // Two ideographs and a space, seven letters and a space, an astronaut of two parts, a space and a rocket.
    expect(end / column).toBeCloseTo(5 + 8 + 4 + 1 + 2, 1);
    await withoutComplaint(opened);
  });

  it('plays with idle time folded, pauses, and goes at another speed', async () => {
    const opened = await replayOf('long', '/0');
    const { page } = opened;
    await page.getByRole('button', { name: 'Play the recording' }).click();
    await page.selectOption('.controls select', '16');
    await screenWith(page, 'tick 12');
    await page.keyboard.press(' ');
    const stopped = await position(page);
    expect(stopped).toBeGreaterThanOrEqual(12);
    await page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          let frames = 0;
          const frame = (): void => {
            frames += 1;
            if (frames < 20) requestAnimationFrame(frame);
            else resolve();
          };
          requestAnimationFrame(frame);
        }),
    );
    expect(await position(page)).toBe(stopped);
    expect(await page.getByRole('button', { name: 'Play', exact: true }).count()).toBe(1);
    await page.keyboard.press('[');
    await page.waitForFunction(() => document.querySelector<HTMLSelectElement>('.controls select')?.value === '8');
    await withoutComplaint(opened);
  });

  it('folds the pauses of a terminal away, and shows them when asked', async () => {
    const opened = await replayOf('shell', '/0?at=0');
    const { page } = opened;
    const folded = page.getByRole('button', { name: /^Idle folded/ });
    expect(await folded.getAttribute('aria-pressed')).toBe('true');
    expect(await page.$$eval('.timeline .fold', (folds) => folds.length)).toBeGreaterThan(1);
    await page.locator('body').press('i');
    await page.waitForSelector('.timeline .idle');
    expect(await page.$$eval('.timeline .fold', (folds) => folds.length)).toBe(0);
    await withoutComplaint(opened);
  });

  it('is moved by keys, by marks, by a click and by dragging on the timeline', async () => {
    const opened = await replayOf('long', '/0?at=100');
    const { page } = opened;
    await screenWith(page, 'tick 100');
    await page.keyboard.press('ArrowRight');
    await until(page, 105);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await until(page, 95);
    await page.keyboard.press('Shift+ArrowRight');
    await until(page, 241);
    await page.keyboard.press('Shift+ArrowLeft');
    await until(page, 0);
    await page.keyboard.press('End');
    await until(page, 241);
    const box = await page.locator('.timeline').boundingBox();
    if (box === null) throw new Error('there is no timeline');
    await page.mouse.click(box.x + box.width / 2, box.y + 10);
    await page.waitForFunction(() => Math.abs(Number(document.querySelector('.timeline')?.getAttribute('aria-valuenow')) - 120.5) < 2);
    await page.mouse.move(box.x + box.width / 2, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 4, box.y + 10, { steps: 5 });
    await page.mouse.up();
    await screenWith(page, 'tick 60');
    expect(await page.textContent('.timeline .hover')).toMatch(/^1:0\d/);
    await withoutComplaint(opened);
  });

  it('steps from change to change', async () => {
    const opened = await replayOf('long', '/0?at=10.5');
    const { page } = opened;
    await screenWith(page, 'tick 10');
    await page.keyboard.press('.');
    await screenWith(page, 'tick 11');
    await page.keyboard.press(',');
    await page.waitForFunction(() => !document.querySelector('.cells')?.textContent.includes('tick 11'));
    await until(page, 10);
    await withoutComplaint(opened);
  });

  it('has a transcript beside it that follows, is searched, and leads to the moment', async () => {
    const opened = await replayOf('shell', '/0?at=0');
    const { page } = opened;
    await page.getByLabel('Find in the transcript').fill('health');
    const line = page.locator('.transcript-rows [role=option]');
    await page.waitForFunction(() => document.querySelectorAll('.transcript-rows [role=option]').length === 1);
    await line.click();
    await screenWith(page, 'curl -s localhost:8080/health');
    await page.getByLabel('Find in the transcript').fill('');
    await page.getByLabel('Events only').check();
    const lines = await page.$$eval('.transcript-rows .cut', (cells) => cells.map((cell) => cell.textContent));
    expect(lines).toContain('deploy@web-1:/srv/shop$ sudo systemctl restart shop');
    expect(lines.join('\n')).not.toContain('412.8M');
    expect(lines.join('\n')).not.toContain('the secret');
    await withoutComplaint(opened);
  });

  it('does not show input unless asked, and never a secret', async () => {
    const opened = await replayOf('shell', '/0?at=50');
    const { page } = opened;
    await screenWith(page, 'password for deploy');
    expect(await page.locator('.typed').isVisible()).toBe(false);
    await page.getByLabel('Show input').check();
    await page.waitForFunction(() => document.querySelector('.typed')?.textContent.includes('sudo systemctl restart shop⏎'));
    expect(await page.textContent('.typed')).not.toContain('secret');
    await withoutComplaint(opened);
  });

  it('tells error output from output where there was no terminal', async () => {
    const opened = await replayOf('exec');
    const { page } = opened;
    await screenWith(page, 'FAILED: 1 of 61');
    const errors = await page.$$eval('.cells .line.error', (lines) => lines.map((line) => line.textContent));
    expect(errors).toEqual(['FAILED: 1 of 61']);
    await page.locator('.terminal').hover();
    await page.mouse.wheel(0, -4000);
    await screenWith(page, 'cc -O2 -o shop main.c');
    expect(await page.$$eval('.cells .line.error', (lines) => lines.map((line) => line.textContent))).toEqual([
      'main.c:41: warning: unused variable ‘pool’',
      'main.c:57: warning: comparison of integers',
    ]);
    await withoutComplaint(opened);
  });

  it('has all channels of a session, and says what binary content it does not show', async () => {
    const opened = await replayOf('several');
    const { page } = opened;
    expect(await page.$$eval('.channels a', (links) => links.map((link) => link.textContent))).toEqual(['0 sftp', '1 exec tar cf - .']);
    await page.waitForFunction(() =>
      document.querySelector('.transcript-rows')?.textContent.includes('close /srv/report.csv 48,211 bytes'),
    );
    await page.getByRole('link', { name: 'exec' }).click();
    expect(await screenWith(page, 'tar: done')).toBe('[bytes that are not text]\ntar: done');
    await withoutComplaint(opened);
  });

  it('says on the screen what was lost, and why', async () => {
    const opened = await replayOf('recovered');
    await opened.page.waitForSelector('.gap:not([hidden])');
    expect(await opened.page.textContent('.gap')).toMatch(/31 bytes of the recording were lost/);
    await withoutComplaint(opened);
  });

  it('shows who, what was decided, and each part against its seal', async () => {
    const opened = await replayOf('long');
    const { page } = opened;
    await page.getByRole('tab', { name: 'Details' }).click();
    await page.waitForFunction(() => document.querySelectorAll('#panel-details .evidence.passed').length > 3);
    const words = await page.textContent('#panel-details');
    expect(words).toMatch(/engineer@example.com/);
    expect(words).toMatch(/Verdictallow by allow web-1/);
    expect(words).toMatch(/publickey SHA256:abc/);
    await withoutComplaint(opened);
  });
});
