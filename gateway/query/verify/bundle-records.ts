import { createHash } from 'node:crypto';
import { leafHash, sameHash } from '../../ledger/merkle.ts';
import type { BundleFiles } from './bundle-files.ts';
import type { BundleTiles } from './bundle-tiles.ts';
import { fault, type Report } from './finding.ts';
import type { RecordBatch, RecordChecks, RecordFindings } from './record-checks.ts';

const RECORDS = 'data/ledger/records.ndjson';
const INDEXES = 'data/ledger/indexes.txt';
const ERASED = 'data/ledger/erased.txt';
const EVENTS = 'data/events.ndjson';
const BATCH = 512;

export interface DisclosedTotals {
  records: number;
  erased: number;
}

interface Disclosed {
  index: number;
  /** None of an erased record. */
  bytes: Buffer | undefined;
  hash: Buffer;
}

/**
 * The records that a bundle discloses, each against its leaf in the ledger and against what `events.ndjson` says of it,
 * and then against each other. `take` gets what they lead to.
 */
export async function checkDisclosed(
  files: BundleFiles,
  tiles: BundleTiles,
  checks: RecordChecks,
  report: Report,
  take: (found: RecordFindings) => void,
): Promise<DisclosedTotals> {
  const totals = { records: 0, erased: 0 };
  const events = files.lines(EVENTS);
  let batch: Disclosed[] = [];
  let eventsFit = true;
  for await (const disclosed of inOrder(files)) {
    const { index, bytes, hash } = disclosed;
    const leaf = await tiles.leaf(index);
    if (leaf === undefined) report(fault('missing', { index }, 'The bundle does not have the tile that would prove this record'));
    else if (!sameHash(leafHash(hash), leaf))
      report(
        fault(
          'altered',
          { index },
          bytes === undefined
            ? 'The hash of the erased record is not the one in the ledger'
            : 'The record is not the one that the ledger has the hash of',
        ),
      );
    if (bytes === undefined) totals.erased += 1;
    else {
      totals.records += 1;
      if (eventsFit) {
        const event = await events.next();
        eventsFit = event.done !== true && isEventOf(disclosed, bytes, event.value);
      }
      if (!eventsFit) files.malformed(EVENTS, `It does not have the record of index ${index} where it should stand, or has it otherwise`);
    }
    batch.push(disclosed);
    if (batch.length < BATCH) continue;
    take(checks.take(asBatch(batch)));
    batch = [];
  }
  take(checks.take(asBatch(batch)));
  if (eventsFit && (await events.next()).done !== true) files.malformed(EVENTS, 'It has more events than there are records');
  await events.return(undefined);
  take(checks.finish());
  return totals;
}

/** Records and erased ones merged, in the order of the ledger, which each of the two files has to have. */
async function* inOrder(files: BundleFiles): AsyncGenerator<Disclosed> {
  const records = disclosedRecords(files);
  const erased = erasedRecords(files);
  let record = await records.next();
  let gone = await erased.next();
  let before = -1;
  while (record.done !== true || gone.done !== true) {
    const takesRecord = gone.done === true || (record.done !== true && record.value.index < gone.value.index);
    const next = (takesRecord ? record.value : gone.value) as Disclosed;
    if (next.index <= before) {
      files.malformed(takesRecord ? INDEXES : ERASED, `Index ${next.index} stands behind index ${before}`);
      return;
    }
    before = next.index;
    yield next;
    if (takesRecord) record = await records.next();
    else gone = await erased.next();
  }
}

async function* disclosedRecords(files: BundleFiles): AsyncGenerator<Disclosed> {
  const indexes = files.lines(INDEXES);
  for await (const bytes of files.lines(RECORDS)) {
    const line = await indexes.next();
    const index = line.done === true ? undefined : numberOf(line.value);
    if (index === undefined) {
      files.malformed(INDEXES, 'It does not have a number for each record');
      return;
    }
    yield { index, bytes, hash: createHash('sha256').update(bytes).digest() };
  }
  if ((await indexes.next()).done !== true) files.malformed(INDEXES, 'It has more numbers than there are records');
}

async function* erasedRecords(files: BundleFiles): AsyncGenerator<Disclosed> {
  for await (const line of files.lines(ERASED)) {
    const [, digits = '', sha256 = ''] = /^(\d{1,16}) ([0-9a-f]{64})$/.exec(line.toString('latin1')) ?? [];
    const index = numberOf(Buffer.from(digits));
    if (index === undefined) {
      files.malformed(ERASED, 'A line of it is not an index and a hash');
      return;
    }
    yield { index, bytes: undefined, hash: Buffer.from(sha256, 'hex') };
  }
}

function isEventOf({ index, hash }: Disclosed, bytes: Buffer, line: Buffer): boolean {
  const beginning = Buffer.concat([
    Buffer.from(`{"index":${index},"hash":"${hash.toString('hex')}","record":`),
    bytes,
    Buffer.from(',"ocsf":'),
  ]);
  return line.subarray(0, beginning.length).equals(beginning);
}

function asBatch(disclosed: readonly Disclosed[]): RecordBatch {
  return {
    indexes: disclosed.map(({ index }) => index),
    lengths: disclosed.map(({ bytes }) => bytes?.length ?? -1),
    bytes: Buffer.concat(disclosed.flatMap(({ bytes }) => bytes ?? [])),
  };
}

function numberOf(line: Buffer): number | undefined {
  const digits = line.toString('latin1');
  return /^(0|[1-9]\d{0,15})$/.test(digits) && Number.isSafeInteger(Number(digits)) ? Number(digits) : undefined;
}
