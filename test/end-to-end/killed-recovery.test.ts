import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Database } from '../../gateway/store/database.ts';
import { rebuild } from '../support/cast.ts';
import { sshArguments } from '../support/clients.ts';
import { sallyport } from '../support/gateway.ts';
import { storedCast } from '../support/recordings.ts';
import { plainEnvironment, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';

/** Sessions that the gateway leaves behind, each with more than two megabytes that are not sealed. */
const SESSIONS = 24;
const KILLS = 12;
/** Said with a failure, so that it can be had again. */
const seed = Date.now() % 1_000_000;

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: SESSIONS });
}, 240_000);
afterAll(() => belongings.release());

it('84 a recovery that is killed again and again loses nothing, recovers each session once, and the evidence verifies', {
  timeout: 300_000,
}, async () => {
  const routes = Array.from({ length: SESSIONS }, () => world.agent());
  let unready = 0;
  let times = 0;
  // Again with more of them where this process was kept from its work while the gateway did its own.
  for (; unready < 3 && times < 4; times += 1) {
    if (times > 0) await world.gateway.start();
    await Promise.all(routes.map(whileItRuns));
    await world.gateway.kill();
    const leftBehind = journals();
    expect(leftBehind).toBeGreaterThanOrEqual(SESSIONS);
    for (let left = leftBehind, kill = 0; left > 1 && kill < KILLS; left = journals(), kill += 1) {
      // Within the first journal that it drops, or a little later: where exactly is what the seed says.
      const someLater = ((seed + kill * 7919) % 1000) / 400;
      const dropped = () => (journals() < left ? true : undefined);
      const moment = until('a journal is dropped', dropped, { everyMs: 1, withinMs: 60_000 }).then(() => delay(someLater));
      if ((await world.gateway.startAndKill(moment)) === 'not ready') unready += 1;
    }
  }
  expect(unready, `seed ${seed}`).toBeGreaterThanOrEqual(3);
  // And before there is anything to see.
  for (const afterMillis of [50, 300, 500]) await world.gateway.startAndKill(delay(afterMillis));

  await world.gateway.start();
  expect(journals()).toBe(0);
  const database = await Database.openForReading(world.gateway.data);
  const sessions = await database.sessions.find({ limit: 2 * times * SESSIONS });
  expect(sessions.map(({ state, principal }) => `${state} ${principal}`).toSorted()).toEqual(
    routes.flatMap(({ principal }) => Array.from({ length: times }, () => `recovered ${principal}`)).toSorted(),
  );
  for (const { id } of sessions) {
    const output = rebuild(await storedCast(database, id)).o.map((piece) => ('bytes' in piece ? piece.bytes.toString() : ''));
    expect(output.join('') === lines, `seed ${seed}, session ${id}`).toBe(true);
    const records = await database.records.ofSession(id);
    expect(records.filter(({ type }) => type === 'session.recovered')).toHaveLength(1);
  }
  await database.close();
  await world.gateway.stop();
  const { status, stdout } = await sallyport(['verify', '--data', world.gateway.data]);
  expect(status, `seed ${seed}\n${stdout}`).toBe(0);
  expect(stdout.toString()).toMatch(/recovered/);
});

const LAST = 300_000;
const lines = Array.from({ length: LAST }, (_, line) => `${line + 1}\n`).join('');

/** Resolves when the client has received everything that its command says before it waits. */
async function whileItRuns(route: AgentRoute): Promise<void> {
  const child = startProgram('ssh', [...sshArguments(route), `seq 1 ${LAST}; cat`], {
    env: plainEnvironment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  belongings.add(() => void child.kill('SIGKILL'));
  let length = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  await until(`all lines of ${route.principal}`, () => (length === lines.length ? true : undefined), { everyMs: 20, withinMs: 60_000 });
}

/** Journals that are not sealed yet. A recovery removes them, and their folders, while they are counted. */
function journals(): number {
  const root = join(world.gateway.data, 'journal');
  return readdirSync(root)
    .flatMap((session) => namesIn(join(root, session, '0')))
    .filter((name) => name.endsWith('.journal')).length;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (thrown) {
    // What was sealed is gone, also while it is looked at.
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw thrown;
  }
}
