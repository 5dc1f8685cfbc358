import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/base/clock.ts';
import { formatCheckpoint } from '../../gateway/ledger/checkpoint.ts';
import { openLedger } from '../../gateway/ledger/open-ledger.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { formatVerifierKey, noteSigner, openNote, signNote } from '../../gateway/ledger/signed-note.ts';
import { Database } from '../../gateway/store/database.ts';
import { openLedgerForGateway } from '../../gateway/store/ledger-writer.ts';
import { administer, draft, newSession, temporaryDirectory } from '../store/support.ts';
import { KeptLog, live, newKey, ORIGIN, readLedger } from './support.ts';

const damaged = expect.objectContaining({ code: 'LEDGER_DAMAGED' }) as Error;

/** A directory in which `count` records are signed, after `ledger.created`. */
async function signed(count: number, key = newKey()) {
  const directory = await temporaryDirectory();
  const gateway = await live(directory, { key });
  await gateway.append(count);
  const head = await gateway.ledger.signed();
  await gateway.end();
  return { directory, key, head };
}

/** A directory of a time before there was a ledger. */
async function withoutLedger(count: number) {
  const directory = await temporaryDirectory();
  const database = await Database.openForGateway(directory);
  const records = new Records(database.records, systemClock, 'gateway-1');
  await Promise.all(Array.from({ length: count }, () => records.append(draft.sessionOpen(newSession()))));
  await database.close();
  return directory;
}

const sql = (directory: string, statement: string) => administer(join(directory, 'sallyport.db'), statement);
const file = (directory: string, name: string) => join(directory, 'ledger', name);

describe('at its start a ledger', () => {
  it('goes on where it was left, again and again', async () => {
    const { directory, key, head } = await signed(200);
    const seen = [head];
    for (const count of [0, 56, 300]) {
      const gateway = await live(directory, { key });
      expect(gateway.news).toEqual([]);
      await gateway.append(count);
      seen.push(await gateway.ledger.signed());
      await gateway.end();
      await readLedger(directory, [gateway.ledger.key], seen);
    }
  });

  it('takes up what was recorded and not signed', async () => {
    const { directory, key, head } = await signed(200);
    const database = await Database.openForGateway(directory);
    const records = new Records(database.records, systemClock, 'gateway-1');
    await Promise.all(Array.from({ length: 1000 }, () => records.append(draft.sessionOpen(newSession()))));
    await database.close();
    const gateway = await live(directory, { key });
    expect((await gateway.ledger.signed()).size).toBe(1201);
    await readLedger(directory, [gateway.ledger.key], [head]);
  });

  it('takes in the records of an older data directory and says how many', async () => {
    const directory = await withoutLedger(700);
    const gateway = await live(directory, { key: newKey(), origin: ORIGIN });
    expect(gateway.news).toEqual([
      { type: 'ledger.created', body: { origin: ORIGIN, key: formatVerifierKey(gateway.ledger.key), taken: 700 } },
    ]);
    expect((await gateway.ledger.signed()).size).toBe(701);
    await readLedger(directory, [gateway.ledger.key]);
  });

  it('is created once, also when that was interrupted before it was recorded', async () => {
    const directory = await withoutLedger(3);
    const key = newKey();
    const database = await Database.openForGateway(directory);
    const parts = { storage: openLedgerForGateway(directory), records: database.records, clock: systemClock, log: new KeptLog() };
    await openLedger({ key, newOrigin: () => ORIGIN }, parts); // And its news is never recorded.
    await database.close();
    const again = await live(directory, { key, newOrigin: () => 'example.com/another' });
    expect(again.news).toMatchObject([{ type: 'ledger.created', body: { origin: ORIGIN, taken: 3 } }]);
    await again.end();
    const last = await live(directory, { key });
    expect(last.news).toEqual([]);
  });

  it('makes tiles anew that are missing, from records with the signed root', async () => {
    for (const gone of ['tile', 'tile/0/001', 'tile/1', 'tile/entries', 'tile/0/002.p']) {
      const { directory, key, head } = await signed(699);
      await rm(file(directory, gone), { recursive: true });
      const gateway = await live(directory, { key });
      expect(gateway.log.lines.map(({ level }) => level)).toContain('warn');
      await gateway.end();
      expect((await readLedger(directory, [gateway.ledger.key], [head])).size).toBe(700);
    }
  });

  it('does not make anything of records that have another root', async () => {
    const { directory, key } = await signed(699);
    await sql(directory, 'UPDATE records SET hash = zeroblob(32) WHERE seq = 17');
    await rm(file(directory, 'tile/0/001'));
    await expect(live(directory, { key })).rejects.toThrow(damaged);
    await expect(readFile(file(directory, 'tile/0/001'))).rejects.toThrow('ENOENT');
  });

  it.each([
    [
      'the last records were deleted',
      (directory: string) => sql(directory, 'DELETE FROM records WHERE seq > 600'),
      'covers 700 records, and the database has 600',
    ],
    ['all records were deleted', (directory: string) => sql(directory, 'DELETE FROM records'), 'the database has 0'],
    [
      'a record at the edge was altered',
      (directory: string) => sql(directory, 'UPDATE records SET hash = zeroblob(32) WHERE seq = 650'),
      'record 649 was altered',
    ],
    [
      'a record at the edge was deleted',
      (directory: string) => sql(directory, 'DELETE FROM records WHERE seq = 650'),
      'record 649 is missing',
    ],
    [
      'a tile at the edge was altered',
      (directory: string) => writeFile(file(directory, 'tile/0/002.p/188'), Buffer.alloc(188 * 32)),
      'tiles were altered',
    ],
    [
      'a tile at the edge was cut short',
      (directory: string) => writeFile(file(directory, 'tile/0/002.p/188'), Buffer.alloc(31)),
      'does not hold 188',
    ],
    [
      'a tile above was altered',
      (directory: string) => writeFile(file(directory, 'tile/1/000.p/2'), Buffer.alloc(64)),
      'tiles were altered',
    ],
    ['the checkpoint is gone', (directory: string) => rm(file(directory, 'checkpoint')), 'ledger/checkpoint is missing'],
    ['the checkpoint is no text', (directory: string) => writeFile(file(directory, 'checkpoint'), Buffer.of(0xff, 0xfe)), 'not text'],
    [
      'the checkpoint is huge',
      (directory: string) => writeFile(file(directory, 'checkpoint'), Buffer.alloc(10_000_000, 'x')),
      'larger than',
    ],
  ])('refuses to go on when %s', async (_, damage, words) => {
    const { directory, key } = await signed(699);
    await damage(directory);
    const before = await readFile(file(directory, 'checkpoint')).catch(() => undefined);
    const failure = await live(directory, { key }).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'LEDGER_DAMAGED', message: expect.stringContaining(words), remedy: expect.any(String) });
    // What is there is evidence.
    const after = await readFile(file(directory, 'checkpoint')).catch(() => undefined);
    expect(after?.toString('latin1')).toBe(before?.toString('latin1'));
  });

  it('refuses an older checkpoint that does not fit, and takes one that does', async () => {
    const { directory, key, head } = await signed(300);
    const gateway = await live(directory, { key });
    await gateway.append(300);
    await gateway.end();
    await writeFile(file(directory, 'checkpoint'), head.note);
    const older = await live(directory, { key });
    expect((await older.ledger.signed()).size).toBe(601);
    await older.end();
    const stranger = await signed(300, key);
    await writeFile(file(directory, 'checkpoint'), stranger.head.note);
    await expect(live(directory, { key })).rejects.toThrow(damaged);
  });

  it('refuses a checkpoint that was edited, or is none', async () => {
    const { directory, key, head } = await signed(10);
    await writeFile(file(directory, 'checkpoint'), head.note.replace('\n11\n', '\n10\n'));
    await expect(live(directory, { key })).rejects.toMatchObject({ code: 'LEDGER_SIGNATURE_INVALID' });
    await writeFile(file(directory, 'checkpoint'), 'no checkpoint\n');
    await expect(live(directory, { key })).rejects.toMatchObject({ code: 'LEDGER_NOTE_INVALID' });
  });

  it('refuses the tiles of another ledger where there is no checkpoint', async () => {
    const { directory: other } = await signed(10);
    const directory = await withoutLedger(10);
    await cp(file(other, 'tile'), file(directory, 'tile'), { recursive: true });
    await expect(live(directory, { key: newKey() })).rejects.toThrow(damaged);
    const empty = await withoutLedger(0);
    await cp(file(other, 'tile'), file(empty, 'tile'), { recursive: true });
    await expect(live(empty, { key: newKey() })).rejects.toThrow(damaged);
  });
});

describe('a key of the ledger', () => {
  const keyOf = (key: ReturnType<typeof newKey>) => noteSigner(ORIGIN, key).key;

  it('is not replaced by another without a word', async () => {
    const { directory, key, head } = await signed(10);
    await expect(live(directory, { key: newKey() })).rejects.toMatchObject({ code: 'LEDGER_KEY_CHANGED' });
    await expect(live(directory, { key: newKey(), former: newKey() })).rejects.toMatchObject({ code: 'LEDGER_KEY_CHANGED' });
    await expect(live(directory, { key, origin: 'example.com/other' })).rejects.toMatchObject({ code: 'LEDGER_KEY_CHANGED' });
    expect(await readFile(file(directory, 'checkpoint'), 'utf8')).toBe(head.note);
  });

  it('is endorsed by the one before it, on the checkpoint that covers the change', async () => {
    const { directory, key: former, head } = await signed(300);
    const key = newKey();
    const gateway = await live(directory, { key, former });
    const [previous, next] = [former, key].map((one) => formatVerifierKey(keyOf(one)));
    expect(gateway.news).toEqual([{ type: 'key.rotated', body: { origin: ORIGIN, previous, next, endorsed: true } }]);
    const endorsed = await gateway.ledger.signed();
    expect(openNote(endorsed.note, [keyOf(former)]).signedBy).toHaveLength(1);
    expect(openNote(endorsed.note, [keyOf(key)]).signedBy).toHaveLength(1);
    await gateway.append(1);
    const after = await gateway.ledger.signed();
    expect(() => openNote(after.note, [keyOf(former)])).toThrow();
    expect(await readFile(file(directory, 'endorsed/302'), 'utf8')).toBe(endorsed.note);
    await gateway.end();
    await readLedger(directory, [keyOf(key)], [head, endorsed]);
    // Naming the former key for longer changes nothing.
    const next1 = await live(directory, { key, former });
    expect(next1.news).toEqual([]);
    expect(() => openNote(next1.ledger.head.note, [keyOf(former)])).toThrow();
  });

  it('is endorsed also when the gateway died between the record and the checkpoint', async () => {
    const { directory, key: former } = await signed(10);
    const copy = await temporaryDirectory();
    await cp(file(directory, ''), copy, { recursive: true });
    const key = newKey();
    await (await live(directory, { key, former })).end();
    await rm(file(directory, ''), { recursive: true });
    await cp(copy, file(directory, ''), { recursive: true });
    const gateway = await live(directory, { key, former });
    expect(gateway.news).toEqual([]);
    const head = await gateway.ledger.signed();
    expect(openNote(head.note, [keyOf(former)]).signedBy).toHaveLength(1);
    expect(openNote(head.note, [keyOf(key)]).signedBy).toHaveLength(1);
  });

  it('is endorsed also when the gateway died between a checkpoint of both and the record', async () => {
    const { directory, key: former, head } = await signed(10);
    const key = newKey();
    const both = signNote(formatCheckpoint(head), [noteSigner(ORIGIN, key), noteSigner(ORIGIN, former)]);
    await writeFile(file(directory, 'checkpoint'), both);
    const gateway = await live(directory, { key, former });
    expect(gateway.news).toMatchObject([{ type: 'key.rotated', body: { endorsed: true } }]);
    const endorsed = await gateway.ledger.signed();
    expect(openNote(endorsed.note, [keyOf(former)]).signedBy).toHaveLength(1);
    expect(await readFile(file(directory, 'endorsed/12'), 'utf8')).toBe(endorsed.note);
  });

  it('may be said to be lost, and then the records say that nobody endorsed the next', async () => {
    const { directory, key: lost, head } = await signed(10);
    const key = newKey();
    const gateway = await live(directory, { key, former: 'lost' });
    expect(gateway.news).toMatchObject([{ type: 'key.rotated', body: { endorsed: false } }]);
    const next = await gateway.ledger.signed();
    expect(() => openNote(next.note, [keyOf(lost)])).toThrow();
    await gateway.end();
    await readLedger(directory, [keyOf(key)], [head]);
    await (await live(directory, { key })).end();
  });

  it('that is said to be lost still has to have signed the last checkpoint', async () => {
    const { directory, head } = await signed(10);
    await writeFile(
      file(directory, 'checkpoint'),
      head.note.replace(/— .*\n/, (line) => `${line.slice(0, 40)}AAAA${line.slice(44)}`),
    );
    await expect(live(directory, { key: newKey(), former: 'lost' })).rejects.toMatchObject({ code: expect.stringMatching(/^LEDGER_/) });
  });
});
