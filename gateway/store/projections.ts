import type { RecordType } from '../../contract/record.ts';
import { channelsProjection } from './channels-table.ts';
import type { Connection } from './connection.ts';
import type { Projection } from './projection.ts';
import { segmentsProjection } from './segments-table.ts';
import { sessionsProjection } from './sessions-table.ts';

/** In the order in which one record is applied to them: the sums of `sessions` do not depend on the other tables. */
const projections: readonly Projection[] = [sessionsProjection, channelsProjection, segmentsProjection];

/**
 * Makes every insert into `records` write the projections too. A trigger is part of the inserting statement, so there
 * is no moment, and no error, after which a record is there and its projection is not, and a lone record stays one
 * statement: one round trip, one sync. The triggers are temporary: they belong to the gateway's connection and are
 * always those of the running program.
 */
export function projectRecords(connection: Connection): Promise<void> {
  return connection.exec(triggers('live', 'AFTER INSERT ON main.records'));
}

/** Empties the projections and applies every record again, in one transaction. */
export async function rebuildProjections(connection: Connection): Promise<void> {
  try {
    await connection.exec(`
      BEGIN IMMEDIATE;
      DELETE FROM sessions; DELETE FROM channels; DELETE FROM segments;
      CREATE TEMP VIEW replayed AS SELECT seq, id, time, type, session, hash, bytes FROM main.records;
      ${triggers('replay', 'INSTEAD OF INSERT ON replayed')}
      INSERT INTO replayed SELECT * FROM main.records ORDER BY seq;
      DROP VIEW replayed;
      COMMIT;`);
  } catch (thrown) {
    await connection.exec('ROLLBACK').catch(() => undefined); // SQLite may have rolled back already; the first error is the one that counts.
    throw thrown;
  }
}

function triggers(name: string, event: string): string {
  const types = new Set(projections.flatMap((projection) => Object.keys(projection) as RecordType[]));
  const statements = [...types].map((type) => {
    const body = projections.map((projection) => projection[type] ?? '').join('\n');
    return `CREATE TEMP TRIGGER ${name}_${type.replaceAll('.', '_')} ${event} WHEN new.type = '${type}' AND new.session IS NOT NULL BEGIN ${body} END;`;
  });
  return statements.join('\n');
}
