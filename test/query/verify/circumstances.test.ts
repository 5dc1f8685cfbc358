import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ssh } from '../../support/clients.ts';
import { sallyport } from '../../support/gateway.ts';
import { run } from '../../support/run.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { Belongings } from '../../support/temp.ts';
import { openWorld, type World } from '../../support/world.ts';
import { copyOf, type Evidence, filesBelow, flip, makeEvidence, sql, verify } from './evidence.ts';

const belongings = new Belongings();
let evidence: Evidence;
let world: World;
beforeAll(async () => {
  [evidence, world] = await Promise.all([
    makeEvidence(belongings),
    openWorld(belongings, { agents: 2, configuration: { recording: { segment: '64KiB', reserve: '1MiB' } } }),
  ]);
}, 180_000);
afterAll(() => belongings.release());

describe('verification', () => {
  it('beside a gateway at work finds no fault, over and over', { timeout: 240_000 }, async () => {
    const { data } = world.gateway;
    const route = world.agent();
    let done = 0;
    const work = (async () => {
      for (; done < 12; done += 1)
        await Promise.all([ssh(route, `seq 1 ${done % 3 === 0 ? 40_000 : 10}`), ssh(route, 'cat', { input: 'x' })]);
    })();
    const faults: unknown[] = [];
    let live = 0;
    let covered = 0;
    while (done < 12) {
      const verified = await verify(data);
      faults.push(...verified.faults);
      live += verified.findings.filter(({ code }) => code === 'live').length;
      covered = verified.outcome.ledger?.size ?? 0;
    }
    await work;
    expect(faults).toEqual([]);
    // It was at work, or the promise was not tried.
    expect(live).toBeGreaterThan(0);
    expect(covered).toBeGreaterThan(100);
  });

  it('writes nothing, and needs no space and no right to write', async () => {
    const disk = await mountSmallDisk(belongings, 4 * 1024 * 1024);
    const data = join(disk.path, 'data');
    cpSync(evidence.data, data, { recursive: true });
    disk.fillToTheBrim();
    const before = filesBelow(data);
    const full = await sallyport(['verify', '--data', data]);
    expect(full.status, full.stdout.toString() + full.stderr).toBe(0);
    await run('mount', ['-o', 'remount,ro', disk.path]);
    const readOnly = await sallyport(['verify', '--data', data]);
    expect(readOnly.status, readOnly.stdout.toString() + readOnly.stderr).toBe(0);
    expect(filesBelow(data)).toEqual(before);
  });

  it('of a directory that a dead gateway left says what is not covered', async () => {
    const { data } = world.gateway;
    await ssh(world.agent(), 'true');
    await world.gateway.kill();
    const { faults } = await verify(data);
    expect(faults).toEqual([]);
    await world.gateway.start();
  });

  it.each([
    ['an erased record', 'UPDATE records SET bytes = NULL'],
    ['text in place of bytes', "UPDATE records SET bytes = 'x'"],
    ['numbers in place of bytes', 'UPDATE records SET bytes = 5'],
    ['bytes that are too many', 'UPDATE records SET bytes = zeroblob(70000)'],
    ['no bytes at all', "UPDATE records SET bytes = x''"],
    ['JSON of another kind', "UPDATE records SET bytes = CAST('[1,2]' AS BLOB)"],
    ['brackets without end', "UPDATE records SET bytes = CAST(replace(hex(zeroblob(30000)), '00', '[') AS BLOB)"],
    ['bytes in place of names', "UPDATE records SET id = x'00', type = x'ff', time = 5, session = x'00'"],
    ['a hash that is none', 'UPDATE records SET hash = 7'],
    ['absurd places', 'UPDATE records SET seq = 9007199254740000 - seq'],
    ['places before the first', 'UPDATE records SET seq = -seq'],
  ])('of a database with %s in every row ends, in words, in bounded time', { timeout: 60_000 }, async (_, statement) => {
    const data = copyOf(belongings, evidence.data);
    await sql(data, statement.replace('SET id = x', 'SET id = seq || x'));
    const { faults } = await verify(data);
    expect(faults.length).toBeGreaterThan(0);
  });

  it.each([
    ['a checkpoint that is absurdly long', 'ledger/checkpoint', Buffer.alloc(3_000_000, 'a')],
    ['a checkpoint of an absurd size', 'ledger/checkpoint', Buffer.from(`a\n9007199254740991\n${'A'.repeat(43)}=\n\n— a AAAAAAA=\n`)],
    ['a checkpoint of nothing', 'ledger/checkpoint', Buffer.alloc(0)],
    ['a checkpoint with escapes for a terminal', 'ledger/checkpoint', Buffer.from('\u001b[31m\n1\nAAAA\n\n— a b\n')],
    ['a tile that is absurdly long', 'ledger/tile/0/000', Buffer.alloc(50_000_000)],
    ['a tile of nothing', 'ledger/tile/0/000', Buffer.alloc(0)],
    ['entries of absurd lengths', 'ledger/tile/entries/000', Buffer.alloc(8704, 0xff)],
    ['a key that is none', 'keys/ledger.pub', Buffer.from('\u001b]0;title\u0007')],
    ['a change of keys that is none', 'ledger/endorsed/5', Buffer.from('x')],
  ])('of a directory with %s ends, in words', { timeout: 60_000 }, async (_, file, content) => {
    const data = copyOf(belongings, evidence.data);
    mkdirSync(join(data, file, '..'), { recursive: true });
    writeFileSync(join(data, file), content);
    const done = await sallyport(['verify', '--data', data]);
    expect(done.status).toBe(1);
    expect(done.stdout.toString()).toMatch(/NOT INTACT/);
    expect(done.stdout.toString()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });

  it('of a directory with named pipes in place of its files does not wait for anybody to write to them', { timeout: 60_000 }, async () => {
    for (const file of ['ledger/checkpoint', 'ledger/tile/0/000', 'ledger/tile/entries/000', 'keys/ledger.pub', 'ledger/endorsed/7']) {
      const data = copyOf(belongings, evidence.data);
      mkdirSync(join(data, file, '..'), { recursive: true });
      rmSync(join(data, file), { force: true });
      expect((await run('mkfifo', [join(data, file)])).status).toBe(0);
      expect((await verify(data)).faults.length, file).toBeGreaterThan(0);
    }
    const data = copyOf(belongings, evidence.data);
    const [path = ''] = filesBelow(join(data, 'recordings'), '.cast.zst');
    rmSync(path);
    await run('mkfifo', [path]);
    expect((await verify(data)).faults.map(({ code }) => code)).toEqual(['altered']);
  });

  it('of a file that cannot be read says so and goes on', async () => {
    const data = copyOf(belongings, evidence.data);
    const [path = ''] = filesBelow(join(data, 'recordings'), '.cast.zst');
    rmSync(path);
    mkdirSync(path);
    const { faults, outcome } = await verify(data);
    expect(faults.map(({ code }) => code)).toContain('altered');
    expect(outcome.files).toBeGreaterThan(40);
    chmodSync(path, 0o700);
  });
});

describe('an edit of any kind of file', () => {
  it('of the ledger or of a recording is found, at many offsets', { timeout: 240_000 }, async () => {
    const data = copyOf(belongings, evidence.data);
    const one = (files: string[]) => files.slice(0, 2);
    const below = (folder: string, suffix = '') => filesBelow(join(data, folder), suffix);
    const files = [
      join(data, 'ledger', 'checkpoint'),
      join(data, 'keys', 'ledger.pub'),
      ...below('ledger/tile'),
      ...one(below('recordings', '.cast.zst')),
      ...one(below('recordings', '.bin.zst')),
    ];
    const unfound: string[] = [];
    for (const file of files) {
      const bytes = readFileSync(file);
      const places = file.includes('/tile/') && !file.endsWith('000') ? 2 : 8;
      for (let place = 0; place < places; place += 1) {
        const at = Math.floor(((place + 0.5) * bytes.length) / places);
        writeFileSync(file, flip(bytes, at, 1 << (place % 8)));
        if ((await verify(data)).faults.length === 0) unfound.push(`${file.slice(data.length)} at ${at}`);
      }
      writeFileSync(file, bytes);
    }
    expect(unfound).toEqual([]);
    expect((await verify(data)).faults).toEqual([]);
  });

  it('of the database is found, or changes nothing that anybody is told', { timeout: 240_000 }, async () => {
    const data = copyOf(belongings, evidence.data);
    const file = join(data, 'sallyport.db');
    const bytes = readFileSync(file);
    const told = async () => {
      const [list, shown] = [
        await sallyport(['sessions', '--data', data, '--json']),
        await sallyport(['show', id, '--data', data, '--json']),
      ];
      return `${list.stdout.toString()}${shown.stdout.toString()}`;
    };
    const [first] = await sql<{ id: string }>(data, 'SELECT id FROM sessions LIMIT 1');
    const id = first?.id ?? '';
    const truth = await told();
    const unfound: number[] = [];
    let found = 0;
    for (let place = 0; place < 60; place += 1) {
      const at = Math.floor(((place + 0.37) * bytes.length) / 60);
      writeFileSync(file, flip(bytes, at, 1 << (place % 8)));
      const faults = await verify(data).then(
        (verified) => verified.faults.length,
        () => 1, // Refused with an error of its own.
      );
      found += faults > 0 ? 1 : 0;
      if (faults === 0 && (await told()) !== truth) unfound.push(at);
    }
    expect(unfound).toEqual([]);
    // Half of them hit something that means something, or the promise was not tried.
    expect(found).toBeGreaterThan(15);
  });
});
