import { EMPTY_ROOT, nodeHash } from './merkle.ts';

/**
 * The root of a growing list of leaves in memory that grows with the logarithm of their number: the roots of the
 * perfect subtrees that the list consists of, largest first, one for every one bit of the size.
 */
export class MerkleFrontier {
  readonly #peaks: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `leaf` is a leaf hash of 32 bytes, and is not copied. */
  append(leaf: Uint8Array): void {
    let peak = leaf;
    // As in counting: every trailing one bit of the size is a subtree that the new one completes.
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) peak = nodeHash(this.#peaks.pop() as Uint8Array, peak);
    this.#peaks.push(peak);
    this.#size += 1;
  }

  root(): Uint8Array {
    if (this.#size === 0) return EMPTY_ROOT;
    return this.#peaks.reduceRight((right, left) => nodeHash(left, right));
  }
}
