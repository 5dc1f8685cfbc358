import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Connection, isSqlError } from './connection.ts';

/**
 * Opens a database in WAL mode for reading, without a lock that a gateway would notice and without a byte written to
 * the data directory where that can be avoided:
 * - No `-wal` file: the last gateway stopped in order and the database is one quiet file. SQLite would make new `-wal`
 *   and `-shm` files even for a reader (and fail on a full disk), so it is told that nothing changes (`immutable`).
 * - A `-wal` file: a gateway runs, or it died. SQLite joins the shared memory of the one, and recovers the other in
 *   private memory when it may not write (sqlite.org/wal.html#readonly).
 * - A `-wal` file that SQLite cannot join, because its `-shm` is missing and cannot be made (a copy on a read-only
 *   medium, a full disk): the two files are copied to temporary storage and read there.
 */
export async function openReadOnly(file: string): Promise<Connection> {
  if (!(await exists(`${file}-wal`))) return opened(`${uri(file)}?immutable=1`);
  try {
    return await opened(`${uri(file)}?mode=ro`);
  } catch (thrown) {
    if (!isSqlError(thrown, 'SQLITE_CANTOPEN', 'SQLITE_READONLY', 'SQLITE_IOERR', 'SQLITE_FULL')) throw thrown;
    return await openCopy(file);
  }
}

async function openCopy(file: string): Promise<Connection> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-'));
  try {
    const copy = join(directory, 'copy.db');
    await copyFile(file, copy);
    await copyFile(`${file}-wal`, `${copy}-wal`);
    return await opened(`${uri(copy)}?mode=ro`);
  } finally {
    // An open file lives on without its name, and goes with the process.
    await rm(directory, { recursive: true, force: true });
  }
}

async function opened(uriOfFile: string): Promise<Connection> {
  const connection = await Connection.open(uriOfFile, 'read');
  try {
    await connection.exec('PRAGMA busy_timeout = 5000');
    await connection.get('SELECT count(*) FROM sqlite_schema'); // The first read is what joins the WAL.
    return connection;
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

function uri(file: string): string {
  return pathToFileURL(file).href;
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
