import { readdir, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TILE_WIDTH, type TileAddress, tilePath, tileWidth } from '../../contract/ledger-tiles.ts';
import type { LedgerStorage, TileFile } from '../ledger/ledger-storage.ts';
import { makeDirectory, replaceFile, syncDirectory } from './durable-file.ts';
import { openLedgerFiles } from './ledger-files.ts';
import { isMissing } from './read-at-most.ts';

/** The log is made to be given away; the data directory's own mode decides who gets at it. */
const MODE = 0o644;

/**
 * Files written at a time. Each takes several trips to other threads, and the trips of one file wait for each other; the
 * threads are also those of the database, which has to have its turn.
 */
const AT_A_TIME = 16;

/** The ledger's files below a data directory, for the one gateway that writes them. */
export function openLedgerForGateway(dataDirectory: string): LedgerStorage {
  const directory = join(dataDirectory, 'ledger');
  const reader = openLedgerFiles(dataDirectory);
  const made = new Set<string>();
  return {
    ...reader,
    writeTiles: (files) => writeTiles(directory, files, made),
    writeCheckpoint: async (note, endorsement) => {
      if (endorsement !== undefined) {
        await makeDirectory(join(directory, 'endorsed'));
        await replaceFile(join(directory, 'endorsed', String(endorsement.size)), note, MODE);
        await syncDirectory(join(directory, 'endorsed'));
      }
      await replaceFile(join(directory, 'checkpoint'), note, MODE);
      await syncDirectory(directory);
    },
    removePartial: async ({ level, index }) => {
      const folder = join(directory, `${tilePath(level, index, TILE_WIDTH)}.p`);
      made.delete(folder);
      await removeFolder(folder);
    },
    missing: async (size) => {
      const absent: TileAddress[] = [];
      for (const address of await unnamed(directory, size)) if ((await reader.find(address)) === undefined) absent.push(address);
      return absent;
    },
  };
}

/** `made`: folders that are known to be there. */
async function writeTiles(directory: string, files: readonly TileFile[], made: Set<string>): Promise<void> {
  const folders = new Set<string>();
  const waiting = files.values();
  const writeSome = async () => {
    for (const { level, index, width, bytes } of waiting) {
      const path = join(directory, tilePath(level, index, width));
      const folder = dirname(path);
      if (!made.has(folder)) await makeDirectory(folder);
      made.add(folder);
      folders.add(folder);
      await replaceFile(path, bytes, MODE);
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: AT_A_TIME }, writeSome));
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    made.clear(); // Somebody may have moved one away.
    throw outcome.reason;
  }
  for (const folder of folders) await syncDirectory(folder);
}

/** Tiles without a file of their own, which a wider one may still have. Reads folders of a thousand names, not each file. */
async function unnamed(directory: string, size: number): Promise<TileAddress[]> {
  const absent: TileAddress[] = [];
  const names = new Map<string, Set<string>>();
  const isThere = async (path: string) => {
    const folder = dirname(path);
    let known = names.get(folder);
    if (known === undefined) {
      names.clear(); // Folders come one after the other.
      known = await namesIn(join(directory, folder));
      names.set(folder, known);
    }
    return known.has(path.slice(folder.length + 1));
  };
  for (let level = 0; tileWidth(level, 0, size) > 0; level += 1) {
    for (const kind of level === 0 ? (['entries', 0] as const) : [level]) {
      for (let index = 0; ; index += 1) {
        const width = tileWidth(kind, index, size);
        if (width > 0 && !(await isThere(tilePath(kind, index, width)))) absent.push({ level: kind, index, width });
        if (width < TILE_WIDTH) break;
      }
    }
  }
  return absent;
}

/** One file after the other: `rm` with `recursive` would hold up the event loop for all of them at once. */
async function removeFolder(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) await unlink(join(folder, name));
  await rmdir(folder).catch((thrown: unknown) => (isMissing(thrown) ? undefined : Promise.reject(thrown as Error)));
}

async function namesIn(folder: string): Promise<Set<string>> {
  return new Set(await readdir(folder).catch((thrown: unknown) => (isMissing(thrown) ? [] : Promise.reject(thrown as Error))));
}
