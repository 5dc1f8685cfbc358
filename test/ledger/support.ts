import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../gateway/base/clock.ts';
import type { Log } from '../../gateway/base/log.ts';
import { parseCheckpoint } from '../../gateway/ledger/checkpoint.ts';
import type { Ledger, SignedCheckpoint } from '../../gateway/ledger/ledger.ts';
import { type LedgerNews, type LedgerOptions, openLedger } from '../../gateway/ledger/open-ledger.ts';
import { consistencyProof, rootFromTiles, verifyConsistency } from '../../gateway/ledger/proofs.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { openNote, type VerifierKey } from '../../gateway/ledger/signed-note.ts';
import { parseEntries, tilesOf } from '../../gateway/ledger/tiles.ts';
import { Database } from '../../gateway/store/database.ts';
import { openLedgerFiles } from '../../gateway/store/ledger-files.ts';
import { openLedgerForGateway } from '../../gateway/store/ledger-writer.ts';
import { draft, newSession } from '../store/support.ts';

export const ORIGIN = 'example.com/log';

export const newKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;

/** What was logged, for a look at it. */
export class KeptLog implements Log {
  readonly lines: { level: string; facts: object; message: string }[] = [];
  readonly debug = (facts: object, message: string) => void this.lines.push({ level: 'debug', facts, message });
  readonly info = (facts: object, message: string) => void this.lines.push({ level: 'info', facts, message });
  readonly warn = (facts: object, message: string) => void this.lines.push({ level: 'warn', facts, message });
  readonly error = (facts: object, message: string) => void this.lines.push({ level: 'error', facts, message });
}

export interface LedgerLife {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly records: Records;
  readonly news: readonly LedgerNews[];
  readonly log: KeptLog;
  /** Appends so many records at once. */
  append(count: number): Promise<void>;
  /** As a gateway that stops in order. */
  end(): Promise<void>;
  /** As one that is killed before anything more was signed: only what is durable by now remains. */
  abandon(): Promise<void>;
}

/** Database, records and ledger on a directory, as a gateway has them, its news recorded. */
export async function live(directory: string, options: Partial<LedgerOptions> & { key: KeyObject; clock?: Clock }): Promise<LedgerLife> {
  const log = new KeptLog();
  const database = await Database.openForGateway(directory);
  let opened: Awaited<ReturnType<typeof openLedger>>;
  try {
    const parts = { storage: openLedgerForGateway(directory), records: database.records, clock: options.clock ?? systemClock, log };
    opened = await openLedger({ newOrigin: () => ORIGIN, ...options }, parts);
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
  const { ledger, news } = opened;
  const records = new Records(database.records, systemClock, 'gateway-1', ledger);
  for (const fact of news)
    await records.append({ ...fact, outcome: 'success', actor: records.gateway, target: { name: 'gateway-1', kind: 'gateway' } });
  const end = async () => {
    await records.flush();
    await ledger.close();
    await database.close();
  };
  onTestFinished(end);
  return {
    database,
    ledger,
    records,
    news,
    log,
    append: async (count) => {
      await Promise.all(Array.from({ length: count }, () => records.append(draft.sessionOpen(newSession()))));
    },
    end,
    abandon: () => database.close(),
  };
}

/**
 * What stands in the directory is one ledger: the checkpoint is signed by one of the keys, its tiles have its root, its
 * bundles have the hashes of the records, and it has grown out of every checkpoint that was seen before.
 */
export async function readLedger(
  directory: string,
  keys: readonly VerifierKey[],
  seen: readonly SignedCheckpoint[] = [],
): Promise<SignedCheckpoint> {
  const files = openLedgerFiles(directory);
  const note = (await files.checkpoint()) ?? '';
  const head = parseCheckpoint(openNote(note, keys).text);
  const root = await rootFromTiles(files, head.size);
  if (!Buffer.from(root).equals(head.root)) throw new Error('the tiles do not have the root of the checkpoint');
  const database = await Database.openForReading(directory);
  try {
    const hashes = await database.records.hashes(0, head.size);
    if (hashes.length !== head.size) throw new Error(`there are ${hashes.length} records for a checkpoint of ${head.size}`);
    for (const { level, index, width } of tilesOf(head.size)) {
      await files.tile(level, index, width);
      if (level > 0) continue;
      for (const [offset, entry] of parseEntries(await files.entries(index, width), width).entries())
        if (!Buffer.from(entry).equals(hashes[index * 256 + offset] as Uint8Array))
          throw new Error(`entry ${index * 256 + offset} is not its record's hash`);
    }
  } finally {
    await database.close();
  }
  for (const before of seen) {
    const proof = await consistencyProof(files, before.size, head.size);
    if (!verifyConsistency(before.size, head.size, before.root, head.root, proof))
      throw new Error(`not grown out of the checkpoint of ${before.size}`);
  }
  return { ...head, note };
}
