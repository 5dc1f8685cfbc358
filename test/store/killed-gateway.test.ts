import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { Database } from '../../gateway/store/database.ts';
import { temporaryDirectory } from './support.ts';

const root = join(import.meta.dirname, '../..');

/** Appends records as fast as it can and prints the id of each one whose append has resolved. */
const writer = `
  import { Database } from ${JSON.stringify(join(root, 'gateway/store/database.ts'))};
  import { Records } from ${JSON.stringify(join(root, 'gateway/ledger/records.ts'))};
  import { systemClock } from ${JSON.stringify(join(root, 'gateway/base/clock.ts'))};
  import { uuidV7 } from ${JSON.stringify(join(root, 'gateway/base/ids.ts'))};
  import { writeSync } from 'node:fs';
  const database = await Database.openForGateway(process.argv[1]);
  const records = new Records(database.records, systemClock, 'gateway-1');
  const actor = { principal: 'deploy-bot', kind: 'agent', source: '192.0.2.1:1' };
  const decision = { verdict: 'allow', policies: [], policySet: 'x' };
  for (;;) {
    await Promise.all(Array.from({ length: 7 }, async () => {
      const { record } = await records.append({ type: 'session.open', outcome: 'success', actor, target: { name: 'web-1', kind: 'ssh' },
        session: uuidV7(systemClock.wallMicros()), body: { protocol: 'ssh', requested: 'web-1', client: 'x', decision } });
      writeSync(1, record.session + '\\n');
    }));
  }`;

it('every record whose append has resolved is there, with its projection, after kill -9 at any moment', async () => {
  const directory = await temporaryDirectory();
  const acknowledged: string[] = [];
  for (const enough of [1, 50, 333]) {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', writer, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    let seen = 0;
    for await (const line of createInterface(child.stdout)) {
      acknowledged.push(line);
      seen += 1;
      if (seen === enough) child.kill('SIGKILL');
    }
    await gone;
    const next = await Database.openForGateway(directory);
    const records = await next.records.after(0, 1_000_000);
    const sessions = await next.sessions.find({ limit: 1_000_000 });
    await next.close();
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1));
    expect(sessions.map(({ id }) => id).reverse()).toEqual(records.map(({ session }) => session));
    expect(new Set(records.map(({ session }) => session))).toEqual(new Set([...records.map(({ session }) => session), ...acknowledged]));
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(384);
});
