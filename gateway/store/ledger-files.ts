import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TILE_WIDTH, type TileAddress, tilePath } from '../../contract/ledger-tiles.ts';
import { SallyportError } from '../base/errors.ts';
import type { LedgerReader } from '../ledger/ledger-storage.ts';
import { isMissing, readAtMost } from './read-at-most.ts';

const HASH_BYTES = 32;
const MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES;
/** Entries of Sallyport have 32 bytes; the format allows 65535 each, and nobody's file makes this process hold all that. */
const MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + 1024);
const MAX_CHECKPOINT_BYTES = 256 * 1024;

/** Reads the ledger's files below a data directory: for the gateway itself, and beside a running one. */
export function openLedgerFiles(dataDirectory: string): LedgerReader {
  const directory = join(dataDirectory, 'ledger');
  const find = (address: TileAddress) => findTile(directory, address);
  const present = async (address: TileAddress) => (await find(address)) ?? Promise.reject(missing(address));
  return {
    checkpoint: () => readCheckpoint(directory),
    find,
    tile: (level, index, width) => present({ level, index, width }),
    entries: (index, width) => present({ level: 'entries', index, width }),
  };
}

async function readCheckpoint(directory: string): Promise<string | undefined> {
  const bytes = await readAtMost(join(directory, 'checkpoint'), MAX_CHECKPOINT_BYTES);
  if (bytes === undefined) return undefined;
  if (bytes === 'other') throw damaged('ledger/checkpoint is not a file');
  if (bytes.length > MAX_CHECKPOINT_BYTES) throw damaged(`ledger/checkpoint is larger than ${MAX_CHECKPOINT_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (thrown) {
    throw damaged('ledger/checkpoint is not text', thrown);
  }
}

async function findTile(directory: string, address: TileAddress): Promise<Uint8Array | undefined> {
  for await (const width of widthsFor(directory, address)) {
    const path = tilePath(address.level, address.index, width);
    const limit = address.level === 'entries' ? MAX_BUNDLE_BYTES : MAX_TILE_BYTES;
    const bytes = await readAtMost(join(directory, path), limit);
    if (bytes === undefined) continue; // It became a full tile and was deleted since its folder was listed.
    const part = bytes === 'other' || bytes.length > limit ? undefined : beginning(bytes, address, width);
    if (part === undefined) throw damaged(`ledger/${path} does not hold ${width} ${address.level === 'entries' ? 'entries' : 'hashes'}`);
    return part;
  }
  return undefined;
}

/** Widths under which the wanted one may be found: itself, the full tile, then partial tiles that are wider. */
async function* widthsFor(directory: string, { level, index, width }: TileAddress): AsyncGenerator<number> {
  yield width;
  if (width === TILE_WIDTH) return;
  yield TILE_WIDTH;
  const partials = join(directory, tilePath(level, index, TILE_WIDTH));
  const names = await readdir(`${partials}.p`).catch((thrown: unknown) => (isMissing(thrown) ? [] : Promise.reject(thrown as Error)));
  const wider = names.filter((name) => /^[1-9][0-9]{0,2}$/.test(name) && Number(name) > width && Number(name) < TILE_WIDTH);
  yield* wider.map(Number).sort((a, b) => a - b);
  yield TILE_WIDTH; // Became full while the folder was listed.
}

/** The first hashes or entries of a tile of `width`, as many as `address` asks for; undefined when it is not that wide. */
function beginning(bytes: Uint8Array, address: TileAddress, width: number): Uint8Array | undefined {
  if (address.level !== 'entries') return bytes.length === width * HASH_BYTES ? bytes.subarray(0, address.width * HASH_BYTES) : undefined;
  let end = 0;
  let cut = 0;
  let count = 0;
  for (; end < bytes.length && count < width; count += 1) {
    if (count === address.width) cut = end;
    end += 2 + (((bytes[end] ?? 0) << 8) | (bytes[end + 1] ?? 0));
  }
  if (end !== bytes.length || count !== width) return undefined;
  return bytes.subarray(0, address.width === width ? end : cut);
}

function missing(address: TileAddress): SallyportError {
  return damaged(`ledger/${tilePath(address.level, address.index, address.width)} is missing`);
}

function damaged(what: string, cause?: unknown): SallyportError {
  return new SallyportError('LEDGER_DAMAGED', `The ledger is damaged: ${what}`, {
    remedy: 'sallyport verify says what is wrong and where',
    ...(cause === undefined ? {} : { cause }),
  });
}
