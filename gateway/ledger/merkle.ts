import { hash } from 'node:crypto';

/** The Merkle tree of RFC 6962 section 2.1 with SHA-256: what two hashes, or one entry, become. */

export const HASH_BYTES = 32;

/** The root of a tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = hash('sha256', '', 'buffer');

/** The prefixes keep a leaf from being passed off as a node, and a node as a leaf. */
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

// Written anew for every hash and never handed out: a million leaves would otherwise allocate two million inputs.
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);
const shortLeafInput = Buffer.alloc(1 + HASH_BYTES, LEAF_PREFIX);

/**
 * SHA-256. The digest comes as text and is copied into a buffer of Node's pool: a buffer that OpenSSL's binding makes for
 * each digest costs three times as much as the hashing of a node.
 */
export function sha256(input: Uint8Array): Uint8Array {
  return Buffer.from(hash('sha256', input, 'binary'), 'latin1');
}

/** The hash of one entry as a leaf. */
export function leafHash(entry: Uint8Array): Uint8Array {
  if (entry.length !== HASH_BYTES) return sha256(Buffer.concat([Buffer.of(LEAF_PREFIX), entry]));
  shortLeafInput.set(entry, 1);
  return sha256(shortLeafInput);
}

/** The hash of two neighbours, 32 bytes each. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new RangeError('a node is made of two hashes of 32 bytes');
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

export function sameHash(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** The root of a perfect tree over `hashes`, whose number of hashes of 32 bytes each is a power of two. */
export function perfectRoot(hashes: Uint8Array): Uint8Array {
  let level: Uint8Array[] = splitHashes(hashes);
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let index = 0; index < level.length; index += 2) above.push(nodeHash(level[index] as Uint8Array, level[index + 1] as Uint8Array));
    level = above;
  }
  return level[0] as Uint8Array;
}

/** Views of the concatenated hashes. Throws RangeError when their length is no positive multiple of 32. */
export function splitHashes(hashes: Uint8Array): Uint8Array[] {
  const count = hashes.length / HASH_BYTES;
  if (!Number.isInteger(count) || count === 0) throw new RangeError(`${hashes.length} bytes are not hashes of 32 bytes each`);
  return Array.from({ length: count }, (_, index) => hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
}
