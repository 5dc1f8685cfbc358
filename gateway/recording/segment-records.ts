import { rmdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RecordDraft } from '../../contract/record.ts';
import type { Records } from '../ledger/records.ts';
import { SET_ASIDE_SUFFIX } from './journal-layout.ts';
import type { SealedSegment } from './seal-stretch.ts';

/** The part of the ledger that recording writes to. */
export type RecordWriter = Pick<Records, 'append' | 'gateway'>;

/** The record that commits the ledger to a segment. */
export function segmentSealed(segment: SealedSegment, records: RecordWriter): RecordDraft<'segment.sealed'> {
  const { header, cast } = segment;
  return {
    type: 'segment.sealed',
    outcome: 'success',
    actor: records.gateway,
    target: header.target,
    session: header.session,
    body: {
      channel: header.channel,
      segment: header.stretch,
      file: segment.file,
      bytes: segment.bytes,
      sha256: segment.sha256,
      from: cast.from,
      to: cast.to,
      events: cast.events,
      streams: cast.streams,
      attachments: segment.attachments,
    },
  };
}

/** Removes a stretch whose segment is durable and recorded, and the directories that it leaves empty. */
export async function dropStretch(journal: string): Promise<void> {
  await rm(journal, { force: true });
  const channel = dirname(journal);
  // In one turn, so that no channel of the session is opened in between.
  if (removeEmpty(channel)) removeEmpty(dirname(channel));
}

/** Keeps a stretch that could not be sealed, or not to its end, where sealing does not look. Returns its new path. */
export async function setAside(journal: string): Promise<string> {
  const path = `${journal}${SET_ASIDE_SUFFIX}`;
  await rename(journal, path);
  return path;
}

/** Removes a directory's named subdirectories and then itself, as far as they are empty. */
export function removeEmptyDirectories(directory: string, names: readonly string[]): void {
  const emptied = names.map((name) => removeEmpty(join(directory, name)));
  if (emptied.every(Boolean)) removeEmpty(directory);
}

function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    if (code === 'ENOENT') return true;
    throw thrown;
  }
}
