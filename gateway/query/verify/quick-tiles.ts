import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerReader } from '../../ledger/ledger-storage.ts';
import { TILE_WIDTH, tilePath } from '../../ledger/tiles.ts';

/** A full tile has 256 hashes, and a full bundle of entries has each of them after its length. */
const FULL_BYTES = { tile: TILE_WIDTH * 32, entries: TILE_WIDTH * 34 };

/**
 * Reads full tiles in one go: a ledger of a million records has eight thousand files of 8 KiB, and a way through the
 * thread pool for each step of each of them takes longer than all the hashing. Whatever is not as it should be is left
 * to the reader behind it, which says what is wrong.
 */
export function readQuickly(files: LedgerReader, dataDirectory: string): LedgerReader {
  return {
    ...files,
    find: (address) => {
      const { level, index, width } = address;
      const bytes =
        width === TILE_WIDTH
          ? readWhole(join(dataDirectory, 'ledger', tilePath(level, index, width)), FULL_BYTES[level === 'entries' ? 'entries' : 'tile'])
          : undefined;
      return bytes === undefined ? files.find(address) : Promise.resolve(bytes);
    },
  };
}

function readWhole(path: string, length: number): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { size } = fstatSync(file);
    const bytes = Buffer.allocUnsafeSlow(length);
    return size === length && readSync(file, bytes, 0, length, 0) === length ? bytes : undefined;
  } catch {
    return undefined; // Missing or unreadable: the other reader says so.
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
