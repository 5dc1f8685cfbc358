import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../gateway/base/clock.ts';
import { parseCheckpoint } from '../../gateway/ledger/checkpoint.ts';
import { unverifiedText } from '../../gateway/ledger/signed-note.ts';
import { openLedgerFiles } from '../../gateway/store/ledger-files.ts';
import { temporaryDirectory } from '../store/support.ts';
import { fastest } from '../support/wait.ts';
import { live, newKey, readLedger } from './support.ts';

async function checkpointOf(directory: string) {
  return parseCheckpoint(unverifiedText((await openLedgerFiles(directory).checkpoint()) ?? ''));
}

describe('the ledger', () => {
  it('begins with a checkpoint over nothing, and its first record says what it is', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey(), newOrigin: () => 'bastion-1/0a1b2c3d' });
    expect(gateway.news).toMatchObject([{ type: 'ledger.created', body: { origin: 'bastion-1/0a1b2c3d', taken: 0 } }]);
    const head = await gateway.ledger.signed();
    expect(head.size).toBe(1);
    expect(await readLedger(directory, [gateway.ledger.key])).toEqual({ ...head, root: Buffer.from(head.root) });
  });

  it('signs within a second what was recorded, without being asked', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    let { size } = await gateway.ledger.signed();
    const took = await fastest(1000, async () => {
      await gateway.append(3);
      size += 3;
      while ((await checkpointOf(directory)).size < size) await delay(10);
    });
    // And what a busy disk adds.
    expect(took).toBeLessThan(3000);
    await readLedger(directory, [gateway.ledger.key]);
  });

  it('gives every record its place, and a checkpoint over it to whoever waits', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    for (const count of [1, 254, 1, 300, 2000]) {
      await gateway.append(count);
      const head = await gateway.ledger.signed();
      expect(await gateway.database.records.count()).toBe(head.size);
      expect((await readLedger(directory, [gateway.ledger.key])).note).toBe(head.note);
    }
  });

  it('gives many who wait at once the same few checkpoints', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    await gateway.ledger.signed();
    const heads = await Promise.all(
      Array.from({ length: 300 }, async () => {
        await gateway.append(1);
        return gateway.ledger.signed();
      }),
    );
    expect(new Set(heads.map(({ note }) => note)).size).toBeLessThan(20);
    expect(Math.max(...heads.map(({ size }) => size))).toBe(301);
  });

  it('keeps partial tiles until the full tile is there', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    await gateway.append(99);
    await gateway.ledger.signed();
    await gateway.append(100);
    await gateway.ledger.signed();
    const tiles = join(directory, 'ledger', 'tile', '0');
    expect(await readdir(join(tiles, '000.p'))).toEqual(expect.arrayContaining(['100', '200']));
    await gateway.append(100);
    await gateway.ledger.signed();
    expect(await readdir(tiles)).toEqual(['000', '001.p']);
    expect(await readdir(join(directory, 'ledger', 'tile', 'entries'))).toEqual(['000', '001.p']);
    // Whoever still holds the checkpoint of 100 finds its tile in the full one.
    expect((await openLedgerFiles(directory).tile(0, 0, 100)).length).toBe(3200);
    await readLedger(directory, [gateway.ledger.key]);
  });

  it('signs what is left when it is closed', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    await gateway.append(5);
    await gateway.end();
    expect((await readLedger(directory, [gateway.ledger.key])).size).toBe(6);
    await expect(gateway.ledger.signed()).resolves.toMatchObject({ size: 6 });
  });
});

describe('when the files of the ledger cannot be written', () => {
  /** A file where a folder should be: a fault that root meets as well. */
  async function obstruct(directory: string): Promise<() => Promise<void>> {
    const tiles = join(directory, 'ledger', 'tile');
    await rename(tiles, `${tiles}.away`);
    await writeFile(tiles, '');
    return async () => {
      await rm(tiles);
      await rename(`${tiles}.away`, tiles);
    };
  }

  it('records are kept, whoever waits is told, and it is signed when it can be', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    const before = await gateway.ledger.signed();
    const mend = await obstruct(directory);
    await gateway.append(400);
    await expect(gateway.ledger.signed()).rejects.toMatchObject({ code: 'LEDGER_BEHIND' });
    expect(gateway.log.lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(0);
    expect((await checkpointOf(directory)).size).toBe(before.size);
    await gateway.append(400);
    await mend();
    expect((await gateway.ledger.signed()).size).toBe(801);
    await readLedger(directory, [gateway.ledger.key], [before]);
  });

  it('what it cannot keep in memory it reads from the database later', { timeout: 240_000 }, async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    const before = await gateway.ledger.signed();
    const mend = await obstruct(directory);
    for (let round = 0; round < 4; round += 1) await gateway.append(20_000);
    await expect(gateway.ledger.signed()).rejects.toMatchObject({ code: 'LEDGER_BEHIND' });
    await mend();
    expect((await gateway.ledger.signed()).size).toBe(80_001);
    await readLedger(directory, [gateway.ledger.key], [before]);
  });

  it('it is tried again without being asked', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    await gateway.ledger.signed();
    const mend = await obstruct(directory);
    await gateway.append(1);
    await expect(gateway.ledger.signed()).rejects.toMatchObject({ code: 'LEDGER_BEHIND' });
    await mend();
    while ((await checkpointOf(directory)).size < 2) await delay(20);
    await readLedger(directory, [gateway.ledger.key]);
  });

  it('no session may begin once that has lasted for half a minute', async () => {
    let ahead = 0;
    const clock: Clock = { wallMicros: () => systemClock.wallMicros(), monotonicNanos: () => systemClock.monotonicNanos() + ahead };
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey(), clock });
    await gateway.ledger.signed();
    const mend = await obstruct(directory);
    await gateway.append(1);
    await expect(gateway.ledger.signed()).rejects.toMatchObject({ code: 'LEDGER_BEHIND' });
    ahead = 29e9;
    expect(gateway.ledger.trouble).toBeUndefined();
    ahead = 31e9;
    expect(gateway.ledger.trouble).toMatchObject({ code: 'LEDGER_BEHIND' });
    await mend();
    await gateway.ledger.signed();
    expect(gateway.ledger.trouble).toBeUndefined();
  });

  it('what is left when it closes is taken up at the next start', async () => {
    const directory = await temporaryDirectory();
    const key = newKey();
    const first = await live(directory, { key });
    const before = await first.ledger.signed();
    const mend = await obstruct(directory);
    await first.append(700);
    await first.end();
    await mend();
    const second = await live(directory, { key });
    expect(second.news).toEqual([]);
    expect((await second.ledger.signed()).size).toBe(701);
    await readLedger(directory, [second.ledger.key], [before]);
  });
});

describe('when records contradict what was taken', () => {
  it('nothing is signed any more, and no session may begin', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    await gateway.append(3);
    const before = await gateway.ledger.signed();
    gateway.ledger.take(2, [Buffer.alloc(32)]);
    expect(gateway.ledger.trouble).toMatchObject({ code: 'LEDGER_DAMAGED' });
    await gateway.append(1);
    await expect(gateway.ledger.signed()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
    await gateway.end();
    expect((await checkpointOf(directory)).size).toBe(before.size);
  });

  it('a record that is missing from the database is found when it is read', async () => {
    const directory = await temporaryDirectory();
    const gateway = await live(directory, { key: newKey() });
    await gateway.ledger.signed();
    // Told of records that the database does not have.
    gateway.ledger.take(5, [Buffer.alloc(32)]);
    await expect(gateway.ledger.signed()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
    expect(gateway.ledger.trouble).toMatchObject({ code: 'LEDGER_DAMAGED' });
    expect((await checkpointOf(directory)).size).toBe(1);
  });
});
