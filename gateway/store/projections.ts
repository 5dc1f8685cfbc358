import type { RecordType } from '../../contract/record.ts';
import { approvalsProjection } from './approvals-table.ts';
import { certificatesProjection } from './certificates-table.ts';
import { channelsProjection } from './channels-table.ts';
import type { Connection } from './connection.ts';
import { erasuresProjection } from './erasures-table.ts';
import { holdsProjection } from './holds-table.ts';
import { identitiesProjection } from './identities-table.ts';
import { locksProjection } from './locks-table.ts';
import { operatorKeysProjection } from './operator-keys-table.ts';
import { operatorTokensProjection } from './operator-tokens-table.ts';
import type { Projection } from './projection.ts';
import { segmentsProjection } from './segments-table.ts';
import { sessionCountsProjection } from './session-counts.ts';
import { erasedSessionOpen, sessionsProjection } from './sessions-table.ts';

/** In the order in which one record is applied to them: the sums of `sessions` do not depend on the other tables. */
const projections: readonly Projection[] = [
  sessionsProjection,
  channelsProjection,
  segmentsProjection,
  holdsProjection,
  erasuresProjection,
  approvalsProjection,
  locksProjection,
  operatorTokensProjection,
  certificatesProjection,
  identitiesProjection,
  operatorKeysProjection,
  sessionCountsProjection,
];

const tables = [
  'sessions',
  'channels',
  'segments',
  'holds',
  'erasures',
  'approvals',
  'approval_decisions',
  'connection_grants',
  'locks',
  'certificates',
  'identities',
  'operator_keys',
  'names',
];

/** Records that are about no session, or not always. All others do nothing without one. */
const WITHOUT_SESSION: ReadonlySet<string> = new Set([
  'hold.set',
  'hold.cleared',
  'erased',
  'principal.locked',
  'principal.unlocked',
  'credential.issued',
  'credential.revoked',
  'identity.changed',
  'operator.key',
] satisfies RecordType[]);

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
      ${tables.map((table) => `DELETE FROM ${table};`).join(' ')}
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

/** A record that is erased has no bytes: its own projections are passed over, and what remains of it is projected instead. */
function triggers(name: string, event: string): string {
  const types = new Set(projections.flatMap((projection) => Object.keys(projection) as RecordType[]));
  const statements = [...types].map((type) => {
    const body = projections.map((projection) => projection[type] ?? '').join('\n');
    const session = WITHOUT_SESSION.has(type) ? '' : 'AND new.session IS NOT NULL';
    return trigger(`${name}_${type.replaceAll('.', '_')}`, event, `new.type = '${type}' AND new.bytes IS NOT NULL ${session}`, body);
  });
  const erased = trigger(
    `${name}_without_bytes`,
    event,
    `new.type = 'session.open' AND new.bytes IS NULL AND new.session IS NOT NULL`,
    erasedSessionOpen,
  );
  return [...statements, erased].join('\n');
}

function trigger(name: string, event: string, condition: string, body: string): string {
  return `CREATE TEMP TRIGGER ${name} ${event} WHEN ${condition} BEGIN ${body} END;`;
}
