import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ssh } from '../support/clients.ts';
import { startGateway } from '../support/gateway.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, { configuration: { recording: { segment: '64KiB', reserve: '1MiB' } } });
});

/** The script as it stands in the documentation. */
function documented(): string {
  const document = readFileSync(join(import.meta.dirname, '../../docs/operating.md'), 'utf8');
  const script = /^```sh\n(# backup: FROM TO\n.*?)^```$/ms.exec(document)?.[1];
  if (script === undefined) throw new Error('docs/operating.md has no script for backups');
  return script;
}

it('a backup made as the documentation says, while sessions run, verifies and starts', { timeout: 240_000 }, async () => {
  const script = join(belongings.directory('script'), 'backup.sh');
  writeFileSync(script, documented());
  const route = world.agent();
  let stopped = false;
  let sessions = 0;
  const load = async () => {
    while (!stopped) {
      // Enough for several segments, so that some are sealed while the copy is made.
      const { status } = await ssh(route, 'seq 1 60000');
      if (status === 0) sessions += 1;
    }
  };
  const loads = [load(), load()];
  await ssh(world.agent(), 'true');

  const copies: string[] = [];
  try {
    for (const round of [1, 2, 3]) {
      const copy = join(belongings.directory('copy'), 'data');
      copies.push(copy);
      const made = await run('sh', [script, world.gateway.data, copy]);
      expect({ status: made.status, stderr: made.stderr }).toEqual({ status: 0, stderr: '' });
      const verified = await run(process.execPath, [mainFile, 'verify', '--data', copy]);
      expect(verified.status, `copy ${round}: ${verified.stdout}${verified.stderr}`).toBe(0);
    }
  } finally {
    stopped = true;
    await Promise.all(loads);
  }
  expect(sessions).toBeGreaterThan(3);

  const restored = await startGateway(belongings, {
    configuration: { humans: [{ name: 'engineer@example.com' }], agents: [], targets: [] },
    data: copies.at(-1) as string,
  });
  expect(await restored.stop()).toBe(0);
  const verified = await run(process.execPath, [mainFile, 'verify', '--data', copies.at(-1) as string]);
  expect(verified.status, `${verified.stdout}${verified.stderr}`).toBe(0);
});

const mainFile = join(import.meta.dirname, '../../gateway/main.ts');
