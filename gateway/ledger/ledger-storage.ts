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
