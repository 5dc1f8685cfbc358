import { expect, test } from 'vitest';
import { readChannelText } from '../../gateway/query/channel-text.ts';
import { Searched } from './search/searched.ts';

const opened = '2026-01-01T00:00:00.000000Z';

test('pages of long lines end before they are full, and tell all in the end', async () => {
  const data = await Searched.open();
  const session = await data.session();
  const lines = Array.from({ length: 90 }, (_, line) => `${line} ${'x'.repeat(15_000)}`);
  for (const [at, count] of [[0, 40] as const, [40, 50] as const]) await data.show(session, lines.slice(at, at + count));
  const [channel] = await data.database.channels.ofSession(session);
  const question = { session, channel: 0, opened: channel?.opened ?? opened, from: undefined, to: undefined, limit: 1000 };
  const found: string[] = [];
  let after: string | undefined;
  do {
    const page = await readChannelText(await data.text.reader(), { ...question, after });
    expect(page.lines.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(300_000);
    found.push(...page.lines.map(({ text }) => text));
    after = page.cursor;
  } while (after !== undefined);
  expect(found).toEqual(lines);
});

test('a forged place in a channel takes no more rows than an honest one', async () => {
  const data = await Searched.open();
  const session = await data.session();
  await data.put(
    session,
    1,
    Array.from({ length: 3000 }, (_, line) => `${line} ${'x'.repeat(9000)}`),
  );
  const reader = await data.text.reader();
  const [channel] = await data.database.channels.ofSession(session);
  const question = { session, channel: 0, opened: channel?.opened ?? opened, from: undefined, to: undefined, limit: 10 };
  const before = process.threadCpuUsage();
  for (let time = 0; time < 20; time += 1)
    expect(await readChannelText(reader, { ...question, after: '1.999999.0' })).toEqual({ lines: [] });
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(60);
});
