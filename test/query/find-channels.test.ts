import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findChannelNumbered, findChannels } from '../../gateway/query/find-channels.ts';
import { findSession } from '../../gateway/query/find-session.ts';
import { draft } from '../store/support.ts';
import { Searched } from './search/searched.ts';

test('one of very many channels is found by itself, as it is found among all', async () => {
  const data = await Searched.open();
  const id = await data.session();
  const drafts = Array.from({ length: 3000 }, (_, index) => draft.channelOpen(id, index + 1, 'exec'));
  await Promise.all(drafts.map((opened) => data.records.append(opened)));
  mkdirSync(join(data.directory, 'journal', id, '4000'), { recursive: true });
  const session = await findSession(data.database, id);
  const all = await findChannels(data.database, session);
  expect(all.length).toBe(3002);
  for (const number of [0, 1, 2999, 3000, 4000, 4001])
    expect(await findChannelNumbered(data.database, session, number)).toEqual(all.find(({ channel }) => channel === number));
  // It is asked for with each part of a recording, and rows are read on the event loop.
  const before = process.threadCpuUsage();
  for (let time = 0; time < 20; time += 1) await findChannelNumbered(data.database, session, 2999);
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(60);
});
