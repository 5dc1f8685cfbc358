import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash, nodeHash } from '../../gateway/ledger/merkle.ts';
import { MerkleFrontier } from '../../gateway/ledger/merkle-frontier.ts';
import { consistencyProof, inclusionProof, rootFromTiles, verifyConsistency, verifyInclusion } from '../../gateway/ledger/proofs.ts';
import { entryOf, rootOf, tilesOfTree } from './tree.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => Buffer.from(text, 'hex');

describe('the tree of RFC 6962', () => {
  // Leaves, roots and proofs of Certificate Transparency's reference implementation (merkle_tree_test).
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ].map(bytes);

  it('has the known roots from no leaf to eight', () => {
    const frontier = new MerkleFrontier();
    expect(hex(frontier.root())).toBe(hex(roots[0] as Buffer));
    for (const [index, leaf] of leaves.entries()) {
      frontier.append(leafHash(bytes(leaf)));
      expect(hex(frontier.root())).toBe(hex(roots[index + 1] as Buffer));
    }
  });

  it('hashes leaves with one prefix and nodes with another', () => {
    expect(hex(leafHash(Buffer.from('L123456')))).toBe('395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56');
    const [left, right] = [leafHash(bytes('')), leafHash(bytes('00'))];
    expect(nodeHash(left, right)).not.toEqual(leafHash(Buffer.concat([left, right])));
  });

  it.each([
    [0, 1, []],
    [
      0,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      5,
      8,
      [
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
    [
      1,
      5,
      [
        '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
  ])('proves the inclusion of leaf %i in the tree of %i as it is known', (index, size, proof) => {
    const leaf = leafHash(bytes(leaves[index] as string));
    expect(verifyInclusion(leaf, index, size, proof.map(bytes), roots[size] as Buffer)).toBe(true);
  });

  it.each([
    [1, 1, []],
    [
      1,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      6,
      8,
      [
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [
      2,
      5,
      [
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
  ])('proves that the tree of %i grew into the tree of %i as it is known', (from, to, proof) => {
    expect(verifyConsistency(from, to, roots[from] as Buffer, roots[to] as Buffer, proof.map(bytes))).toBe(true);
  });
});

const LARGE = 66_000;
const large = tilesOfTree(LARGE);
const entries = Array.from({ length: LARGE }, (_, index) => entryOf(index));
const rootAt = (size: number) => rootOf(entries.slice(0, size));

/** Sizes where tiles begin and end count as much as all others. */
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 1200 }),
  fc.constantFrom(255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, LARGE),
  fc.integer({ min: 1, max: LARGE }),
);

/** One bit of one hash of a proof is another. */
function changed(proof: readonly Uint8Array[], at: number, bit: number): Uint8Array[] {
  const copies = proof.map((hash) => Uint8Array.from(hash));
  const hash = copies[at % copies.length] as Uint8Array;
  hash[(bit >> 3) % 32] = (hash[(bit >> 3) % 32] as number) ^ (1 << (bit % 8));
  return copies;
}

describe('proofs from tiles', () => {
  it('have the root of RFC 6962 at every size', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        expect(hex(await rootFromTiles(large, size))).toBe(hex(rootAt(size)));
      }),
      { numRuns: 15 },
    );
  });

  it('show every leaf of every small tree, and no other leaf in its place', async () => {
    for (let size = 1; size <= 35; size += 1) {
      const root = rootAt(size);
      for (let index = 0; index < size; index += 1) {
        const proof = await inclusionProof(large, index, size);
        for (let other = 0; other < size; other += 1)
          expect(verifyInclusion(leafHash(entryOf(other)), index, size, proof, root)).toBe(other === index);
        expect(verifyInclusion(leafHash(entryOf(index)), index + 1, size, proof, root)).toBe(false);
      }
    }
  });

  it('show every growth between small trees, and none from or to another tree', async () => {
    for (let to = 0; to <= 35; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const proof = await consistencyProof(large, from, to);
        expect(verifyConsistency(from, to, rootAt(from), rootAt(to), proof)).toBe(true);
        // Nothing is known of the tree that grew out of none.
        if (from === 0) continue;
        expect(verifyConsistency(from, to, rootAt(from - 1), rootAt(to), proof)).toBe(false);
        expect(verifyConsistency(from, to, rootAt(from), rootAt(to + 1), proof)).toBe(false);
      }
    }
  });

  it('hold at any size and leaf, and fail with any bit of them changed', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), fc.nat(), async (size, pick, at, bit) => {
        const index = pick % size;
        const root = await rootFromTiles(large, size);
        const leaf = leafHash(entryOf(index));
        const proof = await inclusionProof(large, index, size);
        expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true);
        expect(verifyInclusion(leaf, index, size, [...proof, leaf], root)).toBe(false);
        if (proof.length === 0) return;
        expect(verifyInclusion(leaf, index, size, changed(proof, at, bit), root)).toBe(false);
        expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).toBe(false);
        expect(verifyInclusion(leaf, index, size, proof.slice(0, -1), root)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('hold between any two sizes, and fail with any bit of them changed', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), fc.nat(), async (one, other, at, bit) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const [fromRoot, toRoot] = [await rootFromTiles(large, from), await rootFromTiles(large, to)];
        const proof = await consistencyProof(large, from, to);
        expect(verifyConsistency(from, to, fromRoot, toRoot, proof)).toBe(true);
        expect(verifyConsistency(from, to, fromRoot, toRoot, [...proof, toRoot])).toBe(false);
        if (proof.length === 0) return;
        expect(verifyConsistency(from, to, fromRoot, toRoot, changed(proof, at, bit))).toBe(false);
        expect(verifyConsistency(from, to, fromRoot, toRoot, proof.slice(1))).toBe(false);
        expect(verifyConsistency(from, to, fromRoot, toRoot, proof.slice(0, -1))).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('are false, and nothing worse, for numbers and hashes that make no sense', () => {
    const numbers = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(2 ** 53, 2 ** 53 - 1, -1, Number.NaN));
    const hashes = fc.uint8Array({ maxLength: 40 });
    const proofs = fc.array(fc.oneof(hashes, fc.uint8Array({ minLength: 32, maxLength: 32 })), { maxLength: 70 });
    fc.assert(
      fc.property(numbers, numbers, hashes, hashes, proofs, (from, to, fromHash, toHash, proof) => {
        expect(verifyInclusion(fromHash, from, to, proof, toHash)).toBe(false);
        expect(verifyConsistency(from, to, fromHash, toHash, proof)).toBe(false);
      }),
    );
  });

  it('are not made from tiles that are short', async () => {
    const short = { tile: async (level: number, index: number, width: number) => (await large.tile(level, index, width)).subarray(32) };
    await expect(inclusionProof(short, 3, 700)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
    await expect(rootFromTiles(short, 700)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
    await expect(inclusionProof(large, 7, 7)).rejects.toThrow(RangeError);
    await expect(consistencyProof(large, 8, 7)).rejects.toThrow(RangeError);
  });
});
