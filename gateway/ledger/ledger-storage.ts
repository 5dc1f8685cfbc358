import type { TileAddress, TileSource } from './tiles.ts';

/** A tile or a bundle of entries with its place. */
export interface TileFile extends TileAddress {
  readonly bytes: Uint8Array;
}

/** Reads what a ledger has published. Any width that a wider tile has in it is answered, as long as one is there. */
export interface LedgerReader extends TileSource {
  /** The last checkpoint, a signed note; undefined when there is none. Throws LEDGER_DAMAGED when it is not text. */
  checkpoint(): Promise<string | undefined>;
  /** A tile of hashes. Throws LEDGER_DAMAGED when it is missing or malformed. */
  tile(level: number, index: number, width: number): Promise<Uint8Array>;
  /** A bundle of entries, as it is published. Throws as `tile`. */
  entries(index: number, width: number): Promise<Uint8Array>;
  /** Either of the two; undefined when no file has so much of it. Throws LEDGER_DAMAGED when what is there is malformed. */
  find(address: TileAddress): Promise<Uint8Array | undefined>;
}

/** Where the gateway publishes its ledger. Everything is durable, and under its own name at once, when a call resolves. */
export interface LedgerStorage extends LedgerReader {
  writeTiles(files: readonly TileFile[]): Promise<void>;
  /** `endorsement`: kept as it is beside the checkpoints that follow, for this one is signed by a former key too. */
  writeCheckpoint(note: string, endorsement?: { size: number }): Promise<void>;
  /** Deletes the partial tiles under the address of a full one. */
  removePartial(address: TileAddress): Promise<void>;
  /** Tiles and bundles of a tree of this size that are not there. */
  missing(size: number): Promise<TileAddress[]>;
}

/** The records whose hashes are the entries. `records.seq` − 1 is the index. */
export interface RecordedHashes {
  /** How many there are. */
  count(): Promise<number>;
  /** The hashes of up to `limit` records from this index on. Throws LEDGER_DAMAGED when one in between is missing. */
  hashes(from: number, limit: number): Promise<Uint8Array[]>;
  /** The bodies of the records that say which key this ledger is signed with, in their order. */
  keyChanges(): Promise<KeyChange[]>;
}

/** Verifier keys, as in the records `ledger.created` and `key.rotated`. */
export interface KeyChange {
  readonly index: number;
  readonly type: 'ledger.created' | 'key.rotated';
  readonly origin: string;
  /** The key from here on. */
  readonly key: string;
}
