import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HitList } from '../../gateway/commands/search-output.ts';
import { packLines } from '../../gateway/indexing/text-block.ts';
import type { SearchHit } from '../../gateway/query/search/hit.ts';
import { ScreenTextFile } from '../../gateway/store/screen-text.ts';
import { RecordedData } from '../query/recorded.ts';
import { temporaryDirectory } from '../store/support.ts';
import { recordsOf } from '../support/records.ts';
import { jsonLines, sallyport } from './run-cli.ts';

/** Two sessions, and what an indexer would have stored of them. */
async function searchable(): Promise<{ data: RecordedData; older: string; newer: string }> {
  const data = await RecordedData.open();
  const [older, newer] = [await data.exec('cat notes', 'x\n'), await data.exec('dmesg', 'y\n')];
  const text = await ScreenTextFile.open(data.database);
  const put = async (session: string, lines: string[]) => {
    const [segment] = await data.database.segments.ofChannel(session, 0);
    const timed = lines.map((line, index) => ({ first: index * 61_500_000, last: index * 61_500_000, text: line }));
    await text.put({ session, channel: 0, segment: 1, sha256: segment?.sha256 ?? '' }, packLines(timed));
  };
  await put(older, ['before that', 'Out of \x1b[31m Memory\x07 \u202eevil', 'after that']);
  await put(newer, ['boot', 'kernel: out of   memory: killed 4711']);
  await text.close();
  return { data, older, newer };
}

const searches = async (directory: string) =>
  (await recordsOf(directory, 'access.searched')).map(({ actor, body }) => ({
    who: actor.principal,
    by: actor.authentication?.method,
    ...body,
  }));

describe('sallyport search', () => {
  it('shows people where a line was, marked, among the lines beside it, and is on record', async () => {
    const { data, older, newer } = await searchable();
    const openedOf = async (session: string) => Date.parse((await data.database.channels.ofSession(session))[0]?.opened ?? '');
    const at = async (session: string, seconds: number) =>
      new Date((await openedOf(session)) + seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
    const { code, stdout, stderr } = await sallyport('search', '--data', data.directory, 'MEMORY', 'out');
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `\nTo see the first of them happen: sallyport play ${newer}/0 --at 01:01.5 --data ${data.directory}\n`,
    });
    expect(stdout).toBe(`${newer}  deploy-bot for engineer@example.com at web-1
  ${await at(newer, 61.5)} UTC  ${newer}/0 --at 01:01.5
      boot
    > kernel: out of   memory: killed 4711

${older}  deploy-bot for engineer@example.com at web-1
  ${await at(older, 61.5)} UTC  ${older}/0 --at 01:01.5
      before that
    > Out of \\x1b[31m Memory\\x07 \\u202eevil
      after that
`);
    expect(await searches(data.directory)).toEqual([
      { who: userInfo().username, by: 'local-user', query: { query: 'MEMORY out' }, results: 2 },
    ]);
  });

  it('gives programs one object per line, takes every filter, and exits with 1 when nothing is found', async () => {
    const { data, older, newer } = await searchable();
    const search = (...words: string[]) => sallyport('search', '--data', data.directory, '--json', ...words);
    const [all, phrase, none, misused] = await Promise.all([
      search('memory'),
      search(
        ...[
          '"out of memory"',
          '--session',
          `${newer.slice(0, 30)}/0`,
          '--principal',
          'deploy-bot',
          '--on-behalf-of',
          'engineer@example.com',
        ],
        ...['--target', 'web-1', '--protocol', 'ssh', '--state', 'closed', '--from', '2020-01-01', '--limit', '5'],
      ),
      search('memory', '--to', '2020-01-01'),
      search('me*'),
    ]);
    type Row = SearchHit & { principal: string; target: string };
    expect(jsonLines<Row>(all?.stdout ?? '').map(({ session }) => session)).toEqual([newer, older]);
    expect(jsonLines<Row>(phrase?.stdout ?? '')).toMatchObject([
      {
        ...{ session: newer, channel: 0, segment: 1, first: 61_500_000, matches: [[8, 23]], before: ['boot'], after: [] },
        ...{ principal: 'deploy-bot', target: 'web-1' },
      },
    ]);
    expect(all?.stdout).not.toMatch(/[\u0000-\u0009\u001b\u202e]/);
    expect([all?.code, phrase?.code, none?.code, none?.stdout]).toEqual([0, 0, 1, '']);
    expect([misused?.code, JSON.parse(misused?.stderr ?? '')]).toMatchObject([2, { error: { code: 'QUERY_INVALID' } }]);
    // One for each that was carried out, also of the one that found nothing.
    expect((await searches(data.directory)).map(({ results }) => results).toSorted((one, other) => one - other)).toEqual([0, 1, 2]);
  });

  it('works on a data directory alone, changes nothing of the index, and says what is not in it', async () => {
    const { data } = await searchable();
    await data.close();
    const copy = join(await temporaryDirectory(), 'copy');
    cpSync(data.directory, copy, { recursive: true });
    const digest = () =>
      createHash('sha256')
        .update(readFileSync(join(copy, 'replay/search.db')))
        .digest('hex');
    const before = digest();
    const found = await sallyport('search', '--data', copy, 'killed');
    expect(found.code).toBe(0);
    expect(digest()).toBe(before);
    // It has no ledger, so nothing can be recorded: that is said, and the search goes on.
    expect(found.stderr).toContain('it could not be recorded that this is looked at');

    writeFileSync(join(copy, 'replay/search.db'), 'no database');
    const nothing = await sallyport('search', '--data', copy, 'killed');
    expect([nothing.code, nothing.stdout]).toEqual([1, '']);
    expect(nothing.stderr).toContain('Nothing was found.\n2 segments of the recordings are not in the index of screen text');
    expect(nothing.stderr).toContain('sallyport reindex');
  });

  it('names the channels that there are, and says what is not searched of sessions that run', async () => {
    const { data, newer } = await searchable();
    const nowhere = await sallyport('search', '--data', data.directory, 'memory', '--session', `${newer}/7`);
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('has no channel 7 (it has: 0 (exec))')]);
    const live = await data.openSession();
    const running = 'One session is running: what was on the screen in the last minute or so is searched when it is sealed';
    const found = await sallyport('search', '--data', data.directory, 'memory', '--limit', '1');
    expect(found.stderr).toContain('These are the newest 1, and there may be more (--limit). To see it happen: sallyport play ');
    expect(found.stderr).toContain(running);
    const elsewhere = await sallyport('search', '--data', data.directory, 'memory', '--session', newer);
    expect(elsewhere.stderr).not.toContain('running');
    await live.close();
  });

  it('says when a part of the index cannot be read', async () => {
    const { data } = await searchable();
    const file = join(data.directory, 'replay/search.db');
    const bytes = readFileSync(file);
    const frame = bytes.lastIndexOf(Buffer.from('28b52ffd', 'hex'));
    bytes.fill(0x5a, frame + 12, frame + 16);
    writeFileSync(file, bytes);
    const found = await sallyport('search', '--data', data.directory, 'memory');
    expect(found.stdout.match(/^ {4}> /gm)).toHaveLength(1);
    expect(found.stderr).toContain('The index of screen text is damaged');
  });

  it('marks with colours what is found, on a terminal', () => {
    const hit: SearchHit = {
      ...{ session: 's', channel: 0, segment: 1, time: '2026-03-01T09:00:00.000000Z', until: '', first: 3_723_450_000, last: 0 },
      ...{
        line: 'a \x1bneedle b needle',
        matches: [
          [3, 9],
          [12, 18],
        ],
        before: ['one'],
        after: [],
      },
    };
    expect(new HitList(true).text({ hits: [hit], sessions: [] })).toBe(
      `\x1b[1ms\x1b[0m\n  2026-03-01 09:00:00 UTC  s/0 --at 1:02:03.4\n      \x1b[2mone\x1b[0m\n    > a \\x1b\x1b[1;7mneedle\x1b[0m b \x1b[1;7mneedle\x1b[0m\n`,
    );
  });
});
