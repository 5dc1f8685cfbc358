import type { KeyObject } from 'node:crypto';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { GrowingTree } from './growing-tree.ts';
import { Ledger, type LedgerParts, type LedgerState } from './ledger.ts';
import type { KeyChange } from './ledger-storage.ts';
import { leafHash, sameHash } from './merkle.ts';
import { sameKey } from './note-key.ts';
import { rootFromTiles } from './proofs.ts';
import { formatVerifierKey, noteSigner, openNote, parseVerifierKey, signNote, unverifiedText } from './signed-note.ts';
import { TILE_WIDTH } from './tiles.ts';
import { entriesOf, rootOfRecords, writeMissing } from './tree-from-records.ts';

export interface LedgerOptions {
  /** As configured. */
  readonly origin?: string | undefined;
  /** For a new ledger whose origin is not configured. */
  readonly newOrigin: () => string;
  readonly key: KeyObject;
  /** The key before this one; `lost` when nobody has it any more. */
  readonly former?: KeyObject | 'lost' | undefined;
}

/** A record that has to be appended before anything else is. */
export type LedgerNews =
  | { type: 'ledger.created'; body: { origin: string; key: string; taken: number } }
  | { type: 'key.rotated'; body: { origin: string; previous: string; next: string; endorsed: boolean } };

export interface OpenedLedger {
  readonly ledger: Ledger;
  readonly news: readonly LedgerNews[];
}

/**
 * Takes up the ledger where the last checkpoint left it, or begins one over the records that are there. Nothing is
 * signed unless the records, the tiles and the checkpoint agree. Throws LEDGER_DAMAGED, LEDGER_KEY_CHANGED,
 * LEDGER_SIGNATURE_INVALID or LEDGER_NOTE_INVALID when they do not, each with what to do.
 */
export async function openLedger(options: LedgerOptions, parts: LedgerParts): Promise<OpenedLedger> {
  const note = await parts.storage.checkpoint();
  const recorded = await parts.records.count();
  const changes = await parts.records.keyChanges();
  if (note === undefined) return begin(options, recorded, changes, parts);

  const { head, former } = openHead(note, options, changes);
  if (recorded < head.size) throw damaged(`its checkpoint covers ${head.size} records, and the database has ${recorded}`);
  await requireAgreement(head, parts);
  const tree = await loadTree(head, parts);
  const signer = noteSigner(head.origin, options.key);
  const news = newsOf({ origin: head.origin, key: formatVerifierKey(signer.key), taken: recorded }, former, changes.at(-1));
  const formerSigner = former === undefined || former === 'lost' ? undefined : noteSigner(head.origin, former);
  const state: LedgerState = {
    head: { ...head, note },
    tree,
    recorded,
    signer,
    former: formerSigner && { signer: formerSigner, beyond: news.length > 0 ? recorded : recorded - 1 },
  };
  return { ledger: new Ledger(state, parts), news };
}

/** The first checkpoint is published before `ledger.created` is recorded: a ledger that has that record has a checkpoint. */
async function begin(options: LedgerOptions, recorded: number, changes: readonly KeyChange[], parts: LedgerParts): Promise<OpenedLedger> {
  const { records, storage } = parts;
  const last = changes.at(-1);
  if (last !== undefined) throw damaged(`ledger/checkpoint is missing, though record ${last.index} says that ${last.key} signs it`);
  const leftOver = await storage.find({ level: 0, index: 0, width: 1 });
  if (leftOver !== undefined) {
    const [first] = recorded === 0 ? [] : await records.hashes(0, 1);
    if (first === undefined || !sameHash(leafHash(first), leftOver))
      throw damaged('ledger/tile has tiles of other records, and there is no checkpoint');
  }
  const signer = noteSigner(options.origin ?? options.newOrigin(), options.key);
  const tree = new GrowingTree();
  for await (const entries of entriesOf(records, 0, recorded)) {
    for (const entry of entries) tree.append(entry);
    await storage.writeTiles(tree.takeFull());
  }
  await storage.writeTiles([...tree.takeFull(), ...tree.partial()]);
  const head: Checkpoint = { origin: signer.key.name, size: recorded, root: tree.root(), extensions: [] };
  const note = signNote(formatCheckpoint(head), [signer]);
  await storage.writeCheckpoint(note);
  const ledger = new Ledger({ head: { ...head, note }, tree, recorded, signer }, parts);
  const body = { origin: head.origin, key: formatVerifierKey(signer.key), taken: recorded };
  return { ledger, news: [{ type: 'ledger.created', body }] };
}

/** The checkpoint, signed by the key or by the one before it, which is given back when it was that one. */
function openHead(
  note: string,
  options: LedgerOptions,
  changes: readonly KeyChange[],
): { head: Checkpoint; former: LedgerOptions['former'] } {
  const { origin } = parseCheckpoint(unverifiedText(note));
  if (options.origin !== undefined && options.origin !== origin) {
    throw keyChanged(`the configuration names the origin ${options.origin}, and this ledger is ${origin}`);
  }
  const { key } = noteSigner(origin, options.key);
  const last = changes.at(-1);
  const former =
    options.former === undefined || options.former === 'lost'
      ? options.former && last && parseVerifierKey(last.key)
      : noteSigner(origin, options.former).key;
  try {
    const { text, signedBy } = openNote(note, former === undefined ? [key] : [key, former]);
    // A change is done when the record says so and the new key has signed. The gateway may have died in between.
    const done = signedBy.some((signed) => sameKey(signed, key)) && (last === undefined || last.key === formatVerifierKey(key));
    return { head: parseCheckpoint(text), former: done ? undefined : options.former };
  } catch (thrown) {
    const error = asSallyportError(thrown);
    if (error.code !== 'LEDGER_SIGNATURE_INVALID') throw error;
    if (last?.key === formatVerifierKey(key)) {
      const remedy = 'keep a copy of everything as it is; then restore the whole data directory from one backup';
      throw new SallyportError(error.code, `ledger/checkpoint of ${origin}: ${error.message}`, { remedy, cause: error });
    }
    throw keyChanged(
      `its last checkpoint is not signed by ${formatVerifierKey(key)}${last === undefined ? '' : `, but should be by ${last.key}`}`,
    );
  }
}

function newsOf(
  created: { origin: string; key: string; taken: number },
  former: LedgerOptions['former'],
  last: KeyChange | undefined,
): LedgerNews[] {
  // Interrupted between the first checkpoint and its record.
  if (last === undefined) return [{ type: 'ledger.created', body: created }];
  // Also after a rotation that was recorded and then taken back before anything was signed.
  if (last.key === created.key) return [];
  const { origin, key } = created;
  const endorsed = former !== undefined && former !== 'lost' && formatVerifierKey(noteSigner(origin, former).key) === last.key;
  return [{ type: 'key.rotated', body: { origin, previous: last.key, next: key, endorsed } }];
}

/** Tiles that are missing are made anew when the records have the signed root. What contradicts it is left as it is. */
async function requireAgreement(head: Checkpoint, { storage, records, log }: LedgerParts): Promise<void> {
  const missing = await storage.missing(head.size);
  if (missing.length > 0) {
    if (!sameHash(await rootOfRecords(records, head.size), head.root)) {
      throw damaged(`${missing.length} tiles are missing, and the first ${head.size} records do not have the root that was signed`);
    }
    await writeMissing(storage, records, head.size, missing);
    log.warn(
      { tiles: missing.length },
      'tiles of the ledger were missing; they were made anew from the records, which have the signed root',
    );
  }
  if (sameHash(await rootFromTiles(storage, head.size), head.root)) return;
  const ofRecords = await rootOfRecords(records, head.size);
  if (sameHash(ofRecords, head.root)) {
    throw damaged(
      'its tiles were altered: they do not have the root that was signed, while the records do',
      'move ledger/tile away; the gateway makes tiles anew',
    );
  }
  throw damaged(`neither its tiles nor the first ${head.size} records have the root that was signed`);
}

async function loadTree(head: Checkpoint, { storage, records }: LedgerParts): Promise<GrowingTree> {
  const width = head.size % TILE_WIDTH;
  const index = Math.floor(head.size / TILE_WIDTH);
  const entries = width === 0 ? [] : await records.hashes(head.size - width, width);
  const leaves = width === 0 ? Buffer.alloc(0) : await storage.tile(0, index, width);
  const first = entries.findIndex((entry, at) => !sameHash(leafHash(entry), leaves.subarray(at * 32, (at + 1) * 32)));
  if (first >= 0) throw damaged(`record ${head.size - width + first} was altered after it was signed`);
  return GrowingTree.load(storage, head.size, entries);
}

function damaged(what: string, mend = 'restore the whole data directory from one backup'): SallyportError {
  return new SallyportError('LEDGER_DAMAGED', `The ledger is damaged: ${what}`, {
    remedy: `keep a copy of everything as it is; sallyport verify says what is wrong and where; then ${mend}`,
  });
}

function keyChanged(what: string): SallyportError {
  return new SallyportError('LEDGER_KEY_CHANGED', `The ledger's key or origin has changed: ${what}`, {
    remedy: 'name the right key under ledger.key, or the one before it under ledger.former-key',
  });
}
