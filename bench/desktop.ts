import type { Page } from 'playwright-core';
import { makeOperators } from '../test/operator-api/api-client.ts';
import { randomNumbers } from '../test/replay/random-output.ts';
import { startBrowser } from '../test/support/browser.ts';
import { openConsole } from '../test/support/console.ts';
import { startGateway } from '../test/support/gateway.ts';
import { makeKey } from '../test/support/keys.ts';
import { makeManySessions } from '../test/support/many-sessions.ts';
import { until } from '../test/support/wait.ts';
import { EchoTerminal } from './support/echo-terminal.ts';
import { makeRecording } from './support/large-recording.ts';
import { judged, type Measurement, report } from './support/measurement.ts';
import type { Row } from './support/row.ts';
import { SshClient } from './support/ssh-client.ts';
import { median, quantile } from './support/statistics.ts';

const REVIEWER = 'reviewer@example.com';
const ROW = 16;
const GOAL_OPEN = 300;
const GOAL_SEEK = 100;
const GOAL_KEY = 100;
/** A screen that is drawn sixty times a second, and what of it the slowest frames of a smooth scroll may take. */
const FRAME = 1000 / 60;
const SEEKS = 60;
const KEYS = 40;
const SCROLL_MILLIS = 4000;

/** What the design promises of the console, in the system's Chromium, from a gateway with much in it. */
export const desktop: Row = {
  row: ROW,
  name: 'desktop',
  what: 'the console in Chromium: a 1 GB recording, 100,000 sessions scrolled, a live keystroke',
  async run(belongings, { quick, runs, say }) {
    const directory = belongings.directory('desktop');
    const data = belongings.directory('data');
    const sessions = quick ? 2000 : 100_000;
    const began = performance.now();
    await makeManySessions(data, sessions, 'bench');
    const recording = await makeRecording(belongings, quick ? 5e6 : 1e9, data);
    say(
      `${sessions} sessions and a recording of ${Math.round(recording.bytes / 1e6)} MB made in ${Math.round((performance.now() - began) / 1000)} s`,
    );
    const operators = await makeOperators(belongings.directory('operators'), { [REVIEWER]: ['reviewer'] });
    const key = await makeKey(directory, 'agent');
    const gateway = await startGateway(belongings, {
      data,
      https: true,
      configuration: {
        gateway: { name: 'bench' },
        humans: operators.humans,
        agents: [{ name: 'typist', 'on-behalf-of': REVIEWER, 'ssh-keys': [key.publicLine] }],
        targets: [{ name: 'here', kind: 'shell', shell: '/bin/sh', directory: '/', allow: ['typist'] }],
        recording: { reserve: '64MiB' },
      },
    });
    const client = new SshClient(directory, 'bench', [{ name: 'here', port: gateway.port, user: 'here', key: key.path }], {});
    const browser = await startBrowser(belongings);
    const { page, origin, faults } = await openConsole(browser, gateway, { operator: REVIEWER });
    await page.getByText(/^[\d,]+ sessions$/).waitFor();

    say('the console is open');
    const loads: number[] = [];
    const opens: number[] = [];
    const seeks: number[] = [];
    const frames: { median: number; p95: number; late: number }[] = [];
    const keys: number[] = [];
    for (let run = 0; run <= runs; run += 1) {
      const loaded = await timeLoad(page, `${origin}/sessions`);
      const frame = await scroll(page);
      const open = await timeOpen(page, recording.session);
      const sought = await timeSeeks(page, run);
      const typed = await timeKeys(page, await EchoTerminal.open(belongings, client, 'here'));
      if (run === 0) continue; // The browser compiles what is hot.
      loads.push(loaded);
      opens.push(open);
      seeks.push(quantile(sought, 0.95));
      frames.push(frame);
      keys.push(quantile(typed, 0.95));
      say(
        `run ${run} of ${runs}: shown after ${loaded.toFixed(0)} ms; 1 GB open ${open.toFixed(0)} ms, seek p95 ${seeks.at(-1)?.toFixed(0)} ms; ` +
          `frame ${frame.median.toFixed(1)} ms, p95 ${frame.p95.toFixed(1)} ms; key p95 ${keys.at(-1)?.toFixed(0)} ms`,
      );
    }
    if (faults().length > 0) throw new Error(`the console complains: ${faults().join('; ')}`);
    const smooth = frames.map((frame) => frame.median);
    const figure = (name: string, values: readonly number[], goal: number, note: string): Measurement =>
      judged(report({ row: ROW, name, unit: 'ms', values, note }), `≤ ${Math.round(goal)} ms`, !quick && median(values) <= goal);
    return {
      main: figure(
        'desktop seek',
        seeks,
        GOAL_SEEK,
        `p95 of ${SEEKS} random moments of ${Math.round(recording.bytes / 1e6)} MB, until they are drawn`,
      ),
      extras: [
        figure('desktop open', opens, GOAL_OPEN, 'from the table to the first screen of the same recording'),
        figure('desktop scroll', smooth, FRAME + 1, `between frames while ${sessions} sessions are scrolled; ${lateWords(frames)}`),
        figure('desktop key', keys, GOAL_KEY, `p95 of ${KEYS}, from the key in the agent's terminal to its echo in the live view`),
        report({
          row: ROW,
          name: 'desktop load',
          unit: 'ms',
          values: loads,
          note: 'from the address to the table of sessions, nothing cached but code',
        }),
      ],
    };
  },
};

function lateWords(frames: readonly { p95: number; late: number }[]): string {
  const p95 = median(frames.map((frame) => frame.p95));
  return `p95 ${p95.toFixed(1)} ms, ${(median(frames.map(({ late }) => late)) * 100).toFixed(1)} % later than two frames`;
}

async function timeLoad(page: Page, address: string): Promise<number> {
  const began = performance.now();
  await page.goto(address);
  await page.locator('[role=row][id^=session-]').first().waitFor();
  return performance.now() - began;
}

/** Rolls the wheel through the table and looks how the frames come. */
async function scroll(page: Page): Promise<{ median: number; p95: number; late: number }> {
  const times = await page.evaluate(async (millis) => {
    const grid = document.querySelector('[role=grid]');
    if (grid === null) throw new Error('there is no table');
    const gaps: number[] = [];
    const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
    const began = await frame();
    for (let before = began; before - began < millis; ) {
      grid.scrollTop += 90;
      const now = await frame();
      gaps.push(now - before);
      before = now;
    }
    return gaps;
  }, SCROLL_MILLIS);
  return { median: median(times), p95: quantile(times, 0.95), late: times.filter((time) => time > 34).length / times.length };
}

/** From the click on a row until the screen is drawn. */
async function timeOpen(page: Page, session: string): Promise<number> {
  return page.evaluate(async (id) => {
    const grid = document.querySelector('[role=grid]');
    if (grid === null) throw new Error('there is no table');
    grid.scrollTop = 0;
    const row = await new Promise<HTMLElement>((resolve) => {
      const look = () => {
        const found = document.getElementById(`session-${id}`);
        if (found === null) requestAnimationFrame(look);
        else resolve(found);
      };
      look();
    });
    const began = performance.now();
    row.click();
    return new Promise<number>((resolve) => {
      const look = () => {
        const screen = document.querySelector<HTMLElement>('.terminal[data-position]');
        if (screen !== null && !screen.hasAttribute('data-underway') && screen.querySelector('.line') !== null)
          resolve(performance.now() - began);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
  }, session);
}

/** Clicks on the timeline, each until the moment is drawn. */
async function timeSeeks(page: Page, run: number): Promise<number[]> {
  const random = randomNumbers(run + 1);
  const shares = Array.from({ length: SEEKS }, () => random(1e6) / 1e6);
  return page.evaluate(async (wanted) => {
    const slider = document.querySelector<HTMLElement>('[role=slider]');
    const screen = document.querySelector<HTMLElement>('.terminal[data-position]');
    if (slider === null || screen === null) throw new Error('there is no replay');
    slider.setPointerCapture = () => undefined;
    const { left, top, width } = slider.getBoundingClientRect();
    const times: number[] = [];
    for (const share of wanted) {
      const before = screen.dataset.position;
      const began = performance.now();
      const pointer = { clientX: left + share * width, clientY: top + 4, pointerId: 1, button: 0, bubbles: true };
      slider.dispatchEvent(new PointerEvent('pointerdown', pointer));
      slider.dispatchEvent(new PointerEvent('pointerup', pointer));
      await new Promise<void>((resolve) => {
        let looked = 0;
        const look = () => {
          looked += 1;
          // A moment that is the one before, because a mark is near, is there at once.
          const there = screen.dataset.position !== before || looked > 3;
          if (there && !screen.hasAttribute('data-underway')) resolve();
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      });
      times.push(performance.now() - began);
    }
    return times;
  }, shares);
}

/** Types in the agent's terminal, and looks when it stands in the reviewer's. */
async function timeKeys(page: Page, terminal: EchoTerminal): Promise<number[]> {
  await page.evaluate(() => {
    history.pushState(null, '', '/live');
    window.dispatchEvent(new PopStateEvent('popstate'));
  });
  await page
    .getByRole('link', { name: /typist/ })
    .first()
    .click();
  const screen = page.locator('.terminal').first();
  await until('the live view has joined', async () => ((await screen.textContent())?.includes('ready') === true ? true : undefined));
  const times: number[] = [];
  for (let key = 0; key < KEYS; key += 1) {
    const shown = page.evaluate(
      (length) =>
        new Promise<void>((resolve) => {
          const node = document.querySelector('.terminal');
          const look = () => {
            if ((node?.textContent?.trimEnd().length ?? 0) > length) resolve();
            else requestAnimationFrame(look);
          };
          look();
        }),
      (await screen.textContent())?.trimEnd().length ?? 0,
    );
    const began = performance.now();
    await Promise.all([terminal.echoMs(), shown]);
    times.push(performance.now() - began);
  }
  await terminal.close();
  return times;
}
