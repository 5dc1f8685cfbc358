import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { formatCheckpoint } from '../../gateway/ledger/checkpoint.ts';
import { leafHash } from '../../gateway/ledger/merkle.ts';
import { MerkleFrontier } from '../../gateway/ledger/merkle-frontier.ts';
import { formatVerifierKey, type NoteSigner, noteSigner, signNote } from '../../gateway/ledger/signed-note.ts';
import { tilesOf } from '../../gateway/ledger/tiles.ts';
import { foldPeaks, peaksOf } from '../../renderer/evidence/merkle.ts';
import { tilePath } from '../../renderer/evidence/tile-set.ts';

/** A log of any size as a gateway serves it, and one that was rewritten with its key. */
export class ServedLog {
  readonly leaves: Uint8Array[] = [];
  readonly roots: Uint8Array[] = [];
  readonly key: string;
  readonly origin: string;
  readonly #signer: NoteSigner;

  constructor(
    size: number,
    {
      from,
      changed,
      origin = from?.origin ?? 'gateway-1/test',
      key,
    }: { from?: ServedLog; changed?: number; origin?: string; key?: 'another' } = {},
  ) {
    this.origin = origin;
    this.#signer = from === undefined || key === 'another' ? noteSigner(origin, generateKeyPairSync('ed25519').privateKey) : from.#signer;
    this.key = formatVerifierKey(this.#signer.key);
    const frontier = new MerkleFrontier();
    this.roots.push(frontier.root());
    for (let index = 0; index < size; index += 1) {
      const leaf = (index === changed ? undefined : from?.leaves[index]) ?? leafHash(randomBytes(32));
      this.leaves.push(leaf);
      frontier.append(leaf);
      this.roots.push(frontier.root());
    }
  }

  checkpoint(size = this.leaves.length): string {
    return signNote(formatCheckpoint({ origin: this.origin, size, root: this.roots[size] ?? new Uint8Array(32), extensions: [] }), [
      this.#signer,
    ]);
  }

  /** The tiles of the log as it stands with so many entries: path to bytes. */
  tiles(size = this.leaves.length): Map<string, Uint8Array> {
    const levels: Uint8Array[][] = [this.leaves.slice(0, size)];
    for (let level = levels[0] ?? []; level.length >= 256; level = levels.at(-1) ?? []) {
      levels.push(
        Array.from({ length: Math.floor(level.length / 256) }, (_, at) => foldPeaks(peaksOf(level.slice(at * 256, at * 256 + 256)))),
      );
    }
    return new Map(
      [...tilesOf(size)].map(({ level, index, width }) => [
        tilePath(level, index, width),
        Buffer.concat((levels[level] ?? []).slice(index * 256, index * 256 + width)),
      ]),
    );
  }
}
