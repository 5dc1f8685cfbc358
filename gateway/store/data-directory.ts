import { constants } from 'node:fs';
import { access, mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SallyportError } from '../base/errors.ts';

/** What stands in a data directory; docs/architecture.md describes each. */
export const DATABASE_FILE = 'sallyport.db';
export const LOCK_FILE = 'gateway.lock';
const FOLDERS = ['keys', 'journal', 'recordings', 'ledger'];

/**
 * Makes the data directory and its folders where they are missing, for the gateway's own user alone. A directory that
 * is there keeps its mode; the folders in it are closed to others either way.
 */
export async function createDataDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const folder of FOLDERS) await mkdir(join(directory, folder), { recursive: true, mode: 0o700 });
    // SQLite gives its -wal and -shm files the mode of the database, so the mode is decided here, before it opens them.
    for (const file of [DATABASE_FILE, LOCK_FILE]) await (await open(join(directory, file), 'a', 0o600)).close();
  } catch (thrown) {
    throw invalid(directory, `cannot be used: ${messageOf(thrown)}`, 'name a directory that this user may write to', thrown);
  }
}

/** Throws DATA_DIRECTORY_INVALID unless `directory` holds a database of Sallyport that this user may read. */
export async function requireDataDirectory(directory: string): Promise<void> {
  const remedy = 'name the data directory of a gateway with --data, or its configuration with --config';
  const found = await stat(directory).catch((thrown: unknown) => thrown);
  if (found instanceof Error)
    throw invalid(directory, isMissing(found) ? 'does not exist' : `cannot be read: ${found.message}`, remedy, found);
  try {
    await access(join(directory, DATABASE_FILE), constants.R_OK);
  } catch (thrown) {
    if (isMissing(thrown)) throw invalid(directory, `holds no ${DATABASE_FILE}`, remedy, thrown);
    throw invalid(directory, `cannot be read: ${messageOf(thrown)}`, 'run this as the user of the gateway', thrown);
  }
}

export function invalid(directory: string, what: string, remedy: string, cause?: unknown): SallyportError {
  return new SallyportError('DATA_DIRECTORY_INVALID', `The data directory ${directory} ${what}`, {
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR');
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
