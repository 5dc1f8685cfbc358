import { asSallyportError } from '../../base/errors.ts';
import type { Checkpoint } from '../../ledger/checkpoint.ts';
import type { LedgerReader } from '../../ledger/ledger-storage.ts';
import { HASH_BYTES, leafHash, perfectRoot, sameHash } from '../../ledger/merkle.ts';
import { TILE_WIDTH, tilePath, tileWidth } from '../../ledger/tiles.ts';
import { DisplacedRecords } from './displaced-records.ts';
import { fault, notice, type Report } from './finding.ts';
import { joined, type Leaves, leavesOfEntries, leavesOfTile, settle } from './tile-block.ts';
import { type ExpectedTile, TileTower } from './tile-tower.ts';

/** Another checkpoint of the same ledger, that the tree has to agree with. */
export interface OtherCheckpoint extends Checkpoint {
  /** What it is, for people: begins a sentence. */
  readonly name: string;
  readonly file: string;
}

export interface LedgerParts {
  readonly files: Pick<LedgerReader, 'find'>;
  readonly report: Report;
  /** Undefined where nothing is signed. */
  readonly checkpoint: Checkpoint | undefined;
  readonly others: readonly OtherCheckpoint[];
  /** Index after the last record that there is. */
  readonly end: number;
}

export interface LedgerTotals {
  tiles: number;
  /** Records that stand after the checkpoint. */
  uncovered: number;
  /** The tree has the root that the checkpoint has. */
  agrees: boolean;
  /** Names of the files of other checkpoints that this log does not continue, or is not known to. */
  contradicted: string[];
}

interface TileFiles {
  tile: Leaves | undefined;
  entries: Leaves | undefined;
}

const NO_LEAVES = Buffer.alloc(0);
/** Tiles that are read ahead of the records. */
const AHEAD = 6;
/** Records after the checkpoint that are remembered, for they may be ones that were pushed there. */
const MOST_PUSHED = 4096;
/** Named one by one; an edit that touches more is summed up. */
const MOST_NAMED = 1000;

/**
 * Rebuilds the tree from the records and compares it with the tiles, the bundles of entries and the checkpoint. Where
 * they do not agree it finds out which of them was changed: record, tile, entries or checkpoint. Memory: the tiles at the
 * right edge, and what is out of place.
 */
export class LedgerCheck {
  readonly #parts: LedgerParts;
  readonly #size: number;
  /** Built from what the records, tiles and entries of level 0 agree on. */
  readonly #tower: TileTower;
  /** Built from what the tiles of level 1 say. */
  readonly #claimed: TileTower;
  readonly #displaced = new DisplacedRecords();
  readonly #ahead = new Map<number, Promise<TileFiles>>();
  #above: { index: number; leaves: Leaves | undefined } | undefined;
  #block = 0;
  #records: (Uint8Array | undefined)[] = [];
  #beside: (Uint8Array | undefined)[] = [];
  #next = 0;
  #pushed = 0;
  #tiles = 0;
  #uncovered = 0;
  #named = 0;
  #unnamed = 0;
  /** Full tiles of level 0 of which the tile above says something else. */
  readonly #disputed: number[] = [];
  readonly #wrongTiles: { tile: ExpectedTile; tower: 'agreed' | 'claimed' }[] = [];
  readonly #roots = new Map<number, Uint8Array>();
  #partial: Uint8Array[] = [];
  /** Up to where the tree could be followed. */
  #reached = 0;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#size = parts.checkpoint?.size ?? 0;
    this.#tower = new TileTower((tile) => this.#upper.push({ tile, tower: 'agreed' }));
    this.#claimed = new TileTower((tile) => this.#upper.push({ tile, tower: 'claimed' }));
  }

  readonly #upper: { tile: ExpectedTile; tower: 'agreed' | 'claimed' }[] = [];

  /**
   * Some records in the order of the ledger. `entries`: 32 bytes for each, the SHA-256 of its bytes, or, of an erased
   * record, what the database says it was. `beside`: what the database says of each.
   */
  async take(indexes: readonly number[], entries: Buffer, beside: Buffer): Promise<void> {
    for (const [at, index] of indexes.entries()) {
      const entry = entries.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
      const said = beside.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
      if (index < 0) {
        this.#parts.report(fault('added', {}, `A record stands in front of the first one, at place ${index + 1} of the database`));
        continue;
      }
      if (index > this.#next && this.#next >= this.#size) this.#report(index - 1, this.#next);
      this.#next = index + 1;
      if (index >= this.#size) this.#takeUncovered(index, entry, said);
      else {
        while (Math.floor(index / TILE_WIDTH) > this.#block) await this.#settleBlock();
        this.#records[index % TILE_WIDTH] = leafHash(entry);
        this.#beside[index % TILE_WIDTH] = said;
      }
    }
  }

  async finish(): Promise<LedgerTotals> {
    const { checkpoint, report } = this.#parts;
    if (checkpoint === undefined) return { tiles: 0, uncovered: this.#uncovered, agrees: false, contradicted: [] };
    while (this.#block * TILE_WIDTH < this.#size) if (!(await this.#settleBlock())) break;
    await this.#compareUpper([...this.#tower.partial()].map((tile) => ({ tile, tower: 'agreed' as const })));
    await this.#compareUpper([...this.#claimed.partial()].map((tile) => ({ tile, tower: 'claimed' as const })));
    const agrees = this.#conclude(checkpoint);
    for (const finding of this.#displaced.findings(this.#size)) report(finding);
    if (this.#unnamed > 0) report(fault('altered', {}, `${this.#unnamed} more records or files of the ledger were altered`));
    if (this.#next < this.#size) {
      const words = `The log is cut off: its signed checkpoint covers ${this.#size} records, and the database ends after ${this.#next}`;
      report(fault('truncated', { index: this.#next, last: this.#size - 1 }, words));
    }
    const contradicted = this.#compareOthers(checkpoint);
    return { tiles: this.#tiles, uncovered: this.#uncovered, agrees, contradicted };
  }

  #takeUncovered(index: number, entry: Buffer, said: Buffer): void {
    this.#uncovered += 1;
    if (!sameHash(entry, said))
      this.#name(() =>
        this.#parts.report(fault('altered', { index }, 'The bytes of the record do not have the hash that stands beside them')),
      );
    if (this.#size === 0 || this.#pushed >= MOST_PUSHED) return;
    this.#pushed += 1;
    this.#displaced.standing(index, leafHash(entry));
  }

  #report(last: number, first: number): void {
    const words = first === last ? 'The record of this index is missing' : `The ${last - first + 1} records of these indexes are missing`;
    this.#parts.report(fault('missing', first === last ? { index: first } : { index: first, last }, `${words}: the numbering has a gap`));
  }

  /** False when there is nothing left to go by. */
  async #settleBlock(): Promise<boolean> {
    const block = this.#block;
    const width = tileWidth(0, block, this.#size);
    const records = this.#records;
    const beside = this.#beside;
    this.#records = [];
    this.#beside = [];
    this.#block += 1;
    for (let ahead = block + 1; ahead <= block + AHEAD && ahead * TILE_WIDTH < this.#size; ahead += 1) void this.#readAhead(ahead); // It never rejects: what cannot be read is told.
    const { tile, entries } = await this.#readAhead(block);
    this.#ahead.delete(block);
    const past = block * TILE_WIDTH >= this.#parts.end;
    if (past && tile === undefined && entries === undefined) return false;
    this.#tiles += 1;
    const claim = width === TILE_WIDTH ? await this.#claimOf(block) : undefined;
    const allAgree = agree(records, tile, width) && agree(records, entries, width);
    const truth = allAgree ? (records as Uint8Array[]) : settle({ records: complete(records, width), tile, entries, claim }, width);
    if (!allAgree) this.#compareBlock(block, width, truth, { records, beside, tile, entries });
    this.#compareBeside(block, records, beside, truth);
    await this.#grow(block, width, truth, claim);
    return true;
  }

  /** Where the hash beside a record is not that of its bytes, though the bytes are the right ones. */
  #compareBeside(
    block: number,
    records: readonly (Uint8Array | undefined)[],
    beside: readonly (Uint8Array | undefined)[],
    truth: readonly Uint8Array[],
  ): void {
    for (const [at, said] of beside.entries()) {
      const record = records[at];
      const right = truth[at];
      if (said === undefined || record === undefined || right === undefined || !sameHash(record, right)) continue;
      if (sameHash(leafHash(said), right)) continue;
      this.#name(() =>
        this.#parts.report(
          fault(
            'altered',
            { index: block * TILE_WIDTH + at },
            'The hash that the database has beside the record was changed; the record itself is what was recorded',
          ),
        ),
      );
    }
  }

  #compareBlock(
    block: number,
    width: number,
    truth: readonly Uint8Array[],
    found: TileFiles & { records: readonly (Uint8Array | undefined)[]; beside: readonly (Uint8Array | undefined)[] },
  ): void {
    const first = block * TILE_WIDTH;
    for (const [kind, leaves] of [
      ['entries', found.entries],
      [0, found.tile],
    ] as const) {
      if (leaves === undefined) continue;
      const wrong = truth.findIndex((leaf, at) => !same(leaf, leaves[at]));
      if (wrong < 0) continue;
      const file = `ledger/${tilePath(kind, block, width)}`;
      this.#name(() =>
        this.#parts.report(
          fault(
            'altered',
            { file, index: first + wrong },
            `The file was changed: what it says of index ${first + wrong} is not what was signed`,
          ),
        ),
      );
    }
    for (let at = 0; at < width; at += 1) {
      const leaf = truth[at] as Uint8Array;
      const record = found.records[at];
      const said = found.beside[at];
      const index = first + at;
      if (same(leaf, record)) continue;
      if (record !== undefined && said !== undefined && sameHash(leafHash(said), leaf)) {
        this.#name(() =>
          this.#parts.report(
            fault('altered', { index }, 'The bytes of the record were changed: the hash beside it and the ledger still say what it was'),
          ),
        );
        continue;
      }
      if (record !== undefined) this.#displaced.standing(index, record);
      // What is cut off at the end is told as one thing.
      if (index < this.#parts.end) this.#displaced.missed(index, leaf);
    }
  }

  async #grow(block: number, width: number, truth: readonly Uint8Array[], claim: Uint8Array | undefined): Promise<void> {
    const first = block * TILE_WIDTH;
    this.#reached = first + width;
    for (const { size } of this.#parts.others)
      if (size > first && size < first + width) this.#roots.set(size, this.#tower.rootWith(joined(truth.slice(0, size - first))));
    if (width < TILE_WIDTH) {
      this.#partial = [...truth];
    } else {
      const root = perfectRoot(joined(truth));
      if (claim !== undefined && !sameHash(root, claim)) this.#disputed.push(block);
      this.#tower.push(root);
      this.#claimed.push(claim ?? root);
      if (this.#upper.length > 0) await this.#compareUpper(this.#upper.splice(0));
    }
    this.#roots.set(this.#reached, this.#tower.rootWith(joined(this.#partial)));
    if (!this.#parts.others.some(({ size }) => size === this.#reached) && this.#reached !== this.#size) this.#roots.delete(this.#reached);
  }

  async #compareUpper(expected: readonly { tile: ExpectedTile; tower: 'agreed' | 'claimed' }[]): Promise<void> {
    for (const each of expected) {
      const { level, index, width, bytes } = each.tile;
      const file = `ledger/${tilePath(level, index, width)}`;
      const found = await this.#find(level, index, width);
      if (each.tower === 'agreed') this.#tiles += 1;
      if (found === undefined) {
        if (each.tower === 'agreed')
          this.#parts.report(fault('missing', { file }, 'The tile is missing or cannot be read; the records still make it what it was'));
      } else if (!sameHash(found, bytes) && this.#wrongTiles.length < MOST_NAMED) this.#wrongTiles.push(each);
    }
  }

  #conclude(checkpoint: Checkpoint): boolean {
    const { report } = this.#parts;
    if (this.#reached < this.#size) {
      report(
        fault(
          'missing',
          { file: 'ledger/checkpoint' },
          `The ledger can be followed to index ${this.#reached - 1} only: after that there are neither records nor tiles, so its root cannot be compared`,
        ),
      );
      this.#reportTiles('agreed');
      return false;
    }
    const partial = joined(this.#partial);
    if (sameHash(this.#tower.rootWith(partial), checkpoint.root)) {
      this.#reportTiles('agreed');
      return true;
    }
    if (sameHash(this.#claimed.rootWith(partial), checkpoint.root)) {
      for (const block of this.#disputed) {
        const [index, last] = [block * TILE_WIDTH, block * TILE_WIDTH + TILE_WIDTH - 1];
        report(
          fault(
            'altered',
            { index, last },
            'One or more of these records were changed together with their tile and entries: the tile above and the checkpoint have another hash for them',
          ),
        );
      }
      this.#reportTiles('claimed');
      return true;
    }
    this.#reportTiles('agreed');
    report(
      fault(
        'inconsistent',
        { file: 'ledger/checkpoint' },
        'The root that the checkpoint was signed over is not the root of these records: the log was rewritten, or this is the checkpoint of other records',
      ),
    );
    return false;
  }

  #reportTiles(tower: 'agreed' | 'claimed'): void {
    for (const { tile, tower: of } of this.#wrongTiles) {
      if (of !== tower) continue;
      const file = `ledger/${tilePath(tile.level, tile.index, tile.width)}`;
      this.#parts.report(
        fault('altered', { file }, 'The tile was changed: it is not what the records below it and the checkpoint above it make it'),
      );
    }
  }

  #compareOthers(checkpoint: Checkpoint): string[] {
    const contradicted: string[] = [];
    for (const other of this.#parts.others) {
      if (other.size > checkpoint.size) {
        const words = `${other.name} covers ${other.size} records, and the checkpoint here only ${checkpoint.size}: what is here is older than that, or was cut off after it`;
        this.#parts.report(fault('truncated', { index: checkpoint.size, last: other.size - 1, file: other.file }, words));
        contradicted.push(other.file);
        continue;
      }
      const root =
        other.size === checkpoint.size ? checkpoint.root : other.size === 0 ? this.#tower.rootWith(NO_LEAVES) : this.#roots.get(other.size);
      if (other.size === 0 || (root !== undefined && sameHash(root, other.root))) continue;
      const words =
        root === undefined
          ? `${other.name} (${other.size} records) cannot be compared, because the ledger cannot be followed that far`
          : `${other.name} was signed over ${other.size} records with another root than these records have: the log does not continue that one, it was rewritten`;
      this.#parts.report(fault('inconsistent', { file: other.file, index: 0, last: other.size - 1 }, words));
      contradicted.push(other.file);
    }
    return contradicted;
  }

  #readAhead(block: number): Promise<TileFiles> {
    let reading = this.#ahead.get(block);
    if (reading === undefined) {
      reading = this.#readBlock(block);
      this.#ahead.set(block, reading);
    }
    return reading;
  }

  async #readBlock(block: number): Promise<TileFiles> {
    const width = tileWidth(0, block, this.#size);
    const [tile, entries] = await Promise.all([this.#find(0, block, width), this.#find('entries', block, width)]);
    const past = block * TILE_WIDTH >= this.#parts.end;
    for (const [kind, bytes] of [
      ['entries', entries],
      [0, tile],
    ] as const) {
      if (bytes !== undefined || past) continue;
      const file = `ledger/${tilePath(kind, block, width)}`;
      this.#name(() => this.#parts.report(fault('missing', { file }, 'This file of the ledger is missing or cannot be read')));
    }
    const leaves = entries === undefined ? undefined : leavesOfEntries(entries, width);
    if (entries !== undefined && leaves === undefined) {
      const file = `ledger/${tilePath('entries', block, width)}`;
      this.#name(() => this.#parts.report(fault('malformed', { file }, `The bundle does not consist of ${width} entries`)));
    }
    return { tile: tile === undefined ? undefined : leavesOfTile(tile), entries: leaves };
  }

  async #claimOf(block: number): Promise<Uint8Array | undefined> {
    const index = Math.floor(block / TILE_WIDTH);
    if (this.#above?.index !== index) {
      const bytes = await this.#find(1, index, tileWidth(1, index, this.#size));
      this.#above = { index, leaves: bytes === undefined ? undefined : leavesOfTile(bytes) };
    }
    return this.#above.leaves?.[block % TILE_WIDTH];
  }

  /** Undefined also when the file is malformed, which is told here. */
  async #find(level: number | 'entries', index: number, width: number): Promise<Uint8Array | undefined> {
    try {
      return await this.#parts.files.find({ level, index, width });
    } catch (thrown) {
      const file = `ledger/${tilePath(level, index, width)}`;
      this.#name(() => this.#parts.report(fault('malformed', { file }, asSallyportError(thrown).message)));
      return undefined;
    }
  }

  /** A log that was rewritten from end to end is not named record by record. */
  #name(report: () => void): void {
    if (this.#named < MOST_NAMED) report();
    else this.#unnamed += 1;
    this.#named += 1;
  }
}

function agree(records: Leaves, other: Leaves | undefined, width: number): boolean {
  if (other === undefined || records.length !== width) return false;
  for (let at = 0; at < width; at += 1) if (!same(other[at] as Uint8Array, records[at])) return false;
  return true;
}

function complete(records: Leaves, width: number): Leaves {
  return Array.from({ length: width }, (_, at) => records[at]);
}

function same(leaf: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && sameHash(leaf, other);
}

export function uncoveredNotice(first: number, count: number) {
  const place = count === 1 ? { index: first } : { index: first, last: first + count - 1 };
  return notice(
    'uncovered',
    place,
    `${count === 1 ? 'The last record is' : `The last ${count} records are`} not covered by a signed checkpoint yet: the gateway runs, or it was stopped before it signed`,
  );
}
