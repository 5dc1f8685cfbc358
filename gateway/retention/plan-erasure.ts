import { createHash, hash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditRecord, RecordBody, Resource } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import type { Database } from '../store/database.ts';
import type { RecordRow } from '../store/records-table.ts';
import type { StoredSession } from '../store/sessions-table.ts';
import { filesOnDisk, isFileOf } from './session-files.ts';

export type ErasedFile = RecordBody<'erased'>['files'][number];
/** Of ledger indexes, both ends included. */
export type IndexRange = [first: number, last: number];

/** What an erasure of one session takes away, and what remains known of it. */
export interface ErasurePlan {
  readonly session: string;
  readonly target: Resource;
  readonly remains: NonNullable<RecordBody<'erased'>['remains']>;
  readonly files: readonly ErasedFile[];
  readonly ranges: readonly IndexRange[];
  readonly records: number;
}

/** Records at a time: at most a few megabytes, and no more work at once than other sessions can wait for. */
const PAGE = 32;

/**
 * Reads everything of a session that is there. Throws ERASE_REFUSED while a part of it is still to be sealed, and
 * LEDGER_DAMAGED when a record of it is not as it was written: erasing it would erase the evidence of that.
 */
export async function planErasure(database: Database, session: StoredSession): Promise<ErasurePlan> {
  const { id } = session;
  const ranges: IndexRange[] = [];
  const files = new Map<string, ErasedFile>();
  let target: Resource | undefined;
  let records = 0;
  for await (const { row, record } of recordsOf(database, id)) {
    records += 1;
    extend(ranges, row.seq - 1);
    target ??= { name: record.target.name, kind: record.target.kind };
    if (record.type !== 'segment.sealed') continue;
    for (const { file, bytes, sha256 } of [record.body, ...record.body.attachments]) {
      if (!isFileOf(id, file)) throw damaged(row.seq, `it names ${JSON.stringify(file.slice(0, 200))} as a file of session ${id}`);
      files.set(file, { file, bytes, sha256 });
    }
  }
  for (const file of await filesOnDisk(database.directory, id)) {
    if (file.endsWith('.journal')) throw unfinished(id);
    if (!files.has(file)) files.set(file, await measured(database.directory, file));
  }
  const { started, ended, protocol, channels } = session;
  return {
    session: id,
    target: target ?? { name: session.target, kind: 'unknown' },
    remains: { started, ended, protocol, channels },
    files: [...files.values()],
    ranges,
    records,
  };
}

/** Adds an index that is larger than all before it. */
export function extend(ranges: IndexRange[], index: number): void {
  const last = ranges.at(-1);
  if (last !== undefined && last[1] === index - 1) last[1] = index;
  else ranges.push([index, index]);
}

/** A record as its bytes say it is. Throws LEDGER_DAMAGED when they are not those that were hashed. */
export function readRecord({ seq, bytes, hash: recorded }: Pick<RecordRow, 'seq' | 'hash'> & { bytes: Uint8Array }): AuditRecord {
  if (hash('sha256', bytes, 'hex') !== Buffer.from(recorded).toString('hex'))
    throw damaged(seq, 'its bytes are not those that were recorded');
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as AuditRecord;
}

async function* recordsOf(database: Database, session: string): AsyncGenerator<{ row: RecordRow; record: AuditRecord }> {
  for (let after = 0; ; ) {
    const page = await database.records.ofSession(session, after, PAGE);
    for (const row of page) {
      after = row.seq;
      if (row.bytes === null || row.type === 'erased') continue;
      yield { row, record: readRecord({ ...row, bytes: row.bytes }) };
    }
    if (page.length < PAGE) return;
    await nextTurn();
  }
}

/** Of a file that no record names. A symbolic link has no content: what it leads to is no part of the recording. */
async function measured(dataDirectory: string, file: string): Promise<ErasedFile> {
  const path = join(dataDirectory, file);
  const digest = createHash('sha256');
  let bytes = 0;
  if ((await lstat(path)).isFile()) {
    const content = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    for await (const chunk of content.createReadStream() as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      digest.update(chunk);
    }
  }
  return { file, bytes, sha256: digest.digest('hex') };
}

function damaged(seq: number, what: string): SallyportError {
  return new SallyportError('LEDGER_DAMAGED', `Record ${seq - 1} is not as it was written: ${what}`, {
    remedy: 'sallyport verify says what else is; restore the data directory, or keep its disk as evidence',
  });
}

function unfinished(session: string): SallyportError {
  return new SallyportError('ERASE_REFUSED', `A part of session ${session} is not sealed yet`, {
    remedy: 'try again in a moment, or after the next start of the gateway, which recovers it',
  });
}
