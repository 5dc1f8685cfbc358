import { createHash } from 'node:crypto';
import { GrowingTree } from '../../gateway/ledger/growing-tree.ts';
import { type TileSource, tilePath } from '../../gateway/ledger/tiles.ts';

/** Entry `index` of every tree in these tests: 32 bytes that nobody else has. */
export function entryOf(index: number): Uint8Array {
  return createHash('sha256').update(`entry ${index}`).digest();
}

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
};

/** MTH of RFC 6962 section 2.1, word for word: slow, and sure. */
export function rootOf(entries: readonly Uint8Array[]): Buffer {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Buffer.of(0), entries[0] as Uint8Array);
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  return sha256(Buffer.of(1), rootOf(entries.slice(0, split)), rootOf(entries.slice(split)));
}

/** The tiles of a tree of `size` entries at any size up to it, in memory. */
export function tilesOfTree(size: number, entry = entryOf): TileSource & { root: Uint8Array; files: ReadonlyMap<string, Uint8Array> } {
  const tree = new GrowingTree();
  for (let index = 0; index < size; index += 1) tree.append(entry(index));
  const files = new Map([...tree.takeFull(), ...tree.partial()].map(({ level, index, bytes }) => [tilePath(level, index, 256), bytes]));
  return {
    root: tree.root(),
    files,
    tile: (level, index, width) => Promise.resolve((files.get(tilePath(level, index, 256)) ?? Buffer.alloc(0)).subarray(0, width * 32)),
  };
}
