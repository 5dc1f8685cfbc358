import { rename, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RecordDraft } from '../../contract/record.ts';
import type { Records } from '../ledger/records.ts';
import { errnoCode } from './errno-code.ts';
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
      text: segment.text,
      attachments: segment.attachments,
      ...(cast.redacted === 0 ? {} : { redacted: cast.redacted }),
    },
  };
}

/** Removes a stretch whose segment is durable and recorded, and the directories that it leaves empty. */
export async function dropStretch(journal: string): Promise<void> {
  await unlink(journal).catch(unlessMissing);
  const channel = dirname(journal);
  // A channel that is being opened makes these directories again when it finds them gone.
  if (await removeEmpty(channel)) await removeEmpty(dirname(channel));
}

/** Keeps a stretch that could not be sealed, or not to its end, where sealing does not look. Returns its new path. */
export async function setAside(journal: string): Promise<string> {
  const path = `${journal}${SET_ASIDE_SUFFIX}`;
  await rename(journal, path);
  return path;
}

/** Removes a directory's named subdirectories and then itself, as far as they are empty. */
export async function removeEmptyDirectories(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) await removeEmpty(join(directory, name));
  await removeEmpty(directory);
}

/** Whether the directory is gone now. */
async function removeEmpty(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch (thrown) {
    const code = errnoCode(thrown);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    unlessMissing(thrown);
    return true;
  }
}

function unlessMissing(thrown: unknown): void {
  if (errnoCode(thrown) !== 'ENOENT') throw thrown;
}
