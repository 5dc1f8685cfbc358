import { join } from 'node:path';

/**
 * Where recordings live below the data directory. Paths in records are relative to it and use `/`, so that the
 * directory can be copied anywhere and still verifies.
 */
export const JOURNAL_DIRECTORY = 'journal';
export const JOURNAL_SUFFIX = '.journal';
export const SET_ASIDE_SUFFIX = '.set-aside';
export const RESERVE_FILE = 'reserve';

export function channelJournalDirectory(dataDirectory: string, session: string, channel: number): string {
  return join(dataDirectory, JOURNAL_DIRECTORY, session, String(channel));
}

/** `NNNN`: segments and stretches count from 1 and sort as text up to 9999; beyond that they simply get longer. */
export function stretchNumber(number: number): string {
  return String(number).padStart(4, '0');
}

export function journalFile(dataDirectory: string, session: string, channel: number, stretch: number): string {
  return join(channelJournalDirectory(dataDirectory, session, channel), `${stretchNumber(stretch)}${JOURNAL_SUFFIX}`);
}

/** The number in a journal's file name, or undefined when it is not one. */
export function stretchOfFileName(name: string): number | undefined {
  const match = /^(\d{4,9})\.journal$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** `recordings/YYYY/MM/<session>/<channel>`: year and month (UTC) in which the session began, read from its UUIDv7. */
export function recordingDirectory(session: string, channel: number): string {
  const started = new Date(Number.parseInt(session.slice(0, 8) + session.slice(9, 13), 16));
  const month = String(started.getUTCMonth() + 1).padStart(2, '0');
  return `recordings/${started.getUTCFullYear()}/${month}/${session}/${channel}`;
}

export function segmentFileName(segment: number): string {
  return `${stretchNumber(segment)}.cast.zst`;
}

export function attachmentFileName(segment: number, stream: string): string {
  return `${stretchNumber(segment)}.${stream}.bin.zst`;
}
