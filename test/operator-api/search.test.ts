import { describe, expect, test } from 'vitest';
import { type OperationOutput, schemasOf } from '../../contract/operator-api.ts';
import { perform } from '../../gateway/operator-api/operations.ts';
import { searchOperations } from '../../gateway/operator-api/search-operations.ts';
import { Searched } from '../query/search/searched.ts';
import { actor } from '../store/support.ts';

const asking = { actor, signal: new AbortController().signal };

async function world() {
  const data = await Searched.open();
  const performers = searchOperations({
    reading: async () => data.database,
    screenText: data.text,
    records: data.records,
    gatewayName: 'gateway-1',
  });
  const search = (input: Record<string, unknown>): Promise<OperationOutput<'search.content'>> =>
    perform(performers, 'search.content', input, { via: 'socket' }, asking);
  const recorded = async () =>
    (await data.database.records.after(0, 1000))
      .filter(({ type }) => type === 'access.searched')
      .map(({ bytes }) => (JSON.parse(Buffer.from(bytes ?? '').toString()) as { body: unknown }).body);
  return { data, search, recorded };
}

describe('search.content', () => {
  test('94 is on record before what it found is told, each of its pages, with what was asked for', async () => {
    const { data, search, recorded } = await world();
    const session = await data.session();
    await data.show(session, ['needle 1', 'needle 2', 'needle 3']);
    const first = await search({ query: 'needle', limit: '2', principal: actor.principal });
    expect(first.hits.map(({ line }) => line)).toEqual(['needle 3', 'needle 2']);
    expect(first.sessions).toMatchObject([{ id: session, target: 'web-1' }]);
    const second = await search({ query: 'needle', limit: 2, principal: actor.principal, cursor: first.cursor });
    expect(second.hits.map(({ line }) => line)).toEqual(['needle 1']);
    expect(second.cursor).toBeUndefined();
    await search({ query: 'nowhere', session, channel: '0', from: '2026-01-01' });
    expect(await recorded()).toEqual([
      { query: { query: 'needle', principal: actor.principal }, results: 2 },
      { query: { query: 'needle', principal: actor.principal }, results: 1 },
      { query: { query: 'nowhere', session, channel: 0, from: '2026-01-01' }, results: 0 },
    ]);
  });

  test('tells nothing when it cannot be recorded', async () => {
    const { data } = await world();
    await data.show(await data.session(), ['needle']);
    const broken = searchOperations({
      ...{ reading: async () => data.database, screenText: data.text, gatewayName: 'gateway-1' },
      records: { append: () => Promise.reject(new Error('the disk is full')) },
    });
    const input = schemasOf('search.content').input.parse({ query: 'needle' });
    await expect(broken['search.content'](input, asking)).rejects.toThrow('the disk is full');
  });

  test('says how many segments cannot be searched yet, with the first page', async () => {
    const { data, search } = await world();
    const session = await data.session();
    const { draft } = await import('../store/support.ts');
    for (const segment of [1, 2, 3]) await data.records.append(draft.segmentSealed(session, 0, segment, 9));
    await data.show(session, ['needle', 'needle']);
    const first = await search({ query: 'needle', limit: 1 });
    expect(first).toMatchObject({ unindexed: 2 });
    expect((await search({ query: 'needle', limit: 1, cursor: first.cursor })).unindexed).toBeUndefined();
  });

  test('refuses what it cannot look for, with the reason and without a record', async () => {
    const { search, recorded } = await world();
    const refused: [input: Record<string, unknown>, code: string][] = [
      [{ query: '' }, 'REQUEST_INVALID'],
      [{ query: 'x'.repeat(1_000_000) }, 'REQUEST_INVALID'],
      [{ query: 'needle', limit: 501 }, 'REQUEST_INVALID'],
      [{ query: 'needle', channel: 0 }, 'REQUEST_INVALID'],
      [{ query: 'needle', session: "' OR 1=1" }, 'REQUEST_INVALID'],
      [{ query: 'needle', cursor: 'x' }, 'REQUEST_INVALID'],
      [{ query: 'needle', cursor: '9999999999999999.1.1' }, 'REQUEST_INVALID'],
      [{ query: 'needle', sort: 'id' }, 'REQUEST_INVALID'],
      [{ query: 'ab*' }, 'QUERY_INVALID'],
      [{ query: '"open' }, 'QUERY_INVALID'],
      [{ query: 'a\0b' }, 'QUERY_INVALID'],
      [{ query: 'needle', from: 'yesterday' }, 'USAGE'],
    ];
    for (const [input, code] of refused) await expect(search(input), JSON.stringify(input).slice(0, 80)).rejects.toMatchObject({ code });
    expect(await recorded()).toEqual([]);
  });

  test('many at once wait for their turn, and every one is answered', async () => {
    const { data, search } = await world();
    await data.show(await data.session(), ['needle']);
    const answers = await Promise.all(Array.from({ length: 20 }, () => search({ query: 'needle' })));
    expect(answers.every(({ hits }) => hits.length === 1)).toBe(true);
  });
});
