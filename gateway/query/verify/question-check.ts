import { z } from 'zod';
import type { BundleFiles } from './bundle-files.ts';
import type { DisclosedTotals } from './bundle-records.ts';
import { fault, type Report } from './finding.ts';
import type { RecordTotals } from './record-checks.ts';

const QUERY = 'data/query.json';
const POPULATION = 'data/population.csv';
const MOST_POPULATION = 256 * 1024 * 1024;

const count = z.number().int().nonnegative();
const querySchema = z.object({
  completeness: z.object({
    first: z.number().int(),
    last: z.number().int(),
    range: count,
    included: count,
    elsewhere: count,
    sessions: count,
    leftOut: z.array(z.object({ session: z.string(), reason: z.string() })),
  }),
});

/** Whether what the bundle says of its own completeness is what it holds. */
export async function checkQuestion(files: BundleFiles, disclosed: DisclosedTotals, totals: RecordTotals, report: Report): Promise<void> {
  const said = await readQuery(files);
  if (said === undefined) return;
  const wrong = (what: string, number: number, is: number) =>
    report(fault('inconsistent', { file: QUERY }, `It says ${number} ${what}, and the bundle has ${is}`));
  const inRange = disclosed.records + disclosed.erased;
  const range = Math.max(0, said.last - said.first + 1);
  if (said.included !== disclosed.records) wrong('records', said.included, disclosed.records);
  if (said.range !== range) wrong('indexes in its range', said.range, range);
  if (said.elsewhere !== range - inRange) wrong('records of other sessions in its range', said.elsewhere, range - inRange);
  const population = await readPopulation(files);
  if (population === undefined) return;
  if (said.sessions !== population.size) wrong('sessions', said.sessions, population.size);
  for (const session of population)
    if (!totals.lastIndexes.has(session))
      report(fault('missing', { session, file: POPULATION }, 'The table has this session, and the bundle has no record of it'));
  for (const session of totals.lastIndexes.keys())
    if (!population.has(session))
      report(fault('missing', { session, file: POPULATION }, 'The bundle has records of this session, and the table does not have it'));
}

async function readQuery(files: BundleFiles) {
  const text = await files.read(QUERY, 64 * 1024 * 1024);
  if (text === undefined) return undefined;
  try {
    return querySchema.parse(JSON.parse(text.toString('utf8'))).completeness;
  } catch {
    files.malformed(QUERY, 'It does not say what the question was and how complete the answer is');
    return undefined;
  }
}

/** The sessions that the table says are in the bundle. */
async function readPopulation(files: BundleFiles): Promise<Set<string> | undefined> {
  const text = await files.read(POPULATION, MOST_POPULATION);
  if (text === undefined) return undefined;
  const sessions = new Set<string>();
  for (const [session = '', included] of csvRows(text.toString('utf8'))) if (included === 'yes') sessions.add(session);
  return sessions;
}

/** The first two fields of each row (RFC 4180). */
function* csvRows(text: string): Generator<[string, string]> {
  let row: string[] = [];
  const field = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n|$)/y;
  while (field.lastIndex < text.length) {
    const [, value = '', end] = field.exec(text) ?? [];
    if (end === undefined) return; // What is wrong with it is told where it is compared.
    if (row.length < 2) row.push(value);
    if (end === ',') continue;
    yield [row[0] ?? '', row[1] ?? ''];
    row = [];
  }
}
