import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BundleReader } from '../../../gateway/query/bundle/bundle-reader.ts';
import { ssh } from '../../support/clients.ts';
import { heldBytes, tellingHeld, toldHeld } from '../../support/held-memory.ts';
import { endedSessions } from '../../support/recordings.ts';
import { ended, plainEnvironment, run, startProgram } from '../../support/run.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { openWorld, type World } from '../../support/world.ts';
import { bareMachine, runScript, unpacked } from './recorded-world.ts';

const MIB = 1024 * 1024;
const LOOK_EVERY = 40 * MIB;
const main = join(import.meta.dirname, '../../../gateway/main.ts');

const belongings = new Belongings();
let world: World;
/** Whose recordings have about 40 and 300 MB. */
let medium: string;
let large: string;
/** Of the large one, once it is written. */
let bundle: string;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: 3 });
  medium = await recorded('seq 5000000');
  large = await recorded('seq 34000000');
}, 300_000);
afterAll(() => belongings.release());

async function exportOf(principal: string): Promise<{ path: string; held: number; resident: number }> {
  const path = join(belongings.directory('bundle'), 'bundle.zip');
  const words = [...tellingHeld, main, 'export', '--data', world.gateway.data, '--principal', principal, '-o', path];
  const { status, stderr } = await run(process.execPath, words, { timeoutMs: 280_000 });
  expect(status, stderr).toBe(0);
  return { path, ...toldHeld(stderr) };
}

async function recorded(command: string): Promise<string> {
  const route = world.agent();
  expect((await ssh(route, command, { onStdout: () => undefined, timeoutMs: 200_000 })).status).toBe(0);
  await endedSessions(world.gateway.data, route.principal);
  return route.principal;
}

describe('the bundle of a recording of 300 MB', () => {
  it('is written in memory that does not grow with it', async () => {
    const small = await exportOf(medium);
    const { path, held, resident } = await exportOf(large);
    bundle = path;
    expect(statSync(path).size).toBeGreaterThan(3 * statSync(small.path).size);
    expect(held - small.held).toBeLessThan(32 * MIB);
    // Garbage and all, and still less than what is written, packed or not.
    expect(resident).toBeLessThan(400 * MIB);
  }, 300_000);

  it('is read in memory that does not grow with it', async () => {
    const reader = await BundleReader.openFile(bundle);
    const before = heldBytes();
    let most = 0;
    let bytes = 0;
    for (const { name } of reader.entries()) {
      for await (const chunk of reader.open(name)) {
        if (Math.floor(bytes / LOOK_EVERY) !== Math.floor((bytes + chunk.length) / LOOK_EVERY)) most = Math.max(most, heldBytes());
        bytes += chunk.length;
      }
    }
    expect(await reader.isUnchanged()).toBe(true);
    await reader.close();
    expect(bytes).toBeGreaterThan(600 * MIB);
    expect(most).toBeGreaterThan(0);
    expect(most - before).toBeLessThan(32 * MIB);
  }, 300_000);

  it('is checked by its own script', async () => {
    const { status, stdout } = await runScript(await bareMachine(belongings, 'sh', 'mawk'), await unpacked(belongings, bundle));
    expect(stdout.toString()).not.toContain('FAULT');
    expect(status).toBe(0);
  }, 300_000);

  it('leaves nothing behind when its writing is interrupted, which takes no time', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const directory = belongings.directory('interrupted');
      const words = [main, 'export', '--data', world.gateway.data, '--principal', medium, '-o', join(directory, 'bundle.zip')];
      const child = startProgram(process.execPath, words, { env: plainEnvironment(), stdio: 'pipe' });
      await until(
        'the export has written something',
        () => (readdirSync(directory).some((name) => statSync(join(directory, name)).size > 0) ? true : undefined),
        { everyMs: 5, withinMs: 60_000 },
      );
      child.kill(signal);
      const began = performance.now();
      expect((await ended(child)).status).toBe(code);
      expect(performance.now() - began).toBeLessThan(20_000);
      expect(readdirSync(directory)).toEqual([]);
    }
  }, 300_000);

  it('is no zip bomb for its own reader, however well it packs', async () => {
    const { path } = await exportOf(await recorded('yes | head -c 140000000'));
    const reader = await BundleReader.openFile(path);
    expect(await reader.isUnchanged()).toBe(true);
    await reader.close();
  }, 300_000);
});
