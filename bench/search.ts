import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readScreenQuestion, type ScreenWords } from '../gateway/query/search/screen-question.ts';
import type { SearchCursor } from '../gateway/query/search/search-cursor.ts';
import { type SearchPage, searchScreens } from '../gateway/query/search/search-screens.ts';
import { compare, judged, type Measurement, report } from './support/measurement.ts';
import type { Row } from './support/row.ts';
import { LINES_PER_SESSION } from './support/screen-lines.ts';
import { type BenchQuery, searchQueries } from './support/search-queries.ts';
import { principalOf, SearchedCorpus } from './support/searched-corpus.ts';
import { median, quantile } from './support/statistics.ts';

const GOAL_MILLIS = 50;
const GOAL_RATIO = 100;
const LIMITS = { limit: 50, millis: 40 }; // As the operator API asks.
const SIZES = [5000, 50_000, 500_000, 2_000_000, 10_000_000];
/** Queries that the peer is timed with in each run: it takes seconds for one. */
const PEER_QUERIES = 1;

interface Timed extends BenchQuery {
  readonly millis: number;
  readonly page: SearchPage;
}

/** Row 11: how long the first page of a search takes over ten million lines. */
export const search: Row = {
  row: 11,
  name: 'search',
  what: 'the first page of a search over 10 million screen lines',
  async run(belongings, { quick, runs, say }) {
    const corpus = await SearchedCorpus.open(belongings.directory('searched'));
    belongings.add(() => corpus.close());
    const growth: Measurement[] = [];
    for (const lines of quick ? SIZES.slice(0, 3) : SIZES) {
      await corpus.growTo(lines / LINES_PER_SESSION);
      const queries = searchQueries(corpus.sessions, 4);
      const times = await inTurn(corpus, queries);
      growth.push(
        report({ row: 11, name: `search ${lines} lines`, unit: 'ms p95', values: [p95(times)], note: `p50 ${p50(times).toFixed(1)} ms` }),
      );
      say(`${lines} lines: p50 ${p50(times).toFixed(1)} ms, p95 ${p95(times).toFixed(1)} ms`);
    }
    const queries = searchQueries(corpus.sessions, 20);
    const ours: number[] = [];
    const second: number[] = [];
    const filtered: number[] = [];
    const ofOne: number[] = [];
    const peer: number[] = [];
    const cpu: number[] = [];
    const byKind = new Map<string, number[]>();
    for (let run = 0; run < runs; run += 1) {
      const before = process.cpuUsage();
      const times = await inTurn(corpus, queries);
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000 / queries.length);
      ours.push(p95(times));
      for (const { kind, millis } of times) byKind.set(kind, [...(byKind.get(kind) ?? []), millis]);
      second.push(p95(await secondPages(corpus, times)));
      filtered.push(p95(await inTurn(corpus, queries, { principal: principalOf(7) })));
      ofOne.push(p95(await inTurn(corpus, queries, { session: corpus.ids[corpus.ids.length >> 1] ?? '' })));
      for (let index = 0; index < PEER_QUERIES; index += 1)
        peer.push(await zstdgrep(corpus.casts, wordOf(queries, run * PEER_QUERIES + index)));
      say(
        `run ${run + 1} of ${runs}: p50 ${p50(times).toFixed(1)} ms, p95 ${p95(times).toFixed(1)} ms; zstdgrep ${median(peer).toFixed(0)} ms`,
      );
    }
    const kinds = [...byKind].map(([kind, millis]) => `${kind} ${quantile(millis, 0.95).toFixed(1)}`).join(', ');
    const main = compare({
      ...{ row: 11, name: 'search', unit: 'ms p95', better: 'lower', ours, peer: { name: 'zstdgrep over the same casts', values: peer } },
      note: `${corpus.lines} lines, ${queries.length} queries; p95 by kind: ${kinds}`,
    });
    const met = !quick && main.ours.median <= GOAL_MILLIS && (main.ratio ?? 0) >= GOAL_RATIO;
    const explained = (name: string, values: number[], note: string) => report({ row: 11, name, unit: 'ms p95', values, note });
    return {
      main: judged(main, `≤ ${GOAL_MILLIS} ms, ${GOAL_RATIO}× zstdgrep`, met),
      extras: [
        report({ row: 11, name: 'search, CPU of a page', unit: 'ms', values: cpu, note: 'of all threads, on average' }),
        explained('search, second page', second, 'of those queries that have one'),
        explained('search, one agent', filtered, 'a fiftieth of the sessions'),
        explained('search, one session', ofOne, `one of ${corpus.sessions}`),
        ...growth,
        ...made(corpus),
      ],
    };
  },
};

async function inTurn(corpus: SearchedCorpus, queries: readonly BenchQuery[], words: Partial<ScreenWords> = {}): Promise<Timed[]> {
  const timed: Timed[] = [];
  for (const query of queries) timed.push({ ...query, ...(await searched(corpus, query.query, words)) });
  return timed;
}

async function secondPages(corpus: SearchedCorpus, first: readonly Timed[]): Promise<Timed[]> {
  const timed: Timed[] = [];
  for (const { kind, query, page } of first)
    if (page.cursor !== undefined) timed.push({ kind, query, ...(await searched(corpus, query, {}, page.cursor)) });
  return timed;
}

async function searched(corpus: SearchedCorpus, query: string, words: Partial<ScreenWords>, cursor?: SearchCursor) {
  const begun = performance.now();
  const parts = { database: corpus.database, text: await corpus.text.reader() };
  const page = await searchScreens(parts, readScreenQuestion({ ...words, query }), { cursor, limits: LIMITS });
  return { millis: performance.now() - begun, page };
}

/** Without a terminal's cells, folding and context: only which files have such a line, with every core that it takes. */
async function zstdgrep(casts: string, word: string): Promise<number> {
  const files = readdirSync(casts).map((name) => join(casts, name));
  const begun = performance.now();
  const child = spawn('zstdgrep', ['-h', '-i', '-F', word, ...files], { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(child, 'close');
  return performance.now() - begun;
}

/** zstdgrep takes no words with space or stars in them. */
function wordOf(queries: readonly BenchQuery[], index: number): string {
  const words = queries.filter(({ query }) => /^[\w.-]+$/.test(query));
  return words[(index * 37) % words.length]?.query ?? 'error';
}

function made(corpus: SearchedCorpus): Measurement[] {
  const file = statSync(join(corpus.database.directory, 'replay', 'search.db')).size;
  const megabytes = corpus.textBytes / 1e6;
  return [
    report({ row: 11, name: 'search, packing', unit: 'MB/s', values: [(megabytes / corpus.packMillis) * 1000] }),
    report({ row: 11, name: 'search, storing', unit: 'MB/s', values: [(megabytes / corpus.putMillis) * 1000] }),
    report({
      row: 11,
      name: 'search, size',
      unit: '% of text',
      values: [(file / corpus.textBytes) * 100],
      note: `${megabytes.toFixed(0)} MB of text`,
    }),
  ];
}

const p50 = (timed: readonly Timed[]): number => median(timed.map(({ millis }) => millis));
const p95 = (timed: readonly Timed[]): number =>
  quantile(
    timed.map(({ millis }) => millis),
    0.95,
  );
