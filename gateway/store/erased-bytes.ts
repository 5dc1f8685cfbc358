import type { Connection } from './connection.ts';

/** Milliseconds that readers and writers may be waited for at a time: so long, at most, do others wait for this. */
const BUSY_MILLIS = 50;

/**
 * Takes the names that nobody on record is called by any more from the database. Their rows stay, shorter: see the note
 * on stale copies in migrations.ts.
 */
export function forgetNames(connection: Connection): Promise<void> {
  return connection.run(`
    UPDATE names SET name = NULL
    WHERE name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.principal = names.id)
      AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.on_behalf_of = names.id)`);
}

/**
 * Moves what stands in the write-ahead log into the database and empties the log, in which bytes that were erased may
 * stand in older versions of their pages. False when somebody reads an older state at the moment. `checkpointer` is a
 * connection of its own, so that records do not wait behind a reader.
 */
export async function emptyLog(checkpointer: Connection): Promise<boolean> {
  await checkpointer.exec(`PRAGMA busy_timeout = ${BUSY_MILLIS}`);
  const row = await checkpointer.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)');
  return row?.busy === 0;
}
