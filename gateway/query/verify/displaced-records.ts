import { type Finding, fault } from './finding.ts';

/** Kept at a time. A log of which more is out of place is not explained record by record. */
const MOST_KEPT = 50_000;

interface Run {
  /** Where they stand, and where they were recorded. */
  at: number;
  recorded: number;
  count: number;
}

/**
 * Tells records that were moved from those that were removed, added or replaced: what stands in the wrong place is looked
 * for in what is missed elsewhere. After one removal all later records are out of place by one, so both sides are
 * matched as they come and only what has no counterpart yet is kept.
 */
export class DisplacedRecords {
  /** Leaf hash to where a record with it stands. */
  readonly #standing = new Map<string, number>();
  /** Leaf hash to where the ledger has it. */
  readonly #missed = new Map<string, number>();
  readonly #moved: Run[] = [];
  #beyond = 0;

  /** A record stands at `index` whose leaf hash the ledger has not there. */
  standing(index: number, leaf: Uint8Array): void {
    const key = keyOf(leaf);
    const recorded = this.#missed.get(key);
    if (recorded !== undefined) {
      this.#missed.delete(key);
      this.#move(index, recorded);
    } else if (this.#standing.size < MOST_KEPT) this.#standing.set(key, index);
    else this.#beyond += 1;
  }

  /** The ledger has this leaf hash at `index`, and no record with it stands there. */
  missed(index: number, leaf: Uint8Array): void {
    const key = keyOf(leaf);
    const at = this.#standing.get(key);
    if (at !== undefined) {
      this.#standing.delete(key);
      this.#move(at, index);
    } else if (this.#missed.size < MOST_KEPT) this.#missed.set(key, index);
    else this.#beyond += 1;
  }

  /** `from`: indexes from there on are not covered by the ledger, so nothing was added there. */
  *findings(from: number): Generator<Finding> {
    for (const { at, recorded, count } of this.#moved) {
      const words =
        count === 1
          ? `The record at index ${at} was recorded at index ${recorded}`
          : `The ${count} records from index ${at} on were recorded from index ${recorded} on`;
      yield fault(
        'reordered',
        { index: at, ...(count === 1 ? {} : { last: at + count - 1 }) },
        `${words}: the order was changed, or records before them were removed or added`,
      );
    }
    const missed = new Set(this.#missed.values());
    const standing = new Set([...this.#standing.values()].filter((index) => index < from));
    for (const index of [...standing].sort((a, b) => a - b)) {
      const replaced = missed.delete(index);
      yield replaced
        ? fault(
            'altered',
            { index },
            'The record is not the one that was recorded here: its bytes and the hash beside them were changed, and the ledger has the hash of the true one',
          )
        : fault('added', { index }, 'A record stands here that was never recorded: the ledger does not have it');
    }
    for (const { first, last } of runs([...missed].sort((a, b) => a - b)))
      yield fault(
        'missing',
        first === last ? { index: first } : { index: first, last },
        `${first === last ? 'A record was' : `${last - first + 1} records were`} recorded here and ${first === last ? 'is' : 'are'} gone: the ledger still has ${first === last ? 'its hash' : 'their hashes'}`,
      );
    if (this.#beyond > 0) yield fault('altered', {}, `${this.#beyond} more records are not what the ledger has at their indexes`);
  }

  #move(at: number, recorded: number): void {
    const last = this.#moved.at(-1);
    if (last !== undefined && at === last.at + last.count && recorded === last.recorded + last.count) last.count += 1;
    else if (this.#moved.length < MOST_KEPT) this.#moved.push({ at, recorded, count: 1 });
    else this.#beyond += 1;
  }
}

export function* runs(ascending: readonly number[]): Generator<{ first: number; last: number }> {
  let first = ascending[0];
  let last = first;
  for (const index of ascending.slice(1)) {
    if (index === (last as number) + 1) {
      last = index;
      continue;
    }
    yield { first: first as number, last: last as number };
    first = index;
    last = index;
  }
  if (first !== undefined) yield { first, last: last as number };
}

function keyOf(leaf: Uint8Array): string {
  return Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength).toString('latin1');
}
