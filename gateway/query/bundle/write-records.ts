import type { Database } from '../../store/database.ts';
import type { BagWriter } from './bag-writer.ts';
import { type DisclosedRecord, disclosedRecords, parseDisclosed } from './disclosed-records.ts';
import type { LedgerExtract } from './ledger-extract.ts';
import { baseEvent, ocsfEvent } from './ocsf.ts';
import { textScript } from './page-scripts.ts';
import type { Selection } from './selection.ts';

/** What was disclosed, as the first pass over the records found it. */
export interface Disclosed {
  /** Records whose bytes are in the bundle. */
  count: number;
  /** Index and hash of those that were erased. */
  erased: [index: number, sha256: string][];
  /** Records, erased ones included, that the range of indexes holds. */
  inRange: number;
}

/** Text that one script of the page holds before it is packed. */
const SCRIPT_BYTES = 1024 * 1024;

/** ledger/records.ndjson, indexes.txt and erased.txt. Memory: the indexes. */
export async function writeRecords(bag: BagWriter, database: Database, selection: Selection, extract: LedgerExtract): Promise<Disclosed> {
  const indexes: number[] = [];
  const disclosed: Disclosed = { count: 0, erased: [], inRange: 0 };
  const lines = async function* () {
    for await (const { index, hash, bytes } of disclosedRecords(database, selection)) {
      extract.cover(index);
      disclosed.inRange += 1;
      if (bytes === undefined) {
        disclosed.erased.push([index, hash]);
        continue;
      }
      indexes.push(index);
      disclosed.count += 1;
      yield bytes;
      yield '\n';
    }
  };
  await bag.add('ledger/records.ndjson', lines());
  await bag.add('ledger/indexes.txt', linesOf(indexes));
  await bag.addText('ledger/erased.txt', disclosed.erased.map(([index, hash]) => `${index} ${hash}\n`).join(''));
  return disclosed;
}

/** events.ndjson: each record with its place in the ledger, and in the words of OCSF. */
export async function writeEvents(
  bag: BagWriter,
  database: Database,
  selection: Selection,
  gateway: { name: string; version: string },
): Promise<void> {
  const lines = async function* () {
    for await (const record of keptRecords(database, selection)) {
      const parsed = parseDisclosed(record.index, record.bytes);
      const ocsf = JSON.stringify(parsed === undefined ? baseEvent : ocsfEvent(parsed, gateway));
      yield `{"index":${record.index},"hash":"${record.hash}","record":${record.bytes.toString('utf8')},"ocsf":${ocsf}}\n`;
    }
  };
  await bag.add('events.ndjson', lines());
}

/** page/records/NNNN.js: names of the scripts, in order. */
export async function writePageRecords(bag: BagWriter, database: Database, selection: Selection): Promise<string[]> {
  const scripts: string[] = [];
  const write = async (text: string) => {
    const name = `records/${String(scripts.length + 1).padStart(4, '0')}`;
    scripts.push(name);
    await bag.add(`page/${name}.js`, textScript(name, once(text)), { packing: 'base64' });
  };
  let text = '';
  for await (const { index, bytes } of keptRecords(database, selection)) {
    text += `${index}\t${bytes.toString('utf8')}\n`;
    if (text.length < SCRIPT_BYTES) continue;
    await write(text);
    text = '';
  }
  if (text !== '') await write(text);
  return scripts;
}

/** The records once more, without those that are erased. */
async function* keptRecords(database: Database, selection: Selection): AsyncGenerator<DisclosedRecord & { bytes: Buffer }> {
  for await (const record of disclosedRecords(database, selection)) {
    if (record.bytes !== undefined) yield { ...record, bytes: record.bytes };
  }
}

function* numbered(values: readonly number[]): Generator<string> {
  for (const value of values) yield `${value}\n`;
}

async function* linesOf(values: readonly number[]): AsyncGenerator<string> {
  yield* numbered(values);
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
