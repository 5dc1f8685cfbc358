import { EMPTY_ROOT, HASH_BYTES, nodeHash, perfectRoot, sameHash } from './merkle.ts';
import { requireTile, TILE_WIDTH, type TileSource, tileWidth } from './tiles.ts';

/**
 * Inclusion and consistency proofs (RFC 6962 section 2.1), made from tiles and checked with nothing but hashes (RFC
 * 9162 sections 2.1.3.2 and 2.1.4.2). Sizes go up to 2^53, so there are no bit operations here.
 */

/** Binary levels of the tree that one tile spans. */
const TILE_HEIGHT = 8;

/** The hashes beside the path from leaf `index` to the root of the tree of `size` leaves, from the leaf upwards. */
export async function inclusionProof(source: TileSource, index: number, size: number): Promise<Uint8Array[]> {
  if (!isCount(index) || !isCount(size) || index >= size) throw new RangeError(`there is no leaf ${index} in a tree of ${size}`);
  const roots = new SubtreeRoots(source, size);
  const ranges: Range[] = [];
  for (let begin = 0, end = size; end - begin > 1; ) {
    const middle = begin + splitOf(end - begin);
    ranges.unshift(index < middle ? [middle, end] : [begin, middle]);
    if (index < middle) end = middle;
    else begin = middle;
  }
  return roots.all(ranges);
}

/** What shows that the tree of `to` leaves begins with the tree of `from` leaves. */
export async function consistencyProof(source: TileSource, from: number, to: number): Promise<Uint8Array[]> {
  if (!isCount(from) || !isCount(to) || from > to) throw new RangeError(`a tree of ${to} leaves cannot have grown from one of ${from}`);
  if (from === 0 || from === to) return [];
  const ranges: Range[] = [];
  let [begin, end] = [0, to];
  while (end !== from) {
    const middle = begin + splitOf(end - begin);
    ranges.unshift(from <= middle ? [middle, end] : [begin, middle]);
    if (from <= middle) end = middle;
    else begin = middle;
  }
  // A whole old tree is known to the verifier; only where the walk ended in a part of it is that part's root told.
  if (begin > 0) ranges.unshift([begin, end]);
  return new SubtreeRoots(source, to).all(ranges);
}

/** Whether `leaf`, a leaf hash, is at `index` in the tree of `size` leaves with this root. */
export function verifyInclusion(leaf: Uint8Array, index: number, size: number, proof: readonly Uint8Array[], root: Uint8Array): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      // At the ragged right edge a subtree without a neighbour is carried upwards as it is.
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameHash(hash, root);
}

/** Whether the tree of `to` leaves with `toRoot` begins with the tree of `from` leaves with `fromRoot`. */
export function verifyConsistency(
  from: number,
  to: number,
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isCount(from) || !isCount(to) || from > to || !areHashes([fromRoot, toRoot, ...proof])) return false;
  if (from === 0) return proof.length === 0 && sameHash(fromRoot, EMPTY_ROOT) && (to > 0 || sameHash(toRoot, EMPTY_ROOT));
  if (from === to) return proof.length === 0 && sameHash(fromRoot, toRoot);
  const [first, ...rest] = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof;
  if (first === undefined) return false;
  let [node, last] = [from - 1, to - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [oldHash, newHash] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameHash(oldHash, fromRoot) && sameHash(newHash, toRoot);
}

/** The root that the tiles of a tree of `size` leaves add up to. Reads only the tiles at the right edge. */
export async function rootFromTiles(source: TileSource, size: number): Promise<Uint8Array> {
  if (size === 0) return EMPTY_ROOT;
  const [root] = await new SubtreeRoots(source, size).all([[0, size]]);
  return root as Uint8Array;
}

/** Leaves from the first number to before the second. */
type Range = readonly [begin: number, end: number];

/** Roots of the subtrees of one tree. Every tile is asked for once. */
class SubtreeRoots {
  readonly #source: TileSource;
  readonly #size: number;
  readonly #tiles = new Map<string, Promise<Uint8Array>>();

  constructor(source: TileSource, size: number) {
    this.#source = source;
    this.#size = size;
  }

  async all(ranges: readonly Range[]): Promise<Uint8Array[]> {
    const roots: Uint8Array[] = [];
    // One after the other, so that a rejection leaves no other read behind.
    for (const range of ranges) roots.push(await this.#root(range));
    return roots;
  }

  async #root([begin, end]: Range): Promise<Uint8Array> {
    const leaves = end - begin;
    if (isPowerOfTwo(leaves)) return this.#perfect(Math.round(Math.log2(leaves)), begin);
    const middle = begin + splitOf(leaves);
    const left = await this.#root([begin, middle]);
    return nodeHash(left, await this.#root([middle, end]));
  }

  /** Of the 2^height leaves from `begin` on, which is a multiple of that number. */
  async #perfect(height: number, begin: number): Promise<Uint8Array> {
    const level = Math.floor(height / TILE_HEIGHT);
    const first = begin / TILE_WIDTH ** level;
    const index = Math.floor(first / TILE_WIDTH);
    const tile = await this.#tile(level, index);
    const offset = (first - index * TILE_WIDTH) * HASH_BYTES;
    return perfectRoot(tile.subarray(offset, offset + 2 ** (height % TILE_HEIGHT) * HASH_BYTES));
  }

  #tile(level: number, index: number): Promise<Uint8Array> {
    const key = `${level}/${index}`;
    let tile = this.#tiles.get(key);
    if (tile === undefined) {
      const width = tileWidth(level, index, this.#size);
      tile = this.#source.tile(level, index, width).then((bytes) => requireTile(bytes, { level, index, width }));
      this.#tiles.set(key, tile);
    }
    return tile;
  }
}

/** The largest power of two below `leaves`, which is where RFC 6962 splits a tree of more than one leaf. */
function splitOf(leaves: number): number {
  let split = 1;
  while (split * 2 < leaves) split *= 2;
  return split;
}

function isPowerOfTwo(count: number): boolean {
  return count === 1 || splitOf(count) * 2 === count;
}

function half(number: number): number {
  return Math.floor(number / 2);
}

function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}
