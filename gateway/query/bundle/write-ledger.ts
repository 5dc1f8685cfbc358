import type { LedgerReader } from '../../ledger/ledger-storage.ts';
import { inclusionProof } from '../../ledger/proofs.ts';
import { formatVerifierKey, type VerifierKey } from '../../ledger/signed-note.ts';
import { formatTlogProof } from '../../ledger/tlog-proof.ts';
import type { BagWriter } from './bag-writer.ts';
import { CachedTiles } from './cached-tiles.ts';
import type { LedgerExtract } from './ledger-extract.ts';
import type { SelectedSession } from './selection.ts';
import { noteFiles } from './signature-files.ts';

/** The head of the ledger that a bundle stands on. */
export interface BundleHead {
  /** The signed note. */
  note: string;
  origin: string;
  size: number;
  root: Uint8Array;
  key: VerifierKey;
}

export interface KeyChange {
  readonly index: number;
  readonly type: string;
  readonly origin: string;
  readonly key: string;
}

/** ledger/ without its records, and keys/. Gives the tiles for the page: path to base64. */
export async function writeLedger(
  bag: BagWriter,
  ledger: LedgerReader,
  head: BundleHead,
  extract: LedgerExtract,
  sessions: readonly SelectedSession[],
  keyChanges: readonly KeyChange[],
): Promise<Record<string, string>> {
  const tiles: Record<string, string> = {};
  for (const { level, index, width, path } of extract.tiles()) {
    const bytes = level === 'entries' ? await ledger.entries(index, width) : await ledger.tile(level, index, width);
    await bag.addBytes(`ledger/${path}`, bytes);
    if (level !== 'entries') tiles[path] = Buffer.from(bytes).toString('base64');
  }
  await bag.addText('ledger/checkpoint', head.note);
  const { message, signature } = noteFiles(head.note, head.key);
  await bag.addBytes('ledger/checkpoint.txt', message);
  await bag.addBytes('ledger/checkpoint.sig', signature);
  // Sessions that began one after the other share most of their proofs' tiles.
  const source = new CachedTiles(ledger);
  for (const { row, place } of sessions) {
    const index = place.last - 1;
    const hashes = await inclusionProof(source, index, head.size);
    await bag.addText(`ledger/proofs/${row.id}.tlog-proof`, formatTlogProof({ index, hashes, checkpoint: head.note }));
  }
  const vkey = formatVerifierKey(head.key);
  await bag.addText('keys/ledger.vkey', `${vkey}\n`);
  await bag.addText('keys/ledger.pem', head.key.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  await bag.addText('keys/history.json', `${JSON.stringify({ current: vkey, changes: keyChanges }, undefined, 2)}\n`);
  return tiles;
}
