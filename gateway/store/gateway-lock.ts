import { join } from 'node:path';
import { SallyportError } from '../base/errors.ts';
import { Connection, isSqlError } from './connection.ts';
import { LOCK_FILE } from './data-directory.ts';

/**
 * Holds the data directory for one gateway: an exclusive transaction on a small file of its own, kept open. The lock is
 * the operating system's (SQLite's on a POSIX file), so it ends with the process however that ends, and it never stands
 * in the way of readers of the database.
 */
export async function lockForGateway(directory: string): Promise<Connection> {
  const lock = await Connection.open(join(directory, LOCK_FILE), 'create');
  try {
    await lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'); // Nothing is ever written to it.
    return lock;
  } catch (thrown) {
    await lock.close();
    if (!isSqlError(thrown, 'SQLITE_BUSY')) throw thrown;
    throw new SallyportError(
      'DATA_DIRECTORY_IN_USE',
      `Another gateway runs on the data directory ${directory}, or a command writes to it`,
      {
        remedy: 'stop it first, or give this one its own directory with --data',
        cause: thrown,
      },
    );
  }
}
