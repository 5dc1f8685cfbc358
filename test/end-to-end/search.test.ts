import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { sallyport } from '../commands/run-cli.ts';
import { askOnSocket } from '../operator-api/api-client.ts';
import { ssh } from '../support/clients.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: 2 });
}, 240_000);
afterAll(() => belongings.release());

async function search(query: string): Promise<OperationOutput<'search.content'>> {
  const { body } = await askOnSocket(world.gateway, 'search.content', { query });
  return body as OperationOutput<'search.content'>;
}

const FOUND = { timeout: 60_000, interval: 100 };

it('what a command printed is found on the gateway that runs and from its files, and again when the index was lost', async () => {
  const route = world.agent();
  await ssh(route, `printf 'before\\n\\033[1;31mneed\\033[0mle in a hay\\010\\010\\010haystack\\nafter\\n'`);
  await expect.poll(async () => (await search('needle')).hits.map(({ line }) => line), FOUND).toEqual(['needle in a haystack']);
  const { hits, sessions } = await search('"in a haystack"');
  expect(hits).toMatchObject([{ channel: 0, segment: 1, matches: [[7, 20]], before: ['before'], after: ['after'] }]);
  expect(sessions).toMatchObject([{ principal: route.principal, target: 'web' }]);
  // What only the escape sequences held is nowhere.
  expect((await search('31mneed')).hits).toEqual([]);

  const shown = await sallyport('search', '--data', world.gateway.data, 'haystack');
  expect([shown.code, shown.stdout.includes('    > needle in a haystack\n')]).toEqual([0, true]);

  rmSync(join(world.gateway.data, 'replay'), { recursive: true });
  await ssh(world.agent(), 'echo another');
  await expect.poll(async () => (await search('haystack')).hits.length, FOUND).toBe(1);
});
