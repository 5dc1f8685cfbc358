import type { AuditRecord } from '../../../contract/record.ts';
import { parseCheckpoint } from '../../ledger/checkpoint.ts';
import { openNote, parseVerifierKey, unverifiedText, type VerifierKey } from '../../ledger/signed-note.ts';
import type { Database } from '../../store/database.ts';
import { openLedgerFiles } from '../../store/ledger-files.ts';
import { type Faults, RecordCheck } from './audited-record.ts';
import { AuthenticTiles } from './authentic-tiles.ts';

/** The signed head of the ledger that an answer was compared with. */
export interface AuditedCheckpoint {
  origin: string;
  size: number;
  /** Base64, as in the checkpoint. */
  root: string;
  /** Keys whose signatures verify (C2SP vkey names and ids); they are those that the ledger's own records name. */
  signedBy: string[];
  /** The whole checkpoint, to compare with one that was kept elsewhere. */
  note: string;
}

export interface LedgerHead {
  /** The place of the newest record in the database; at least what the checkpoint commits to, unless something is missing. */
  newest: number;
  checkpoint: AuditedCheckpoint | undefined;
  /** What proves records against it. */
  tiles: AuthenticTiles | undefined;
}

/**
 * The checkpoint that stands in the data directory. What is wrong with it is a fault; without one nothing is proved. It
 * is read before the records are counted: what a gateway writes in between is newer than the checkpoint, never older.
 */
export async function openLedgerHead(database: Database, faults: Faults): Promise<LedgerHead> {
  const files = openLedgerFiles(database.directory);
  let newest: number | undefined;
  try {
    const note = await files.checkpoint();
    newest = await database.period.newest();
    const keys = await ledgerKeys(database, newest, faults);
    if (note === undefined) {
      if (keys.length > 0) faults.add('The checkpoint of the ledger is missing');
      return { newest, checkpoint: undefined, tiles: undefined };
    }
    const { origin, size, root } = parseCheckpoint(unverifiedText(note));
    const signedBy =
      keys.length === 0 ? [] : openNote(note, keys).signedBy.map(({ name, id }) => `${name}+${id.toString(16).padStart(8, '0')}`);
    if (keys.length === 0) faults.add('The checkpoint is signed with a key that no record names');
    if (size > newest)
      faults.add(`Records ${newest} to ${size - 1} are missing: the checkpoint commits to ${size} and the database has ${newest}`);
    return {
      newest,
      checkpoint: { origin, size, root: Buffer.from(root).toString('base64'), signedBy, note },
      tiles: new AuthenticTiles(files, size, root),
    };
  } catch (thrown) {
    faults.add(thrown instanceof Error ? thrown.message : String(thrown));
    return { newest: newest ?? (await database.period.newest()), checkpoint: undefined, tiles: undefined };
  }
}

/** The keys that the last records about them name: that of today, and the one before, which may have signed as well. */
async function ledgerKeys(database: Database, newest: number, faults: Faults): Promise<VerifierKey[]> {
  const check = new RecordCheck(undefined, faults);
  const rows = await database.period.latest(['ledger.created', 'key.rotated'], newest + 1);
  const newestRow = rows.at(-1);
  if (newestRow === undefined) return [];
  const { record } = await check.read(newestRow);
  return namedKeys(record).map(parseVerifierKey);
}

function namedKeys(record: AuditRecord | undefined): string[] {
  if (record?.type === 'ledger.created') return [record.body.key];
  return record?.type === 'key.rotated' ? [record.body.next, record.body.previous] : [];
}
