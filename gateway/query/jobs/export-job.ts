import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Database } from '../../store/database.ts';
import { exportBundle } from '../bundle/export-bundle.ts';
import { hashFile } from '../verify/hash-file.ts';
import type { ExportInput, JobProgress, Jobs } from './job.ts';

interface Host {
  readonly progress: (progress: JobProgress) => void;
  readonly attest: (tagManifest: string, question: Record<string, unknown>) => Promise<string>;
}

/** The file is for the gateway alone, and is all on the disk when this resolves. */
export async function exportJob({ directory, file: path, ...asked }: ExportInput, host: Host): Promise<Jobs['export']['result']> {
  const database = await Database.openForReading(directory);
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      const exported = await exportBundle(database, file, {
        ...asked,
        attest: host.attest,
        unrecorded: undefined,
        progress: ({ sessions, ofSessions, written }) => host.progress({ done: sessions, total: ofSessions, bytes: written }),
        // The thread is ended when the export is.
        signal: new AbortController().signal,
      });
      await file.sync();
      const { file: whole } = await hashFile(path, undefined);
      return { ...exported, ...whole };
    } finally {
      await file.close();
    }
  } finally {
    await database.close();
  }
}
