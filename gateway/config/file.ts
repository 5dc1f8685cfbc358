import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { SallyportError } from '../base/errors.ts';

/** Some thirteen thousand principals fit; a file beyond that is not a configuration. */
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

export interface ConfigFile {
  readonly bytes: Buffer;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly hash: string;
  /** Who may write to it decides who may enter. */
  readonly writableByAnybody: boolean;
}

/** Reads the whole file, or throws CONFIG_UNREADABLE. Never reads more than the limit, whatever the path names. */
export function readConfigFile(path: string): ConfigFile {
  const descriptor = open(path);
  try {
    const stats = fstatSync(descriptor);
    requireRegular(path, stats);
    const bytes = readAtMost(descriptor, MAX_CONFIG_BYTES + 1);
    if (stats.size > MAX_CONFIG_BYTES || bytes.length > MAX_CONFIG_BYTES) {
      throw new SallyportError(
        'CONFIG_UNREADABLE',
        `${path} has ${Math.max(stats.size, bytes.length)} bytes, and a configuration has at most ${MAX_CONFIG_BYTES}`,
        {
          remedy: 'Check that this is the configuration and not, for example, a log or a recording.',
        },
      );
    }
    return { bytes, hash: createHash('sha256').update(bytes).digest('hex'), writableByAnybody: (stats.mode & 0o002) !== 0 };
  } catch (error) {
    if (error instanceof SallyportError) throw error;
    throw new SallyportError('CONFIG_UNREADABLE', `${path} cannot be read: ${reasonOf(error)}`, {
      cause: error,
      remedy: 'Check the disk or the mount that it lies on.',
    });
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new SallyportError('CONFIG_UNREADABLE', `${path} cannot be opened: ${reasonOf(error)}`, {
      cause: error,
      remedy: 'Check the path, and that the user who runs the gateway may read the file.',
    });
  }
}

function requireRegular(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  const what = stats.isDirectory() ? 'a directory' : 'not a regular file';
  throw new SallyportError('CONFIG_UNREADABLE', `${path} is ${what}`, { remedy: 'Name the YAML file itself.' });
}

function readAtMost(descriptor: number, limit: number): Buffer {
  const pieces: Buffer[] = [];
  let total = 0;
  while (total < limit) {
    const piece = Buffer.allocUnsafe(Math.min(64 * 1024, limit - total));
    const read = readSync(descriptor, piece);
    if (read === 0) break;
    pieces.push(piece.subarray(0, read));
    total += read;
  }
  return Buffer.concat(pieces, total);
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission is denied';
  return error instanceof Error ? error.message : String(error);
}
