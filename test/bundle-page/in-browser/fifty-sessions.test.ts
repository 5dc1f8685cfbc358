import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundlePage } from '../../../contract/bundle-page.ts';
import { bareMachine, exported, runScript, unpacked } from '../../query/bundle/recorded-world.ts';
import { startBrowser } from '../../support/browser.ts';
import { ssh } from '../../support/clients.ts';
import { sallyport } from '../../support/gateway.ts';
import { endedSessions } from '../../support/recordings.ts';
import { Belongings } from '../../support/temp.ts';
import { openWorld } from '../../support/world.ts';
import { openPage } from './opened-page.ts';

const SESSIONS = 50;
const AT_ONCE = 5;

const belongings = new Belongings();
let bundle: string;
let bag: string;
beforeAll(async () => {
  const world = await openWorld(belongings, { agents: AT_ONCE });
  const data = world.gateway.data;
  const routes = Array.from({ length: AT_ONCE }, () => world.agent());
  await Promise.all(
    routes.map(async (route, index) => {
      for (let n = 0; n < SESSIONS / AT_ONCE; n += 1) {
        const { status } = await ssh(route, `echo session ${n} of ${index}; ls -l /; exit ${n}`);
        expect(status).toBe(n);
      }
      await endedSessions(data, route.principal, SESSIONS / AT_ONCE);
    }),
  );
  bundle = await exported(belongings, data);
  bag = await unpacked(belongings, bundle);
}, 240_000);
afterAll(() => belongings.release());

describe('a bundle of fifty SSH sessions', () => {
  it('has them all', () => {
    const script = readFileSync(join(bag, 'data/page/bundle.js'), 'utf8');
    const { sessions, completeness } = JSON.parse(script.slice('sallyport("bundle",'.length, -3)) as BundlePage;
    expect(sessions).toHaveLength(SESSIONS);
    expect(completeness).toMatchObject({ sessions: SESSIONS, elsewhere: 0, leftOut: [] });
    expect(completeness.included).toBe(completeness.range);
  });

  it('is verified by the command', async () => {
    const { status, stdout } = await sallyport(['verify', bundle]);
    expect(status, stdout.toString()).toBe(0);
  });

  it('95 is verified by the script in seconds', async () => {
    const began = performance.now();
    const { status, stdout } = await runScript(await bareMachine(belongings, 'sh', 'awk'), bag);
    expect(stdout.toString()).not.toContain('FAULT');
    expect(stdout.toString()).toContain(`${SESSIONS} sessions begin and end, and their recordings have no gap`);
    expect(status).toBe(0);
    expect(performance.now() - began).toBeLessThan(45_000);
  });

  it('is verified by its page in a browser', async () => {
    const opened = await openPage(await startBrowser(belongings), bag);
    expect(await opened.verified()).toEqual({
      records: 'passed',
      tree: 'passed',
      signature: 'passed',
      segments: 'passed',
      sessions: 'passed',
      range: 'passed',
    });
    expect(await opened.page.textContent('body')).toContain(`${SESSIONS} sessions answer it`);
    expect(opened.complaints).toEqual([]);
    expect(opened.strayRequests).toEqual([]);
    await opened.close();
  });
});
