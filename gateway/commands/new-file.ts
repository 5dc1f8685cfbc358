import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SallyportError } from '../base/errors.ts';

/**
 * Writes a file that is there in full or not at all: under a temporary name beside it, renamed when `write` is done, and
 * removed when it fails. The file is for its owner alone. Throws EXPORT_FAILED when it cannot be written, or exists and
 * is not to be replaced, and whatever `write` throws.
 */
export async function writeNewFile(path: string, force: boolean, write: (file: FileHandle) => Promise<void>): Promise<void> {
  if (!force && (await exists(path))) throw alreadyThere(path);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
  let file: FileHandle;
  try {
    file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (thrown) {
    throw cannotWrite(path, thrown);
  }
  try {
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    if (force) await rename(temporary, path);
    else await giveName(temporary, path);
  } catch (thrown) {
    throw isSystemError(thrown) ? cannotWrite(path, thrown) : thrown;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A link is not made over a file that has come into being meanwhile; a rename would replace it. */
async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') throw alreadyThere(path);
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(thrown))) throw thrown;
    await rename(temporary, path); // A file system without links.
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

function isSystemError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown;
}

function alreadyThere(path: string): SallyportError {
  return new SallyportError('EXPORT_FAILED', `${path} exists already`, { remedy: 'choose another name, or add --force to replace it' });
}

function cannotWrite(path: string, thrown: unknown): SallyportError {
  const why = codeOf(thrown) === 'ENOSPC' ? 'the disk is full' : thrown instanceof Error ? thrown.message : String(thrown);
  return new SallyportError('EXPORT_FAILED', `Cannot write ${path}: ${why}`, {
    remedy: 'choose a folder that this user may write to and that has space',
    cause: thrown,
  });
}
