import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPart } from '../../gateway/indexing/sidecar-file.ts';
import { Database } from '../../gateway/store/database.ts';
import { ssh } from '../support/clients.ts';
import { sallyport } from '../support/gateway.ts';
import { onlySession } from '../support/recordings.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: 3, configuration: { recording: { segment: '1MiB' } } });
}, 240_000);
afterAll(() => belongings.release());

/** How many of a session's segments have their part, and how many there are. */
async function indexed(session: string): Promise<{ parts: number; segments: number }> {
  const database = await Database.openForReading(world.gateway.data);
  try {
    const rows = await database.segments.ofSession(session);
    const parts = await Promise.all(
      rows.map(({ channel, segment, sha256 }) => readPart(world.gateway.data, session, channel, segment, sha256)),
    );
    return { parts: parts.filter((part) => part !== undefined).length, segments: rows.length };
  } finally {
    await database.close();
  }
}

const whole = (session: string, withinMs: number) =>
  until(
    'each segment has its part',
    async () => {
      const { parts, segments } = await indexed(session);
      return segments > 0 && parts === segments ? segments : undefined;
    },
    { everyMs: 50, withinMs },
  );

it('a session can be searched and replayed quickly within moments of its end', { timeout: 240_000 }, async () => {
  const route = world.agent();
  const done = await ssh(route, "echo the-word-that-is-looked-for; seq -f 'line %.0f' 1000");
  expect(done.status, done.stderr).toBe(0);
  const { id } = await onlySession(world.gateway.data, route.principal);
  expect(await whole(id, 20_000)).toBe(1);
  const found = await sallyport(['search', 'the-word-that-is-looked-for', '--data', world.gateway.data]);
  expect(found.stdout.toString(), found.stderr).toContain('the-word-that-is-looked-for');
});

it('what is missing is made after a SIGKILL in the middle, and reindex makes it anew', { timeout: 240_000 }, async () => {
  const route = world.agent();
  const done = await ssh(route, "seq -f 'line %.0f of a recording that has several segments' 100000 | tail -c 5000000");
  expect(done.status, done.stderr).toBe(0);
  const { id } = await onlySession(world.gateway.data, route.principal);
  const segments = await whole(id, 60_000);
  expect(segments).toBeGreaterThan(2);
  const replay = join(world.gateway.data, 'replay');
  await world.gateway.stop();
  rmSync(replay, { recursive: true });
  await world.gateway.start();
  await until('the first part is there', async () => ((await indexed(id)).parts > 0 ? true : undefined), { everyMs: 5, withinMs: 60_000 });
  await world.gateway.kill();
  await world.gateway.start();
  expect(await whole(id, 60_000)).toBe(segments);

  const anew = await sallyport(['reindex', id, '--data', world.gateway.data, '--json']);
  expect(JSON.parse(anew.stdout.toString()), anew.stderr).toMatchObject({ sessions: 1, segments });
  expect(await indexed(id)).toEqual({ parts: segments, segments });
  await world.gateway.stop();
  rmSync(replay, { recursive: true });
  const alone = await sallyport(['reindex', '--data', world.gateway.data, '--json']);
  expect(JSON.parse(alone.stdout.toString()), alone.stderr).toMatchObject({ sessions: 2 });
  expect(await indexed(id)).toEqual({ parts: segments, segments });
  expect((await sallyport(['verify', '--data', world.gateway.data])).status).toBe(0);
  expect(existsSync(join(replay, 'search.db'))).toBe(true);
});
