import { sha256 } from './sha256.ts';

/** The Merkle tree of RFC 6962, section 2.1, over SHA-256. */
export const HASH_BYTES = 32;

const leafInput = new Uint8Array(1 + HASH_BYTES);
const nodeInput = new Uint8Array(1 + 2 * HASH_BYTES);
nodeInput[0] = 1;

/** `entry` is the SHA-256 of a record. */
export function leafHash(entry: Uint8Array): Uint8Array {
  leafInput.set(entry, 1);
  return sha256(leafInput);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/** The roots of the perfect subtrees that a row of hashes consists of, largest first. */
export function peaksOf(hashes: readonly Uint8Array[]): Uint8Array[] {
  const peaks: Uint8Array[] = [];
  for (const [index, hash] of hashes.entries()) {
    let peak = hash;
    for (let size = index; size % 2 === 1; size = (size - 1) / 2) peak = nodeHash(peaks.pop() as Uint8Array, peak);
    peaks.push(peak);
  }
  return peaks;
}

/** The root over subtrees of falling size, at least one. */
export function foldPeaks(peaks: readonly Uint8Array[]): Uint8Array {
  return peaks.reduceRight((right, left) => nodeHash(left, right));
}
