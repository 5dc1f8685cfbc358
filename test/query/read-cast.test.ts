import { execFileSync } from 'node:child_process';
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { castItems } from '../../gateway/query/cast-events.ts';
import { castV3 } from '../../gateway/query/cast-v3.ts';
import { readCast } from '../../gateway/query/read-cast.ts';
import { Database } from '../../gateway/store/database.ts';
import { administer, temporaryDirectory } from '../store/support.ts';
import { collect, RecordedData } from './recorded.ts';

/** A closed session of several segments: 40 outputs of 1000 bytes, a second apart. */
async function severalSegments(): Promise<{ data: RecordedData; session: string; files: string[]; output: string }> {
  const data = await RecordedData.open({ segmentBytes: 4000 });
  const session = await data.openSession();
  const channel = await session.openChannel('exec', { command: 'count' });
  const outputs = Array.from({ length: 40 }, (_, index) => `${String(index).padStart(3, '0')}${'.'.repeat(996)}\n`);
  for (const [index, output] of outputs.entries()) channel.data(index, 'o', output);
  channel.exit(40, 0);
  await channel.close();
  await session.close();
  const files = (await data.database.segments.ofSession(session.id)).map(({ file }) => join(data.directory, file));
  expect(files.length).toBeGreaterThan(5);
  return { data, session: session.id, files, output: outputs.join('') };
}

async function outputOf(database: Database, session: string): Promise<{ output: string; damage: string[]; end: number }> {
  const read = { output: '', damage: [] as string[], end: 0 };
  for (const item of await collect(castItems(readCast(database, session, 0)))) {
    if (item.kind === 'damage') read.damage.push(`${item.error.code} ${item.error.message}`);
    if (item.kind === 'event' && item.code === 'o') read.output += item.data;
    if (item.kind !== 'header') read.end = item.at / 1e6;
  }
  return read;
}

describe('a recording', () => {
  it('reads as exactly what zstd makes of its segments', async () => {
    const { data, session, files } = await severalSegments();
    const parts = await collect(readCast(data.database, session, 0));
    const plain = execFileSync('zstd', ['-dc', ...files], { encoding: 'utf8' });
    expect(parts.map((part) => (part.kind === 'line' ? part.line : '?')).join('')).toBe(plain);
  });

  it('reads the same while it is being written', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('shell');
    channel.terminal(80, 24);
    channel.data(0.5, 'o', '$ ');
    expect(await outputOf(data.database, session.id)).toEqual({ output: '$ ', damage: [], end: 0.5 });
    channel.data(1.25, 'o', 'ls\r\n');
    expect(await outputOf(data.database, session.id)).toEqual({ output: '$ ls\r\n', damage: [], end: 1.25 });
  });

  it('reads across the border of what is sealed and what still stands in the journal', async () => {
    const data = await RecordedData.open({ segmentBytes: 4000 });
    const session = await data.openSession();
    const channel = await session.openChannel('exec');
    for (let index = 0; index < 10; index += 1) channel.data(index, 'o', `${index}${'.'.repeat(999)}`);
    const { output, damage } = await outputOf(data.database, session.id);
    expect(damage).toEqual([]);
    expect(output).toBe(Array.from({ length: 10 }, (_, index) => `${index}${'.'.repeat(999)}`).join(''));
  });

  it('of a gateway that was killed plays up to the last whole frame', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('exec');
    channel.data(1, 'o', 'before ');
    channel.data(2, 'o', 'torn');
    const copy = await temporaryDirectory();
    // The control socket of a gateway that runs is no file to copy.
    await cp(data.directory, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    const journal = join(copy, 'journal', session.id, '0', '0001.journal');
    await truncate(journal, (await readFile(journal)).length - 2);
    const reader = await Database.openForReading(copy);
    onTestFinished(() => reader.close());
    expect(await outputOf(reader, session.id)).toEqual({ output: 'before ', damage: [], end: 1 });
  });

  it.each([
    { name: 'has one byte changed', hurt: async (file: string) => flipByte(file), says: 'SHA-256' },
    { name: 'is cut short', hurt: async (file: string) => truncate(file, 50), says: 'it has 50 bytes' },
    { name: 'is missing', hurt: async (file: string) => rm(file), says: 'it is missing' },
  ])('whose third segment $name plays everything else at the right time, and names it', async ({ hurt, says }) => {
    const { data, session, files } = await severalSegments();
    await hurt(files[2] as string);
    const whole = await outputOf(data.database, session);
    expect(whole.damage).toEqual([expect.stringMatching(new RegExp(`^RECORDING_DAMAGED .*0003\\.cast\\.zst.*${says}`))]);
    expect(whole.output.length).toBeGreaterThan(30_000);
    expect(whole.output.length).toBeLessThan(40_000);
    expect(whole.end).toBeCloseTo(40, 3);
  });

  it('whose first segment is lost is still a cast, with a header and a marker where the damage is', async () => {
    const { data, session, files } = await severalSegments();
    await rm(files[0] as string);
    const told: string[] = [];
    const lines = await collect(castV3(readCast(data.database, session, 0), (error) => told.push(error.message)));
    expect(JSON.parse(lines[0] as string)).toMatchObject({ version: 3, term: { cols: 80 } });
    expect(JSON.parse(lines[1] as string)).toEqual([expect.any(Number), 'm', expect.stringContaining('0001.cast.zst')]);
    expect(told).toHaveLength(1);
    const file = join(await temporaryDirectory(), 'damaged.cast');
    await writeFile(file, lines.join(''));
    expect(lines.slice(1).every((line) => Array.isArray(JSON.parse(line)))).toBe(true);
  });

  it('whose damaged segment still stands in the journal is read from there, whole', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('exec');
    channel.data(1, 'o', 'kept twice');
    const journal = join(data.directory, 'journal', session.id, '0');
    const copy = await temporaryDirectory();
    await cp(journal, copy, { recursive: true });
    await channel.close();
    const [segment] = await data.database.segments.ofSession(session.id);
    await truncate(join(data.directory, segment?.file as string), 10);
    expect((await outputOf(data.database, session.id)).damage).toHaveLength(1);
    await cp(copy, journal, { recursive: true });
    expect(await outputOf(data.database, session.id)).toMatchObject({ output: 'kept twice', damage: [] });
  });

  it('with a part that is neither sealed nor in the journal says so', async () => {
    const { data, session } = await severalSegments();
    await data.close();
    await administer(join(data.directory, 'sallyport.db'), 'DELETE FROM segments WHERE segment = 3');
    const reader = await Database.openForReading(data.directory);
    onTestFinished(() => reader.close());
    expect((await outputOf(reader, session)).damage).toEqual([expect.stringMatching(/^RECORDING_DAMAGED Part 3 .* is missing/)]);
  });

  it('never follows a path out of the data directory', async () => {
    const { data, session, files } = await severalSegments();
    const outside = join(await temporaryDirectory(), 'outside.cast.zst');
    await cp(files[0] as string, outside);
    const [row] = await data.database.segments.ofSession(session);
    const segments = { ofChannel: async () => [{ ...row, segment: 1, file: `../${outside}` }] };
    const forged = { directory: data.directory, segments } as unknown as Database;
    const [part] = await collect(readCast(forged, session, 0));
    expect(part).toMatchObject({ kind: 'damage', error: { message: expect.stringContaining('out of the data directory') } });
  });
});

async function flipByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[40] = (bytes[40] as number) ^ 1;
  await writeFile(file, bytes);
}
