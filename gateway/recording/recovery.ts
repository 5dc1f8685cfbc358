import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import { errnoCode } from './errno-code.ts';
import { JOURNAL_DIRECTORY, stretchOfFileName } from './journal-layout.ts';
import { recoverSession } from './recover-session.ts';
import type { OpenSession, RecoveryIndex } from './recovery-index.ts';
import type { Sealer } from './sealer.ts';
import { type RecordWriter, removeEmptyDirectories } from './segment-records.ts';

export interface RecoveryParts {
  dataDirectory: string;
  records: RecordWriter;
  log: Log;
  sealer: Sealer;
  index: RecoveryIndex;
}

/** What an earlier life of the gateway had left behind. */
export interface RecoveryReport {
  sessions: number;
  channels: number;
  segments: number;
  tornBytes: number;
  /** Journal files that could not be sealed, or not to their end, under the names they are kept by. */
  setAside: string[];
}

/** The stretches that are left of a session: channel number to the paths of its stretches, in order. */
export type LeftStretches = ReadonlyMap<number, readonly { stretch: number; path: string; bytes: number }[]>;

/** Sessions at a time: enough to share the syncs of records and files among many. */
const CONCURRENT_SESSIONS = 64;

const SESSION_NAME = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const CHANNEL_NAME = /^(0|[1-9]\d{0,8})$/;

/**
 * Seals every stretch that is left in the journal, records what became of it, and closes the sessions that have no
 * close. A stretch is only deleted after all of that is durable; so this may be interrupted at any moment and begun
 * again. Memory does not grow with the size of the journals.
 */
export async function recoverJournals(parts: RecoveryParts): Promise<RecoveryReport> {
  const report: RecoveryReport = { sessions: 0, channels: 0, segments: 0, tornBytes: 0, setAside: [] };
  const open = new Map<string, OpenSession>();
  for (const session of await parts.index.openSessions()) open.set(session.session, session);

  const inJournal = (await readdir(join(parts.dataDirectory, JOURNAL_DIRECTORY))).filter((name) => SESSION_NAME.test(name));
  const sessions = [...new Set([...inJournal, ...open.keys()])].sort();
  const queue = sessions.values();
  const work = async () => {
    for (const session of queue) {
      const left = await leftStretches(parts.dataDirectory, session);
      const nothingLeft = [...left.values()].every((stretches) => stretches.length === 0);
      // Only files that were set aside, or directories that a crash left empty.
      if (nothingLeft && !open.has(session))
        await removeEmptyDirectories(join(parts.dataDirectory, JOURNAL_DIRECTORY, session), [...left.keys()].map(String));
      else await recoverSession(parts, session, left, open.get(session), report);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_SESSIONS }, work));
  if (report.sessions > 0) parts.log.info({ ...report }, 'recordings of an earlier life were recovered');
  return report;
}

async function leftStretches(dataDirectory: string, session: string): Promise<LeftStretches> {
  const directory = join(dataDirectory, JOURNAL_DIRECTORY, session);
  const found = new Map<number, { stretch: number; path: string; bytes: number }[]>();
  for (const channel of await namesIn(directory)) {
    if (!CHANNEL_NAME.test(channel)) continue;
    const stretches: { stretch: number; path: string; bytes: number }[] = [];
    for (const name of await namesIn(join(directory, channel))) {
      const stretch = stretchOfFileName(name);
      if (stretch === undefined) continue;
      const path = join(directory, channel, name);
      stretches.push({ stretch, path, bytes: (await stat(path)).size });
    }
    found.set(
      Number(channel),
      stretches.sort((left, right) => left.stretch - right.stretch),
    );
  }
  return found;
}

/** Nothing, where there is no such directory: the journal of a session may be gone altogether. */
async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (thrown) {
    const code = errnoCode(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw thrown;
  }
}
