import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packLines } from '../../../gateway/indexing/text-block.ts';
import { matchBlock } from '../../../gateway/query/search/match-block.ts';
import { parseQuery } from '../../../gateway/query/search/parse-query.ts';
import type { SearchCursor } from '../../../gateway/query/search/search-cursor.ts';
import type { SearchPage } from '../../../gateway/query/search/search-screens.ts';
import { draft } from '../../store/support.ts';
import { Searched } from './searched.ts';

describe('what is found', () => {
  const lines = [
    'root@web-1:~# cat /etc/passwd',
    'error: Permission denied (publickey).',
    'rm -rf --force ./build && ls -la | grep foo_bar',
    'ssh 10.0.0.7 -p 22',
    'ssh 110.0.0.77',
    'the   quick\tbrown fox',
    'Straße in KÖLN, ΟΔΟΣ',
    '漢字とカタカナ logを見る',
    'deploy 🚀 done 👍🏽',
    'C:\\Users\\bob "quoted" 100%',
    'a',
    'SELECT * FROM orders WHERE id = 0x7f',
    'Abbruch: Datei u\u0308ber Nacht',
  ];
  const cases: [query: string, ...found: number[]][] = [
    ['passwd', 0],
    ['PASSWD cat', 0],
    ['pass'],
    ['pass*', 0],
    ['*sswd', 0],
    ['*assw*', 0],
    ['/etc/passwd', 0],
    ['etc/passwd', 0],
    ['tc/passwd'],
    ['permission denied', 1],
    ['"permission denied"', 1],
    ['"denied permission"'],
    ['denied permission', 1],
    ['--force', 2],
    ['force', 2],
    ['rm', 2],
    ['-rf', 2],
    ['rf', 2],
    ['f'],
    ['&&', 2],
    ['|', 2],
    ['foo'],
    ['foo_bar', 2],
    ['10.0.0.7', 3],
    ['10.0.0', 3],
    ['"quick brown"', 5],
    ['"k brown"'],
    ['*"ick brown fo"*', 5],
    ['strasse', 6],
    ['STRASSE köln', 6],
    ['οδος', 6],
    ['漢', 7],
    ['漢字', 7],
    ['字と', 7],
    ['タカナ', 7],
    ['log', 7],
    ['🚀', 8],
    ['👍', 8],
    ['👍🏽', 8],
    ['C:\\Users', 9],
    ['\\"quoted\\"', 9],
    ['"\\"quoted\\" 100%"', 9],
    ['a', 10],
    ['* from', 11],
    ['"SELECT * FROM"', 11],
    ['0x7f', 11],
    ['über', 12],
    ['u\u0308ber', 12],
    ['nowhere'],
  ];

  test('by words, phrases, beginnings, ends and parts, with punctuation and in any script', async () => {
    const data = await Searched.open();
    await data.show(await data.session(), lines);
    for (const [query, ...expected] of cases)
      expect(await data.lines(query), query).toEqual(expected.map((index) => lines[index]?.normalize('NFC')));
  });

  test('is marked in the line, whatever folding does to its length', async () => {
    const data = await Searched.open();
    await data.show(await data.session(), ['İİ straße ΟΔΟΣ 🚀 straße end', `${'x'.repeat(9000)} needle ${'y'.repeat(5000)}`]);
    const [hit] = (await data.search('STRASSE οδος 🚀')).hits;
    expect(hit?.matches.map(([from, to]) => hit.line.slice(from, to))).toEqual(['straße', 'ΟΔΟΣ', '🚀', 'straße']);
    const [long] = (await data.search('needle')).hits;
    expect(long?.line.length).toBeLessThan(2100);
    expect(long?.matches.map(([from, to]) => long.line.slice(from, to))).toEqual(['needle']);
  });

  test('comes with where and when it was, whose it is, and two lines before and after', async () => {
    const data = await Searched.open();
    const session = await data.session({ actor: { principal: 'night-bot' }, target: { name: 'db-1' } }, 2);
    await data.show(session, ['one', 'two', 'three', 'needle', 'five', 'six', 'seven'], 1);
    const { hits, sessions } = await data.search('needle');
    const [row] = await data.database.sessions.byPrefix(session, 1);
    const opened = (await data.database.channels.ofSession(session))[1]?.opened ?? '';
    expect(hits).toEqual([
      {
        ...{ session, channel: 1, segment: 1, first: 3_000_000, last: 3_500_000, line: 'needle', matches: [[0, 6]] },
        time: new Date(Date.parse(opened) + 3000).toISOString().replace('Z', `${opened.slice(23, 26)}Z`),
        until: new Date(Date.parse(opened) + 3500).toISOString().replace('Z', `${opened.slice(23, 26)}Z`),
        before: ['two', 'three'],
        after: ['five', 'six'],
      },
    ]);
    expect(sessions).toMatchObject([{ id: session, principal: 'night-bot', target: 'db-1', started: row?.started }]);
  });

  test('is the newest first, over sessions and segments', async () => {
    const data = await Searched.open();
    const [first, second] = [await data.session(), await data.session()];
    await data.show(second, ['hit 3', 'hit 4']);
    await data.show(first, ['hit 1', 'hit 2']);
    await data.show(second, [{ first: 9e6, last: 9e6, text: 'hit 5' }]);
    expect(await data.lines('hit')).toEqual(['hit 5', 'hit 4', 'hit 3', 'hit 2', 'hit 1']);
  });
});

const WORD =
  '[[\\p{L}\\p{N}\\p{M}\\p{Pc}]--[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Hangul}\\p{sc=Bopomofo}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}]]';
const fold = (text: string) => text.normalize('NFC').toUpperCase().toLowerCase().replaceAll('ς', 'σ');

interface Asked {
  words: string[];
  left: boolean;
  right: boolean;
}

/** `RegExp.escape`, which TypeScript does not know yet. */
const { escape: escapeRegExp } = RegExp as unknown as { escape(text: string): string };

/** The same rules once more, as a regular expression over each line. */
function scanner(terms: readonly Asked[]): (line: string) => boolean {
  const patterns = terms.map(({ words, left, right }) => {
    const text = words.map((word) => escapeRegExp(fold(word))).join('\\s+');
    const begins = left ? '' : `(?<!${WORD}(?=${WORD}))`;
    const ends = right ? '' : `(?!(?<=${WORD})${WORD})`;
    return new RegExp(`${begins}${text}${ends}`, 'v');
  });
  return (line) => patterns.every((pattern) => pattern.test(fold(line)));
}

function written({ words, left, right }: Asked): string {
  const text = words.map((word) => word.replaceAll('"', '\\"')).join(' ');
  return `${left ? '*' : ''}"${text}"${right ? '*' : ''}`;
}

test('it is what a scan of every line finds, for any lines and queries', { timeout: 240_000 }, async () => {
  const alphabet = [
    ...'aabbccddé1_-./"*$ßΣσ',
    'e\u0301',
    'a\u0331',
    '漢',
    '字',
    'か',
    'は\u3099',
    '한',
    'ก',
    '🚀',
    '👍🏽',
    '👩‍💻',
    'İ',
    'ı',
    '\ue000',
  ];
  const word = fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 6 }).map((characters) => characters.join(''));
  const line = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(' '));
  const data = await Searched.open();
  const session = await data.session();
  let segment = 0;
  let found = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 40 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      async (lines, dice) => {
        segment += 1;
        await data.put(session, 1, lines);
        const roll = (below: number) => Math.floor((dice.next().value ?? 0) * below * 0.999_999);
        for (let query = 0; query < 12; query += 1) {
          // Queries are cut out of the lines, so that there is something to find, and sometimes changed, so that there is not.
          const terms = Array.from({ length: 1 + roll(2) }, (): Asked => {
            const words = (lines[roll(lines.length)] ?? '').split(' ');
            const at = roll(words.length);
            const chosen = words.slice(at, at + 1 + roll(2));
            const [left, right] = [roll(3) === 0, roll(3) === 0];
            const cut = (text: string, begin: boolean) => {
              const characters = [...text];
              const by = roll(characters.length);
              return (begin ? characters.slice(by) : characters.slice(0, characters.length - by)).join('');
            };
            if (left || roll(4) === 0) chosen[0] = cut(chosen[0] ?? '', true);
            const last = chosen.length - 1;
            if (right || roll(4) === 0) chosen[last] = cut(chosen[last] ?? '', false);
            return { words: chosen, left, right };
          });
          let answer: string[];
          try {
            answer = await data.lines(terms.map(written).join(' '));
          } catch (thrown) {
            // A part of a word that is shorter than three characters, and nothing else, cannot be looked for.
            expect(thrown).toMatchObject({ code: 'QUERY_INVALID' });
            expect(terms.some(({ left, right, words }) => (left || right) && words.every((text) => [...fold(text)].length < 3))).toBe(true);
            continue;
          }
          const expected = lines.map((text) => text.normalize('NFC')).filter(scanner(terms));
          expect(answer.toReversed(), terms.map(written).join(' ')).toEqual(expected);
          found += expected.length;
        }
      },
    ),
    { numRuns: 60 },
  );
  expect(segment).toBeGreaterThan(30);
  expect(found).toBeGreaterThan(500);
});

test('pages are stable while more is stored and what is there is made again: nothing twice, nothing lost', async () => {
  const data = await Searched.open();
  const sessions = [await data.session(), await data.session(), await data.session()];
  const text = (session: string, segment: number) =>
    Array.from({ length: 700 }, (_, line) => `needle ${session} ${segment} ${line} ${'filler '.repeat(8)}`);
  for (const session of sessions) for (const segment of [1, 2]) await data.put(session, segment, text(session, segment));
  const atFirst = new Set(sessions.flatMap((session) => [1, 2].flatMap((segment) => text(session, segment))));
  const seen: string[] = [];
  let cursor: SearchCursor | undefined;
  let pages = 0;
  do {
    const page: SearchPage = await data.search('needle', {}, { cursor, limit: 97 });
    seen.push(...page.hits.map(({ line }) => line));
    cursor = page.cursor;
    pages += 1;
    await data.put(sessions[pages % 3] ?? '', 1, text(sessions[pages % 3] ?? '', 1)); // As `reindex` does.
    const later = await data.session();
    await data.show(later, [{ first: 3600e6, last: 3600e6, text: `needle of ${later}` }]);
  } while (cursor !== undefined);
  expect(pages).toBeGreaterThan(40);
  expect(seen.length).toBe(atFirst.size);
  expect(new Set(seen)).toEqual(atFirst);
});

test('a page ends when its time is over, with a cursor that goes on', async () => {
  const data = await Searched.open();
  for (let session = 0; session < 6; session += 1)
    await data.show(await data.session(), [
      ...Array.from({ length: 900 }, (_, line) => `apple ${line} ${'x'.repeat(40)}`),
      `pear ${session}`,
      'apple pear',
    ]);
  let pages = 0;
  const seen: string[] = [];
  let cursor: SearchCursor | undefined;
  do {
    const page: SearchPage = await data.search('apple pear', {}, { cursor, limit: 100, millis: 0 });
    seen.push(...page.hits.map(({ line }) => line));
    cursor = page.cursor;
    pages += 1;
    expect(pages).toBeLessThan(200);
    // With no time at all a page still gets on, or nobody would ever come to the end.
  } while (cursor !== undefined);
  expect(seen).toEqual(Array.from({ length: 6 }, () => 'apple pear'));
});

test('filters: session, channel, who, for whom, where, how, state, and when the line was on the screen', async () => {
  const data = await Searched.open();
  const one = await data.session({ actor: { principal: 'a-bot', onBehalfOf: 'ann@example.com' }, target: { name: 'web-1' } }, 2);
  const two = await data.session({ actor: { principal: 'b-bot', onBehalfOf: 'bob@example.com' }, target: { name: 'db-1' } });
  await data.show(one, ['hit one/0']);
  await data.show(one, [{ first: 10e6, last: 20e6, text: 'hit one/1' }], 1);
  await data.show(two, ['hit two/0']);
  await data.records.append(draft.sessionClose(two));
  const openedAt = async (session: string, channel: number) =>
    Date.parse((await data.database.channels.ofSession(session))[channel]?.opened ?? '');
  const at = async (seconds: number) => new Date((await openedAt(one, 1)) + seconds * 1000).toISOString();
  expect(await data.lines('hit', { session: one })).toEqual(expect.arrayContaining(['hit one/0', 'hit one/1']));
  expect(await data.lines('hit', { session: one, channel: 1 })).toEqual(['hit one/1']);
  expect(await data.lines('hit', { principal: 'b-bot' })).toEqual(['hit two/0']);
  expect(await data.lines('hit', { onBehalfOf: 'ann@example.com' })).toHaveLength(2);
  expect(await data.lines('hit', { target: 'db-1' })).toEqual(['hit two/0']);
  expect(await data.lines('hit', { protocol: 'ssh' })).toHaveLength(3);
  expect(await data.lines('hit', { protocol: 'postgres' })).toEqual([]);
  expect(await data.lines('hit', { state: 'closed' })).toEqual(['hit two/0']);
  expect(await data.lines('hit', { state: 'erased' })).toEqual([]);
  expect(await data.lines('hit', { principal: 'nobody' })).toEqual([]);
  for (const [from, to, found] of [
    [11, 15, 1],
    [19, 40, 1],
    [5, 11, 1],
    [21, 40, 0],
    [5, 9.9, 0],
  ] as const)
    expect(await data.lines('hit', { from: await at(from), to: await at(to) }), `${from} to ${to}`).toHaveLength(found);
  await expect(data.lines('hit', { from: 'soon' })).rejects.toMatchObject({ code: 'USAGE' });
});

test('filters that many sessions pass are put to each of them', async () => {
  const data = await Searched.open();
  for (let count = 0; count < 60; count += 1) {
    const principal = count % 2 === 0 ? 'even-bot' : 'odd-bot';
    await data.show(await data.session({ actor: { principal } }), [`hit ${principal} ${count}`]);
    await data.show(await data.session({ actor: { principal: 'even-bot' } }), [`other ${count}`]);
  }
  const lines = await data.lines('hit', { principal: 'even-bot' });
  expect(lines).toHaveLength(30);
  expect(lines.every((line) => line.startsWith('hit even-bot'))).toBe(true);
});

test('what is erased is not found, also before it is forgotten', async () => {
  const data = await Searched.open();
  const [kept, erased] = [await data.session(), await data.session()];
  await data.show(kept, ['needle kept']);
  await data.show(erased, ['needle erased']);
  expect(await data.lines('needle')).toHaveLength(2);
  const where = await data.search('needle', {}, { limit: 1 });
  await data.text.forget([erased]);
  expect(await data.lines('needle')).toEqual(['needle kept']);
  expect(await data.lines('needle', { session: erased })).toEqual([]);
  expect((await data.search('needle', {}, { cursor: where.cursor })).hits.map(({ line }) => line)).toEqual(['needle kept']);
});

test('nothing in a query means anything to the index but what is looked for', async () => {
  const data = await Searched.open();
  await data.show(await data.session(), ['plain words', 'tokens : "x" OR (y) NEAR NOT ^z {a b} -c', "'; DROP TABLE segments; --", 'AND']);
  const hostile = [
    '"',
    '""',
    '" OR "',
    'a" OR tokens:"b',
    'NEAR(a b)',
    '(((',
    ')))',
    'tokens:plain',
    '{x}',
    '-',
    '^',
    ':',
    "'",
    "';--",
    '\\',
    '\\"',
    '*"',
    '"*',
    '***',
    'AND',
    'OR',
    'NOT',
    '%',
    '_',
    '?',
    '\ud800',
    '￿',
    '\u202e',
    'a'.repeat(900),
    '" '.repeat(400),
  ];
  for (const query of hostile) {
    const answer = await data.lines(query).catch((thrown: unknown) => thrown);
    if (answer instanceof Error) expect(answer, query).toMatchObject({ code: 'QUERY_INVALID' });
    else expect(answer, query).not.toContain('plain words');
  }
  expect(await data.lines('AND')).toEqual(['AND']);
  expect(await data.lines("';")).toEqual(["'; DROP TABLE segments; --"]);
  for (const query of [
    '',
    '   ',
    '""',
    '"open',
    '\0',
    'a\0b',
    'x'.repeat(1_000_000),
    'w '.repeat(17),
    `"${'w '.repeat(65)}"`,
    'ab*',
    '*a*',
    '*"a b"*',
  ])
    await expect(data.lines(query), JSON.stringify(query.slice(0, 20))).rejects.toMatchObject({ code: 'QUERY_INVALID' });
  expect(await data.lines('plain')).toEqual(['plain words']);
});

describe('lines that are made to keep a search busy', () => {
  test('are looked through in no more time than they are long, whatever the phrase', () => {
    const line = `${'a '.repeat(8000)}c`;
    const [block] = packLines([{ first: 0, last: 1, text: line }]);
    if (block === undefined) throw new Error('no block');
    const terms = parseQuery(`"${'a '.repeat(63)}b"`);
    const before = process.threadCpuUsage();
    for (let index = 0; index < 20; index += 1) {
      const { lines, ranges } = matchBlock(block.packed, terms);
      expect(lines).toEqual([]);
      expect(ranges(0)).toEqual([]);
    }
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(200);
  });

  test('end a page before it is full, and are all told in the end', async () => {
    const data = await Searched.open();
    const session = await data.session();
    const lines = Array.from({ length: 400 }, (_, line) => `${line} ${'ab '.repeat(600)}`);
    await data.show(session, lines);
    const found: string[] = [];
    let cursor: SearchCursor | undefined;
    do {
      const page = await data.search('ab', {}, { cursor, limit: 500 });
      expect(JSON.stringify(page.hits).length).toBeLessThan(1024 * 1024);
      found.push(...page.hits.map(({ line }) => line.slice(0, line.indexOf(' '))));
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(found).toEqual(lines.map((_, line) => String(399 - line)));
  });
});

test('characters that nobody sees hide no word, and make none', async () => {
  const data = await Searched.open();
  const line = 'c\u00adurl ht\u200btp:\u2060//e\u202evil\ufe0f.exam\u{e0041}ple ❤\ufe0f';
  await data.show(await data.session(), [line]);
  for (const query of ['curl', '"curl http"', 'evil.example', '*xampl*', '❤', '❤\ufe0f', 'ev\u200dil'])
    expect(await data.lines(query), query).toEqual([line]);
  const { hits } = await data.search('evil.example');
  expect(hits[0]?.matches.map(([from, to]) => line.slice(from, to))).toEqual(['e\u202evil\ufe0f.exam\u{e0041}ple']);
  await expect(data.lines('\u200b')).rejects.toMatchObject({ code: 'QUERY_INVALID' });
});
