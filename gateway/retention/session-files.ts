import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SallyportError } from '../base/errors.ts';
import { syncDirectory } from '../recording/durable-directory.ts';
import { JOURNAL_DIRECTORY, recordingDirectory } from '../recording/journal-layout.ts';

/*
 * Finding and deleting the files of one session. What is deleted follows from the session's id and from what lies in its
 * own directories. Paths in the database only ever narrow that: a row that somebody tampered with deletes nothing else,
 * and neither does a symbolic link that stands where a directory should.
 */

const CHANNEL = /^(0|[1-9]\d{0,8})$/;
const FILE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/;
/** A month's directory is made by whoever seals a session of that month; by then nobody does any more. */
const MONTH_IS_OVER_DAYS = 62;

/** The directories that belong to this session alone, below the data directory. */
export function sessionDirectories(session: string): readonly string[] {
  return [recordingDirectory(session, 0).slice(0, -'/0'.length), `${JOURNAL_DIRECTORY}/${session}`];
}

/** Whether this path, as a record has it, is one of a file of this session: lexically, without a look at the disk. */
export function isFileOf(session: string, path: string): boolean {
  return sessionDirectories(session).some((directory) => {
    if (!path.startsWith(`${directory}/`)) return false;
    const [first = '', second, ...more] = path.slice(directory.length + 1).split('/');
    if (second === undefined) return FILE.test(first) && !CHANNEL.test(first);
    return CHANNEL.test(first) && FILE.test(second) && more.length === 0;
  });
}

/** Every file that lies in the session's directories. Throws ERASE_INCOMPLETE when something lies there that is no file of it. */
export async function filesOnDisk(dataDirectory: string, session: string): Promise<string[]> {
  const found: string[] = [];
  for (const directory of sessionDirectories(session)) {
    if (!(await isRealDirectory(dataDirectory, directory))) continue;
    for (const entry of await entriesOf(dataDirectory, directory)) {
      if (entry.isDirectory() && CHANNEL.test(entry.name)) {
        const channel = `${directory}/${entry.name}`;
        for (const file of await entriesOf(dataDirectory, channel))
          found.push(named(session, `${channel}/${file.name}`, file.isDirectory()));
      } else {
        found.push(named(session, `${directory}/${entry.name}`, entry.isDirectory()));
      }
    }
  }
  return found.sort();
}

function named(session: string, path: string, isDirectory: boolean): string {
  if (isDirectory || !isFileOf(session, path)) throw incomplete(`${path} is nothing that belongs to a recording`);
  return path;
}

/**
 * Deletes these files, those that are gone already included, makes that durable, and removes the directories that are
 * empty then. `now` is wall clock microseconds. Returns the bytes that were given back.
 */
export async function deleteFiles(dataDirectory: string, session: string, files: readonly string[], now: number): Promise<number> {
  const directories = new Set<string>();
  let bytes = 0;
  for (const file of files) {
    if (!isFileOf(session, file)) throw incomplete(`${file} is not a file of session ${session}`);
    const directory = file.slice(0, file.lastIndexOf('/'));
    if (!directories.has(directory) && !(await isRealDirectory(dataDirectory, directory))) continue;
    directories.add(directory);
    bytes += await deleteFile(join(dataDirectory, file));
  }
  for (const directory of directories) await syncDirectory(join(dataDirectory, directory));
  await removeEmptyDirectories(dataDirectory, session, now);
  return bytes;
}

async function deleteFile(path: string): Promise<number> {
  try {
    const { size } = await lstat(path);
    await unlink(path); // Of a symbolic link, the link.
    return size;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return 0;
    throw incomplete(`${path} cannot be deleted: ${messageOf(thrown)}`, thrown);
  }
}

async function removeEmptyDirectories(dataDirectory: string, session: string, now: number): Promise<void> {
  for (const directory of sessionDirectories(session)) {
    if (!(await isRealDirectory(dataDirectory, directory))) continue;
    for (const entry of await entriesOf(dataDirectory, directory))
      if (entry.isDirectory()) await removeIfEmpty(dataDirectory, `${directory}/${entry.name}`);
    if (!(await removeIfEmpty(dataDirectory, directory)) || directory.startsWith(JOURNAL_DIRECTORY)) continue;
    const month = directory.slice(0, directory.lastIndexOf('/'));
    const [, year = '', number = ''] = month.split('/');
    if (now / 1000 - Date.UTC(Number(year), Number(number) - 1) < MONTH_IS_OVER_DAYS * 86_400_000) continue;
    if (await removeIfEmpty(dataDirectory, month)) await removeIfEmpty(dataDirectory, month.slice(0, month.lastIndexOf('/')));
  }
}

/** Whether it is gone now. */
async function removeIfEmpty(dataDirectory: string, directory: string): Promise<boolean> {
  try {
    await rmdir(join(dataDirectory, directory));
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'ENOENT') return true;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw incomplete(`${directory} cannot be removed: ${messageOf(thrown)}`, thrown);
  }
  await syncDirectory(join(dataDirectory, directory, '..'));
  return true;
}

/** Whether there is such a directory. Throws ERASE_INCOMPLETE when it, or one above it, is a link or something else. */
async function isRealDirectory(dataDirectory: string, path: string): Promise<boolean> {
  const steps = path.split('/');
  for (let length = 1; length <= steps.length; length += 1) {
    const directory = steps.slice(0, length).join('/');
    try {
      const found = await lstat(join(dataDirectory, directory));
      if (!found.isDirectory())
        throw incomplete(`${directory} is ${found.isSymbolicLink() ? 'a symbolic link' : 'something else'} in the place of a directory`);
    } catch (thrown) {
      if (codeOf(thrown) === 'ENOENT') return false;
      throw thrown;
    }
  }
  return true;
}

async function entriesOf(dataDirectory: string, directory: string) {
  try {
    return await readdir(join(dataDirectory, directory), { withFileTypes: true });
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return [];
    throw incomplete(`${directory} cannot be read: ${messageOf(thrown)}`, thrown);
  }
}

function incomplete(what: string, cause?: unknown): SallyportError {
  return new SallyportError('ERASE_INCOMPLETE', `A recording could not be deleted: ${what}`, {
    remedy: 'mend that; the next run of the retention goes on where this one stopped',
    ...(cause === undefined ? {} : { cause }),
  });
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
