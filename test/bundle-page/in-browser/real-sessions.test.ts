import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../support/browser.ts';
import { scp, ssh } from '../../support/clients.ts';
import { endedSessions } from '../../support/recordings.ts';
import { Belongings } from '../../support/temp.ts';
import { openWorld, type World } from '../../support/world.ts';
import { exportedBundle, openPage } from './opened-page.ts';

const belongings = new Belongings();
let world: World;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([openWorld(belongings, { agents: 3 }), startBrowser(belongings)]);
});
afterAll(() => belongings.release());

describe('what went through a real gateway', () => {
  it('is verified and replayed by the page of its bundle', async () => {
    const [terminal, command, files] = [world.agent(), world.agent(), world.agent()];
    await ssh(terminal, 'printf "\\033[2J\\033[3;5H\\033[1;31mred\\033[0m 漢字"; sleep 0.1; printf "\\033[9;1Hlast line $((6*7))"', {
      flags: ['-tt'],
    });
    await ssh(command, 'echo out; sleep 0.1; echo err >&2; sleep 0.1; head -c 70000 /dev/urandom; exit 3');
    const file = join(belongings.directory('sent'), 'notes.txt');
    writeFileSync(file, 'some notes\n');
    const there = belongings.directory('received');
    expect((await scp(files, [file, `:${there}/`])).status).toBe(0);
    const rows = await Promise.all([terminal, command, files].map(({ principal }) => endedSessions(world.gateway.data, principal)));
    const [shown, run, sent] = rows.map(([row]) => row?.id ?? '');

    const bundle = await exportedBundle(belongings, world.gateway.data);
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
    await go(`#/sessions/${shown}?at=86400`);
    await page.waitForFunction(() => document.querySelector('.cells')?.textContent.includes('last line 42'));
    expect(await page.$$eval('.cells .line', (lines) => lines.map((line) => line.textContent)).then((lines) => lines[2])).toBe(
      '    red 漢字',
    );
    await go(`#/sessions/${run}`);
    await page.waitForFunction(() => document.querySelector('.transcript-rows')?.textContent.includes('Exit status 3'));
    const lines = await page.$$eval('.transcript-rows [role=option]', (options) => options.map((option) => option.textContent));
    expect(lines.join('\n')).toMatch(/\$echo out;.*out\n.*2›err\n.*bytes of output that are not text\n.*bytes of binary output, SHA-256/s);
    await go(`#/sessions/${sent}`);
    await page.waitForFunction(() => document.querySelector('.transcript-rows')?.textContent.includes('/notes.txt'));
    expect(opened.complaints).toEqual([]);
    expect(opened.strayRequests).toEqual([]);
    await opened.close();
  });
});
