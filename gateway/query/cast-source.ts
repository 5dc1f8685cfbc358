import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SegmentRow } from '../../contract/session.ts';
import { isGone } from '../recording/errno-code.ts';
import { channelJournalDirectory, journalFile, stretchOfFileName } from '../recording/journal-layout.ts';
import type { Database } from '../store/database.ts';

/** Where the part of a recording with this number is to be had: sealed, or still in the journal, or both, or neither. */
export interface CastSource {
  number: number;
  sealed: SegmentRow | undefined;
  journal: string | undefined;
}

/**
 * Every part of a channel's recording in order. A number that is missing between others is in the list with neither
 * form, so that its absence is told and not passed over.
 */
export async function castSources(database: Database, session: string, channel: number): Promise<CastSource[]> {
  // The journal first: a stretch that is sealed between the two questions is then found at least once.
  const stretches = await stretchNumbers(channelJournalDirectory(database.directory, session, channel));
  const segments = new Map((await database.segments.ofChannel(session, channel)).map((segment) => [segment.segment, segment]));
  const last = Math.max(0, ...stretches, ...segments.keys());
  const inJournal = new Set(stretches);
  return Array.from({ length: last }, (_, index) => {
    const number = index + 1;
    return {
      number,
      sealed: segments.get(number),
      journal: inJournal.has(number) ? journalFile(database.directory, session, channel, number) : undefined,
    };
  });
}

/** Channels of which there is a journal, whether or not their opening is recorded yet. */
export async function journaledChannels(dataDirectory: string, session: string): Promise<number[]> {
  const names = await namesIn(join(channelJournalDirectory(dataDirectory, session, 0), '..'));
  return names.filter((name) => /^\d{1,6}$/.test(name)).map(Number);
}

export async function isJournaled(dataDirectory: string, session: string, channel: number): Promise<boolean> {
  const found = await stat(channelJournalDirectory(dataDirectory, session, channel)).catch(() => undefined);
  return found?.isDirectory() === true;
}

async function stretchNumbers(directory: string): Promise<number[]> {
  const names = await namesIn(directory);
  return names.map(stretchOfFileName).filter((number) => number !== undefined);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (thrown) {
    // Nothing is left in the journal of a session that has ended in order.
    if (isGone(thrown)) return [];
    throw thrown;
  }
}
