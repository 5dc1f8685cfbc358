import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ssh } from '../../support/clients.ts';
import { sallyport } from '../../support/gateway.ts';
import { onlySession } from '../../support/recordings.ts';
import { run } from '../../support/run.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { Belongings } from '../../support/temp.ts';
import { bareMachine, exported, filesBelow, type Machine, openRecordedWorld, runScript, unpacked } from './recorded-world.ts';

/** Data directories without a gateway: as it left them, damaged, copied to where nothing can be written. */
const belongings = new Belongings();
let stopped: string;
let machine: Machine;
let long: string;
beforeAll(async () => {
  const { world, data } = await openRecordedWorld(belongings);
  const route = world.agent();
  await ssh(route, 'for n in $(seq 9000); do echo "line $n of a recording that will be damaged"; done');
  long = (await onlySession(data, route.principal)).id;
  await world.gateway.stop();
  stopped = data;
  machine = await bareMachine(belongings, 'sh', 'awk');
}, 240_000);
afterAll(() => belongings.release());

function copyOfData(): string {
  const copy = join(belongings.directory('data'), 'data');
  cpSync(stopped, copy, { recursive: true });
  return copy;
}

const read = (directory: string, file: string) => readFileSync(join(directory, file), 'utf8');

describe('a bundle of a stopped gateway', () => {
  it('verifies, and is on record afterwards', async () => {
    const data = copyOfData();
    const bag = await unpacked(belongings, await exported(belongings, data));
    expect((await runScript(machine, bag)).status).toBe(0);
    const again = await unpacked(belongings, await exported(belongings, data));
    expect(read(again, 'data/ledger/records.ndjson')).toContain('"type":"access.exported"');
  });

  it('87 plays around a damaged segment, shows the damage in its place, and the script names it', async () => {
    const data = copyOfData();
    const segments = filesBelow(join(data, 'recordings')).filter((file) => file.includes(long));
    expect(segments.length).toBeGreaterThan(2);
    const [first = '', second = '', third = ''] = segments;
    const damaged = join(data, 'recordings', second);
    const bytes = readFileSync(damaged);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 0x10;
    writeFileSync(damaged, bytes);
    rmSync(join(data, 'recordings', first));
    const path = join(belongings.directory('bundle'), 'bundle.zip');
    const finished = await sallyport(['export', '--data', data, '-o', path]);
    expect(finished.status).toBe(1);
    expect(finished.stderr).toContain(`left out: Segment recordings/${first} is damaged: it is missing`);
    expect(finished.stderr).toContain(`left out: Segment recordings/${second} is damaged: its SHA-256 is not the one it was sealed with`);

    const bag = await unpacked(belongings, path);
    const cast = read(bag, `data/recordings/${long}-0.cast`).split('\n').slice(0, -1);
    expect(JSON.parse(cast[0] ?? '')).toMatchObject({ version: 3 });
    const events = cast.slice(1).map((line) => JSON.parse(line) as [number, string, string]);
    const markers = events.filter(([, code, text]) => code === 'm' && text.includes('damaged'));
    expect(markers.map(([, , text]) => text)).toEqual([
      expect.stringContaining(`${first} is damaged: it is missing`) as string,
      expect.stringContaining(`${second} is damaged`) as string,
    ]);
    expect(cast.join('\n')).not.toContain('line 1 of a recording');
    expect(cast.join('\n')).toContain('line 9000 of a recording');
    // What comes after the damage comes at its own time.
    const whole = (await sallyport(['cast', long, '--data', stopped])).stdout.toString().split('\n').slice(1, -1);
    const length = (lines: string[]) => Math.round(lines.reduce((sum, line) => sum + (JSON.parse(line) as [number])[0], 0) * 1e5);
    expect(length(cast.slice(1))).toBe(length(whole));
    expect(read(bag, 'data/query.json')).toContain('could not be included, because the files are damaged');
    expect(existsSync(join(bag, `data/page/casts/${long}/0/0001.js`))).toBe(false);
    expect(existsSync(join(bag, `data/page/casts/${long}/0/0003.js`))).toBe(true);
    expect(third).toContain('0003');

    const { status, stdout } = await runScript(machine, bag);
    expect(status).toBe(1);
    const faults = stdout
      .toString()
      .split('\n')
      .filter((line) => line.includes('FAULT'));
    expect(faults.toSorted()).toEqual(
      [1, 2].map(
        (segment) =>
          `   FAULT  segment ${segment} of channel 0 of session ${long} was sealed and is not in this bundle: its file was damaged or gone when the bundle was written`,
      ),
    );
  });

  it('whose attachment is damaged says so', async () => {
    const data = copyOfData();
    const attachment = filesBelow(join(data, 'recordings')).find((file) => file.endsWith('.bin.zst')) ?? '';
    writeFileSync(join(data, 'recordings', attachment), 'x');
    const bag = await unpacked(belongings, await exported(belongings, data, [], 1));
    const { stdout } = await runScript(machine, bag);
    expect(stdout.toString()).toMatch(/the attachment [0-9a-f-]+\.\d{4}\.o\.bin\.zst is missing or altered/);
  });

  it('that was recorded by version 0.1 verifies by the files that its seals know', async () => {
    const data = join(belongings.directory('old'), 'data');
    cpSync(join(import.meta.dirname, '../../fixtures/data-directory-0.1/stopped'), data, { recursive: true });
    const bag = await unpacked(belongings, await exported(belongings, data));
    expect(read(bag, 'data/recordings/parts.txt')).toMatch(/ undigested\n/);
    expect(readdirSync(join(bag, 'data/recordings')).some((name) => name.endsWith('.0001.cast.zst'))).toBe(true);
    const { status, stdout } = await runScript(machine, bag);
    expect(stdout.toString()).toMatch(/segments, sealed by a version before 0\.2, the stored file was checked/);
    expect(stdout.toString()).not.toContain('FAULT');
    expect(status).toBe(0);
  });
});

describe('a copy of the data that cannot be written to', () => {
  async function readOnlyCopy(without: readonly string[] = []): Promise<string> {
    const disk = await mountSmallDisk(belongings, 64 * 1024 * 1024);
    const data = join(disk.path, 'data');
    mkdirSync(data);
    cpSync(stopped, data, {
      recursive: true,
      filter: (source) => !source.endsWith('/reserve') && !without.some((name) => source.endsWith(name)),
    });
    expect((await run('mount', ['-o', 'remount,ro', disk.path])).status).toBe(0);
    return data;
  }

  it('is exported all the same; that it could not be recorded is said here and in the bundle', async () => {
    const data = await readOnlyCopy();
    const path = join(belongings.directory('bundle'), 'bundle.zip');
    const finished = await sallyport(['export', '--data', data, '-o', path]);
    expect(finished.stderr).toContain('this export could not be recorded: the data directory cannot be written to');
    expect(finished.status).toBe(0);
    const bag = await unpacked(belongings, path);
    expect(read(bag, 'data/query.json')).toContain('This export could not be recorded in the ledger');
    expect(read(bag, 'bag-info.txt')).toContain('Sallyport-Note: This export could not be recorded');
    expect(read(bag, 'data/VERIFY.md')).toContain('This export could not be recorded');
    expect((await runScript(machine, bag)).status).toBe(0);
  });

  it('and has no key makes an unsigned bundle, when that is asked for and not otherwise', async () => {
    const data = await readOnlyCopy(['ledger.key']);
    const path = join(belongings.directory('bundle'), 'bundle.zip');
    const refused = await sallyport(['export', '--data', data, '-o', path, '--json']);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('"EXPORT_UNSIGNED"');
    expect(existsSync(path)).toBe(false);
    const unsigned = await sallyport(['export', '--data', data, '-o', path, '--unsigned']);
    expect(unsigned.status, unsigned.stderr).toBe(0);
    expect(unsigned.stderr).toContain('the bundle is not signed as a whole');
    const bag = await unpacked(belongings, path);
    expect(existsSync(join(bag, 'attestation.dsse.json'))).toBe(false);
    expect(read(bag, 'data/query.json')).toContain('Nobody signed how this bundle was put together');
    const strict = await runScript(machine, bag);
    expect(strict.stdout.toString()).toContain('nobody signed this bundle as a whole');
    expect(strict.status).toBe(1);
    const lenient = await runScript(machine, bag, ['--unsigned']);
    expect(lenient.stdout.toString()).not.toContain('FAULT');
    expect(lenient.status).toBe(0);
  });
});

describe('a database that was tampered with', () => {
  it.each([
    ['text', 'not even JSON', /Record \d+ of the ledger is damaged: it is not JSON/],
    [
      'a seal of another form',
      '{"id":"01a205e1-e790-7000-8000-000000000000","time":"2026-03-01T09:30:00.123456Z","type":"segment.sealed"}',
      /is damaged: it is/,
    ],
  ])('is not exported as if it were in order: %s', async (_, bytes, words) => {
    const data = copyOfData();
    const database = join(data, 'sallyport.db');
    const tampered = await run('python3', [
      '-c',
      'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\nc.execute("update records set bytes=? where seq=(select min(seq) from records where type=\'segment.sealed\')",(sys.argv[2].encode(),))\nc.commit()',
      database,
      bytes,
    ]);
    expect(tampered.status, tampered.stderr).toBe(0);
    const path = join(belongings.directory('bundle'), 'bundle.zip');
    const finished = await sallyport(['export', '--data', data, '-o', path]);
    expect(finished.stderr).toMatch(words);
    expect(finished.status).toBe(1);
    expect(existsSync(path)).toBe(false);
  });
});

describe('an export that fails', () => {
  it('is not on record as one that was made', async () => {
    const data = copyOfData();
    const failed = await sallyport(['export', '--data', data, '-o', join(belongings.directory('folder'), 'none/bundle.zip')]);
    expect(failed.stderr).toContain('Cannot write');
    expect(failed.status).toBe(1);
    const bag = await unpacked(belongings, await exported(belongings, data));
    expect(read(bag, 'data/ledger/records.ndjson')).not.toContain('"type":"access.exported"');
  });
});
