import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { startBrowser } from '../support/browser.ts';
import { accessibilityFaults, logInCode, type OpenConsole, openConsole } from '../support/console.ts';
import type { DrivenTerminal } from '../support/driven-terminal.ts';
import { Belongings } from '../support/temp.ts';
import { openReplayWorld, REVIEWER, type ReplayWorld, VISITOR } from './replay-world.ts';

/** The replay of real sessions in a real browser, as people use it: by the keyboard. */

const belongings = new Belongings();
let world: ReplayWorld;
let browser: Browser;
/** The reviewer's, for most of it; and what is opened for one test alone. */
let console: OpenConsole;
let other: OpenConsole | undefined;
let known = 0;
/** A shell with a few commands, and a pause that folds. */
let shell: string;

beforeAll(async () => {
  [browser, world] = await Promise.all([startBrowser(belongings), openReplayWorld(belongings)]);
  shell = await world.atTerminal(100, 30, async (terminal) => {
    await terminal.typed('echo the-first-$((40+2))\r', 'the-first-42');
    await terminal.typed('sleep 2.5; echo awake\r', /^awake$/m);
    await terminal.typed('echo a needle in the hay\r', /^a needle in the hay$/m);
    await terminal.typed('echo the last\r', /^the last$/m);
  });
  // What is provoked on purpose, and Chromium writes to its console: what is not there, and what is damaged.
  console = await openConsole(browser, world.gateway, { operator: REVIEWER, route: '/settings', expectedStatuses: [404, 500] });
  await console.page.getByRole('navigation', { name: 'Places' }).waitFor();
}, 90_000);
afterAll(() => belongings.release());
afterEach(async () => {
  const faults = [...console.faults().slice(known), ...(other?.faults() ?? [])];
  known = console.faults().length;
  await other?.close();
  other = undefined;
  expect(faults).toEqual([]);
});

async function replay(session: string, query = ''): Promise<Page> {
  await console.page.goto(`${console.origin}/session/${session}${query}`);
  return console.page;
}

/** In a browser of its own. */
async function replayApart(session: string, query: string, options: Parameters<typeof openConsole>[2]): Promise<Page> {
  other = await openConsole(browser, world.gateway, { operator: REVIEWER, route: `/session/${session}${query}`, ...options });
  return other.page;
}

const terminal = (page: Page) => page.locator('.terminal');
const screenOf = async (page: Page) => (await terminal(page).locator('.line').allTextContents()).join('\n').trimEnd();
/** Seconds that the screen shows, once it does. */
async function position(page: Page): Promise<number> {
  await page.waitForSelector('.terminal[data-position]:not([data-underway])');
  return Number(await terminal(page).getAttribute('data-position'));
}
const positions = (page: Page) => expect.poll(() => position(page));
const screens = (page: Page) => expect.poll(() => screenOf(page));

describe('a session', () => {
  it('is played, and gone through by the keyboard alone', async () => {
    const page = await replay(shell);
    await page.getByRole('button', { name: 'Play the recording' }).waitFor();
    await positions(page).toBe(0);
    await page.keyboard.press('Space');
    await positions(page).toBeGreaterThan(0.05);
    await page.keyboard.press('Space');
    const stopped = await position(page);
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
    await page.keyboard.press('End');
    await screens(page).toContain('the last');
    await positions(page).toBeGreaterThanOrEqual(stopped);
    await page.keyboard.press('Home');
    await positions(page).toBe(0);
    // From mark to mark: each command is one.
    const seen: string[] = [];
    for (let step = 0; step < 7; step += 1) {
      const before = await position(page);
      await page.keyboard.press('Shift+ArrowRight');
      await positions(page).toBeGreaterThan(before);
      seen.push(await screenOf(page));
    }
    expect(seen.some((text) => text.includes('$ echo a needle in the hay') && !text.includes('the last'))).toBe(true);
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press(']');
    await page.getByRole('button', { name: 'Speed 2×' }).waitFor();
    await page.keyboard.press('[');
    await page.keyboard.press('[');
    await page.getByRole('button', { name: 'Speed 0.5×' }).waitFor();
    await page.keyboard.press('i');
    await page.getByRole('button', { name: 'in full' }).waitFor();
    await page.keyboard.press('i');
    const slider = page.getByRole('slider', { name: 'Position in the recording' });
    await slider.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => slider.getAttribute('aria-valuetext')).toMatch(/^0 seconds of \d+ seconds$/);
  });

  it('is stepped through change by change, and a step back is exactly where it was', async () => {
    const page = await replay(shell, '?at=0');
    await position(page);
    const forward: [number, string][] = [];
    for (let step = 0; step < 8; step += 1) {
      const before = await position(page);
      await page.keyboard.press('.');
      await positions(page).toBeGreaterThan(before);
      forward.push([await position(page), await screenOf(page)]);
    }
    for (const [at, text] of forward.slice(0, -1).reverse()) {
      await page.keyboard.press(',');
      await positions(page).toBe(at);
      expect(await screenOf(page)).toBe(text);
    }
  });

  it('opens at the moment that a link was copied at', async () => {
    const page = await replay(shell, '?at=1');
    await positions(page).toBe(1);
    await page.keyboard.press('Shift+ArrowRight');
    await positions(page).toBeGreaterThan(1);
    const at = await position(page);
    const text = await screenOf(page);
    await page.keyboard.press('c');
    await page.getByText('The link to this moment is copied').waitFor();
    // What is in the clipboard, no page may read; it is pasted as a person would.
    const filter = page.getByRole('textbox', { name: 'Filter the transcript' });
    await filter.focus();
    await page.keyboard.press('Control+v');
    const link = await filter.inputValue();
    expect(link).toContain(`/session/${shell}?`);
    await expect.poll(() => new URL(page.url()).searchParams.get('at')).toBe(new URL(link).searchParams.get('at'));
    await page.goto('about:blank');
    await page.goto(link);
    await positions(page).toBe(at);
    await screens(page).toBe(text);
  });

  it('is searched inside, hit by hit', async () => {
    const page = await replay(shell, '?at=0');
    await position(page);
    await page.keyboard.press('Control+f');
    await page.getByRole('textbox', { name: 'Find in this recording' }).waitFor();
    await page.keyboard.type('needle');
    const find = page.getByRole('region', { name: 'Find in this recording' });
    await find.getByText('2', { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await find.getByText('1 of 2').waitFor();
    await screens(page).toContain('needle');
    const first = await position(page);
    await page.keyboard.press('Enter');
    await find.getByText('2 of 2').waitFor();
    await positions(page).toBeGreaterThanOrEqual(first);
    await screens(page).toMatch(/^a needle in the hay$/m);
    await page
      .getByRole('button', { name: /found: a needle in the hay|found: \$ echo a needle/ })
      .first()
      .waitFor({ state: 'attached' });
    await page.keyboard.press('Control+a');
    await page.keyboard.type('nothing like this');
    await find.getByText('not found').waitFor();
    await page.keyboard.press('Escape');
    await find.waitFor({ state: 'detached' });
    expect(await terminal(page).evaluate((node) => node === document.activeElement)).toBe(true);
  });

  it('has its transcript, which follows and leads', async () => {
    const page = await replay(shell, '?at=0');
    await position(page);
    const transcript = page.getByRole('list', { name: 'Transcript' });
    await transcript.getByText('echo the last').click();
    await screens(page).toMatch(/a needle in the hay\n\$$/);
    await expect.poll(() => transcript.locator('[aria-current]').textContent()).toContain('echo the last');
    await page.getByRole('textbox', { name: 'Filter the transcript' }).fill('needle');
    await expect.poll(() => transcript.getByRole('listitem').count()).toBe(1);
    // All of it, line by line, and each leads to the moment at which it was first there.
    await page.getByText('All text').click();
    const text = page.getByRole('list', { name: 'Text of the screen' });
    await text.getByText('the-first-42').click();
    await screens(page).not.toContain('needle');
    await screens(page).toMatch(/the-first-42/);
  });

  it('shows at the pointer what was on the screen then, and is dragged through', async () => {
    const page = await replay(shell, '?at=0');
    await position(page);
    const box = await page.getByRole('slider', { name: 'Position in the recording' }).boundingBox();
    if (box === null) throw new Error('there is no timeline');
    await page.mouse.move(box.x + box.width - 30, box.y + 20);
    await page.locator('canvas[data-drawn]').waitFor();
    const ink = await page.locator('canvas[data-drawn]').evaluate((node) => {
      const canvas = node as HTMLCanvasElement;
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      return data.filter((value, index) => index % 4 === 0 && value > 120).length;
    });
    expect(ink).toBeGreaterThan(10);
    expect(await position(page)).toBe(0);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + 20);
    await page.mouse.up();
    await positions(page).toBeGreaterThan(0.1);
    const half = await position(page);
    await page.keyboard.press('End');
    await positions(page).toBeGreaterThan(half);
  });
});

describe('what is beside it', () => {
  it('says by what right, and what came before', async () => {
    const approved = await world.executeApproved('touch /tmp/flag', 'the release needs it');
    const page = await replay(approved, '?panel=decision');
    const beside = page.getByRole('complementary', { name: 'About this session' });
    await beside.getByText('✓ signature good').waitFor();
    await beside.getByText('“the release needs it”').waitFor();
    const deciding = beside.getByRole('region', { name: 'Text of the policy' }).locator('[data-deciding]');
    await expect.poll(async () => (await deciding.allTextContents()).join('\n')).toContain('@id("writes-are-asked-for")');
    expect((await deciding.allTextContents()).join('\n')).not.toContain('@id("shells")');
    await page.getByRole('tab', { name: 'Cause' }).click();
    await beside.getByText('Opened by the principal itself; no tool call is recorded as its cause.').waitFor();
    await page.getByRole('tab', { name: 'Transcript' }).click();
    const lines = page.getByRole('list', { name: 'Transcript' }).getByRole('listitem');
    await expect
      .poll(async () => (await lines.allTextContents()).map((line) => line.replace(/^[\d:.]+/, '')))
      .toEqual([
        expect.stringContaining('approval asked'),
        expect.stringContaining(`approved by ${REVIEWER}`),
        expect.stringMatching(/^touch \/tmp\/flagexit 0$/),
        expect.stringContaining('Exit status 0'),
      ]);
  });

  it('proves it anew, and shows every record as it stands', async () => {
    const page = await replay(shell, '?panel=evidence');
    await page.getByRole('button', { name: 'Verify now' }).click();
    await page.getByText('✓ verified', { exact: true }).first().waitFor();
    await page.getByText(/\d+ records and 1 segment under a checkpoint/).waitFor();
    const records = page.getByRole('list', { name: 'Records of this session, in the order of the ledger' });
    await records.locator('summary').first().click();
    await expect.poll(() => records.getByRole('region', { name: 'As it stands' }).textContent()).toContain('"type": "session.open"');
  });

  it('takes notes on moments, and a signed word on the whole', async () => {
    const page = await replay(shell, '?at=0');
    await position(page);
    await page.keyboard.press('End');
    await positions(page).toBeGreaterThan(1);
    const at = await position(page);
    await page.keyboard.press('n');
    await page.keyboard.type('Who asked for this?');
    await page.keyboard.press('Control+Enter');
    const beside = page.getByRole('complementary', { name: 'About this session' });
    await beside.getByText('Who asked for this?').waitFor();
    await page.getByRole('button', { name: /note: Who asked for this\?/ }).waitFor({ state: 'attached' });
    const { body } = await world.reviewer('review.show', { session: shell });
    const { notes } = body as unknown as OperationOutput<'review.show'>;
    expect(notes).toMatchObject([{ channel: 0, text: 'Who asked for this?', by: REVIEWER }]);
    expect((notes[0]?.at ?? 0) / 1e9).toBeCloseTo(at, 3);

    await page.getByRole('button', { name: 'Sign off…' }).first().click();
    await page.getByRole('button', { name: 'Make a signing key…' }).click();
    await page.getByRole('button', { name: 'Make and register the key' }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    const dialog = page.getByRole('dialog', { name: 'Sign off this session' });
    await dialog.getByText('Concern').click();
    await dialog.getByRole('textbox', { name: 'Why' }).fill('the second command is odd');
    await dialog.getByRole('button', { name: 'Sign', exact: true }).click();
    await beside.getByText('! concern').waitFor();
    await beside.getByText('✓ signature good').waitFor();
    await beside.getByText('“the second command is odd”').waitFor();
    const after = (await world.reviewer('review.show', { session: shell })).body as unknown as OperationOutput<'review.show'>;
    expect(after.signOffs).toMatchObject([{ reviewer: REVIEWER, verdict: 'concern', signature: 'good' }]);
  });

  it('says who may not sign, and why', async () => {
    const page = await replayApart(shell, '?panel=review', { operator: VISITOR });
    const beside = page.getByRole('complementary', { name: 'About this session' });
    await beside.getByText(/reviewer or auditor/).waitFor();
    expect(await beside.getByRole('button', { name: 'Sign off…' }).isDisabled()).toBe(true);
  });

  it('knows how much was watched, and by whom', async () => {
    const session = await world.execute('echo seen at a glance');
    const page = await replay(session);
    await screens(page).toContain('seen at a glance');
    await page.waitForTimeout(3000);
    await page.getByRole('link', { name: 'Sessions', exact: true }).first().click();
    await expect
      .poll(async () => {
        const { body } = await world.reviewer('review.show', { session });
        const { watched, nanos } = body as unknown as OperationOutput<'review.show'>;
        return watched.find(({ operator }) => operator === REVIEWER)?.nanos === nanos;
      })
      .toBe(true);
  });
});

describe('what is not as usual', () => {
  it('is shown in the size that it had: wide, narrow, and without a terminal', async () => {
    const wide = await world.atTerminal(400, 120, (at) => at.typed("printf '%0399d\\n' 7\r", /0007/));
    const page = await replay(wide);
    await position(page);
    await page.keyboard.press('End');
    await screens(page).toMatch(/^0{398}7$/m);
    expect(await terminal(page).locator('.line').count()).toBe(120);
    const narrow = await world.atTerminal(20, 40, (at) => at.typed('echo narrow things wrap around\r', /around/));
    await page.goto(`${console.origin}/session/${narrow}?at=60`);
    await screens(page).toContain('narrow things wrap a');
    expect(await terminal(page).locator('.line').count()).toBe(40);
    const plain = await world.execute('echo out; echo trouble >&2; exit 3');
    await page.goto(`${console.origin}/session/${plain}`);
    await screens(page).toContain('out');
    expect(await terminal(page).locator('.line.error').allTextContents()).toEqual(['trouble']);
    await expect.poll(() => page.getByRole('list', { name: 'Transcript' }).textContent()).toContain('exit 3');
  });

  it('has several channels, each at its own place', async () => {
    const session = await world.executeAll(['echo one', 'echo two', 'echo three']);
    const page = await replay(session);
    await screens(page).toBe('one');
    await page
      .getByRole('navigation', { name: 'Channels' })
      .getByRole('button', { name: /echo three/ })
      .click();
    await screens(page).toBe('three');
    expect(new URL(page.url()).searchParams.get('channel')).toBe('2');
    await page.goBack();
    await screens(page).toBe('one');
  });

  it('is damaged, and says where and what of it is gone', async () => {
    const session = await world.execute('seq 1 5000');
    damage(world.gateway.data, session);
    const page = await replay(session);
    await page.getByText(/Missing here/).waitFor();
    await page.getByRole('tab', { name: 'Evidence' }).click();
    await page.getByRole('button', { name: 'Verify now' }).click();
    await page.getByText('✗ not as it was sealed').waitFor();
  });

  it('runs, and is followed as it does', async () => {
    const { session, terminal: typed } = await world.openTerminal(80, 24);
    const page = await replay(session);
    await page.getByRole('link', { name: 'Watch live' }).waitFor();
    await says(typed, 'hello-watcher');
    await screens(page).toContain('\nhello-watcher');
    await page.keyboard.press('Home');
    await positions(page).toBe(0);
    await says(typed, 'later');
    await page.getByRole('button', { name: 'jump to live' }).click();
    await screens(page).toContain('\nlater');
    typed.type('exit\r');
    await typed.ended();
    await page.getByRole('link', { name: 'Watch live' }).waitFor({ state: 'detached' });
  });

  it('is not there', async () => {
    const page = await replay('01a21646-0000-7df7-b19d-3c0b28191746');
    await page.getByText('There is no such session here').waitFor();
  });
});

describe('for everybody', () => {
  const ready = {
    Transcript: 'echo the last',
    Decision: '@id("shells")',
    Cause: 'What caused it',
    Evidence: 'Session to web opened',
    Review: 'Notes',
  };

  it.each([
    ['light', ['Transcript', 'Decision', 'Cause']],
    ['dark', ['Evidence', 'Review']],
  ] as const)('it has nothing that axe objects to, %s', async (theme, panels) => {
    const page = await replayApart(shell, '?at=1', { theme });
    await position(page);
    for (const panel of panels) {
      await page.getByRole('tab', { name: panel }).click();
      await page.getByRole('tabpanel').getByText(ready[panel]).first().waitFor();
      expect(await accessibilityFaults(page), panel).toEqual([]);
    }
  });
});

describe('a gateway that goes away', () => {
  it('is waited for, and whoever has to log in again comes back to the same moment', async () => {
    const session = await world.executeAll(['echo one', 'echo two']);
    await console.page.goto('about:blank');
    const page = await replayApart(session, '', { expectedStatuses: [0, 401] });
    await screens(page).toBe('one');
    await world.gateway.kill();
    await page
      .getByRole('navigation', { name: 'Channels' })
      .getByRole('button', { name: /echo two/ })
      .click();
    await page
      .getByText(/does not answer, and is asked again/)
      .first()
      .waitFor();
    await world.gateway.start();
    await page
      .getByRole('textbox')
      .or(page.getByText(/Log in/))
      .first()
      .waitFor();
    const place = new URL(page.url());
    expect(place.searchParams.get('channel')).toBe('1');
    await page.goto('about:blank');
    await page.goto(`${place.href}#code=${await logInCode(world.gateway, REVIEWER)}`);
    await screens(page).toBe('two');
  }, 90_000);
});

async function says(typed: DrivenTerminal, words: string): Promise<void> {
  await typed.typed(`echo ${words}\r`, new RegExp(`^${words}$`, 'm'));
}

/** Changes a byte in the middle of the session's first segment. */
function damage(data: string, session: string): void {
  const root = join(data, 'recordings');
  const file = readdirSync(root, { recursive: true, encoding: 'utf8' }).find((path) => path.includes(session) && path.endsWith('.zst'));
  if (file === undefined) throw new Error('there is no segment');
  const path = join(root, file);
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
}
