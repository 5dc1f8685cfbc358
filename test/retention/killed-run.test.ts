import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Database } from '../../gateway/store/database.ts';
import { temporaryDirectory } from '../store/support.ts';
import { AgedData, faultsIn, filesWith } from './aged-data.ts';

const MOMENTS = 8;
const SECRETS = ['leaver', '198.51.100.1', 'cat /etc/old', 'mallory'];

/** Runs the retention in a process of its own. Kills it so long after it began; undefined lets it end. Returns how long it took. */
async function expireIn(directory: string, killAfter?: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'expirer.ts'), directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const begun = performance.now();
  if (killAfter === undefined) {
    await lines.next();
  } else {
    await Promise.race([delay(killAfter), ended]);
    child.kill('SIGKILL');
  }
  const took = performance.now() - begun;
  await ended;
  return took;
}

it('a run that is killed at any moment leaves evidence that verifies, and the next one finishes it', { timeout: 240_000 }, async () => {
  const data = await AgedData.open();
  for (let count = 0; count < 6; count += 1) {
    await data.session({ principal: 'leaver', source: '198.51.100.1:5', command: 'cat /etc/old', binary: Buffer.alloc(300_000, count) });
    await data.refusals('mallory');
  }
  const kept = await data.session({ principal: 'stayer', daysAgo: 5 });
  await data.close();
  const original = data.directory;

  const whole = join(await temporaryDirectory(), 'data');
  cpSync(original, whole, { recursive: true });
  const duration = await expireIn(whole);
  expect(await faultsIn(whole)).toEqual([]);

  let cutOff = 0;
  for (let moment = 0; moment < MOMENTS; moment += 1) {
    const directory = join(await temporaryDirectory(), 'data');
    cpSync(original, directory, { recursive: true });
    await expireIn(directory, (duration * (moment + 0.5)) / MOMENTS);
    const database = await Database.openForReading(directory);
    if ((await database.records.lastRetentionRun()) === undefined) cutOff += 1;
    await database.close();
    expect(await faultsIn(directory), `killed at ${moment}`).toEqual([]);

    await expireIn(directory);
    expect(await faultsIn(directory), `finished after ${moment}`).toEqual([]);
    expect(filesWith(directory, ...SECRETS)).toEqual([]);
    const after = await Database.openForReading(directory);
    expect(await after.erasures.unfinished(0, 10)).toEqual([]);
    expect((await after.sessions.find({ limit: 10 })).map(({ id, state }) => [id === kept, state])).toContainEqual([true, 'closed']);
    expect(await after.sessions.find({ state: 'erased', limit: 10 })).toHaveLength(6);
    await after.close();
  }
  expect(cutOff).toBeGreaterThan(0);
});
