import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entriesBytes, parseEntries, tilePath } from '../../gateway/ledger/tiles.ts';
import { openLedgerFiles } from '../../gateway/store/ledger-files.ts';
import { openLedgerForGateway } from '../../gateway/store/ledger-writer.ts';
import { entryOf } from '../ledger/tree.ts';
import { temporaryDirectory } from './support.ts';

const entries = Array.from({ length: 256 }, (_, index) => entryOf(index));
const hashes = Buffer.concat(entries);
const damaged = expect.objectContaining({ code: 'LEDGER_DAMAGED' }) as Error;

async function put(directory: string, path: string, bytes: Uint8Array): Promise<void> {
  const file = join(directory, 'ledger', path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

describe('a tile', () => {
  it.each(['tile/0/x001/007', 'tile/0/x001/007.p/200', 'tile/0/x001/007.p/10'])('is found as part of %s', async (path) => {
    const directory = await temporaryDirectory();
    const width = path.includes('.p/') ? Number(path.split('/').at(-1)) : 256;
    await put(directory, path, hashes.subarray(0, width * 32));
    await put(directory, path.replace('/0/', '/entries/'), entriesBytes(entries.slice(0, width)));
    await put(directory, 'tile/0/x001/007.p/9', hashes.subarray(32, 10 * 32));
    await put(directory, 'tile/0/x001/007.p/11.tmp', Buffer.alloc(3));
    const files = openLedgerFiles(directory);
    expect(Buffer.from(await files.tile(0, 1007, 10))).toEqual(hashes.subarray(0, 320));
    expect(parseEntries(await files.entries(1007, 10), 10).map((entry) => Buffer.from(entry))).toEqual(entries.slice(0, 10));
    expect((await files.find({ level: 0, index: 1007, width: 256 }))?.length).toBe(width === 256 ? 8192 : undefined);
  });

  it('that is not there is undefined to those who ask, and damage to those who need it', async () => {
    const directory = await temporaryDirectory();
    const files = openLedgerFiles(directory);
    expect(await files.find({ level: 3, index: 0, width: 1 })).toBeUndefined();
    expect(await files.checkpoint()).toBeUndefined();
    await expect(files.tile(3, 0, 1)).rejects.toThrow(damaged);
    await expect(files.entries(0, 256)).rejects.toThrow(damaged);
  });

  it.each([
    ['is short', 'tile/0/000', hashes.subarray(0, 8191)],
    ['is long', 'tile/0/000', Buffer.concat([hashes, Buffer.of(0)])],
    ['is empty', 'tile/0/000', Buffer.alloc(0)],
    ['is huge', 'tile/0/000', Buffer.alloc(50_000_000)],
    ['is partial and has a hash too many', 'tile/0/000.p/20', hashes.subarray(0, 21 * 32)],
  ])('that %s is damage', async (_, path, bytes) => {
    const directory = await temporaryDirectory();
    await put(directory, path, bytes);
    await expect(openLedgerFiles(directory).tile(0, 0, 10)).rejects.toThrow(damaged);
  });

  it.each([
    ['ends within an entry', entriesBytes(entries).subarray(0, -1)],
    ['has an entry too few', entriesBytes(entries.slice(1))],
    ['has an entry too many', entriesBytes([...entries, entryOf(0)])],
    ['claims an entry that is longer than the file', Buffer.from('ffff00', 'hex')],
    ['is huge', Buffer.alloc(50_000_000)],
  ])('of entries that %s is damage', async (_, bytes) => {
    const directory = await temporaryDirectory();
    await put(directory, 'tile/entries/000', bytes);
    for (const width of [10, 256]) await expect(openLedgerFiles(directory).entries(0, width)).rejects.toThrow(damaged);
  });
});

describe('what is no file', () => {
  it.each([
    ['a folder', (file: string) => mkdir(file, { recursive: true })],
    ['a named pipe', (file: string) => execFileSync('sh', ['-c', `mkdir -p "$(dirname "$1")" && mkfifo "$1"`, 'sh', file])],
  ])('is damage where a tile or the checkpoint should be: %s', async (_, make) => {
    const directory = await temporaryDirectory();
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000']) await make(join(directory, 'ledger', path));
    const files = openLedgerFiles(directory);
    await expect(files.checkpoint()).rejects.toThrow(damaged);
    await expect(files.tile(0, 0, 256)).rejects.toThrow(damaged);
    await expect(files.entries(0, 7)).rejects.toThrow(damaged);
  });
});

describe('the gateway', () => {
  it('writes what readers find, and says what is missing of it', async () => {
    const directory = await temporaryDirectory();
    const storage = openLedgerForGateway(directory);
    const files = Array.from({ length: 2300 }, (_, index) => ({ level: 0, index, width: 256, bytes: hashes }));
    await mkdir(join(directory, 'ledger'));
    await storage.writeTiles(files);
    const size = 2300 * 256;
    const others = (await storage.missing(size)).filter(({ level }) => level === 0);
    expect(others).toEqual([]);
    await rm(join(directory, 'ledger', tilePath(0, 1000, 256)));
    await rm(join(directory, 'ledger', tilePath(0, 2299, 256)));
    expect((await storage.missing(size)).filter(({ level }) => level === 0)).toEqual([
      { level: 0, index: 1000, width: 256 },
      { level: 0, index: 2299, width: 256 },
    ]);
    expect((await storage.missing(size)).filter(({ level }) => level === 'entries')).toHaveLength(2300);
  });

  it('deletes partial tiles, also where there are none', async () => {
    const directory = await temporaryDirectory();
    const storage = openLedgerForGateway(directory);
    await put(directory, 'tile/0/000.p/7', hashes.subarray(0, 7 * 32));
    await storage.removePartial({ level: 0, index: 0, width: 256 });
    expect(await storage.find({ level: 0, index: 0, width: 7 })).toBeUndefined();
    await storage.removePartial({ level: 0, index: 0, width: 256 });
  });
});
