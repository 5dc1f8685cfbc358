import { join, resolve } from 'node:path';
import { SallyportError } from '../base/errors.ts';
import { ApprovalsTable } from './approvals-table.ts';
import { CertificatesTable } from './certificates-table.ts';
import { ChannelsTable } from './channels-table.ts';
import { Connection, isSqlError } from './connection.ts';
import { createDataDirectory, DATABASE_FILE, invalid, requireDataDirectory } from './data-directory.ts';
import { DisclosureTable } from './disclosure-table.ts';
import { emptyLog, forgetNames } from './erased-bytes.ts';
import { ErasuresTable } from './erasures-table.ts';
import { lockForGateway } from './gateway-lock.ts';
import { HoldsTable } from './holds-table.ts';
import { IdentitiesTable } from './identities-table.ts';
import { LocksTable } from './locks-table.ts';
import { migrate, SCHEMA_VERSION, schemaVersion } from './migrations.ts';
import { openReadOnly } from './open-read-only.ts';
import { OperatorKeysTable } from './operator-keys-table.ts';
import { OperatorTokensTable } from './operator-tokens-table.ts';
import { PeriodIndex } from './period-index.ts';
import { projectRecords, rebuildProjections } from './projections.ts';
import { createReadViews } from './read-views.ts';
import { RecordsTable } from './records-table.ts';
import { RecoveryTable } from './recovery-table.ts';
import { SegmentsTable } from './segments-table.ts';
import { SessionOverviews } from './session-overview.ts';
import { SessionsTable } from './sessions-table.ts';

/** The database of one data directory: for the one gateway that writes it, or for any number of readers beside it. */
export class Database {
  readonly directory: string;
  readonly records: RecordsTable;
  /** Where in the ledger a period is. */
  readonly period: PeriodIndex;
  readonly disclosure: DisclosureTable;
  readonly sessions: SessionsTable;
  readonly overviews: SessionOverviews;
  readonly channels: ChannelsTable;
  readonly segments: SegmentsTable;
  readonly recovery: RecoveryTable;
  readonly holds: HoldsTable;
  readonly locks: LocksTable;
  readonly erasures: ErasuresTable;
  readonly identities: IdentitiesTable;
  /** It was written by an older version, and is read as it is. */
  readonly isOlder: boolean;
  readonly approvals: ApprovalsTable;
  readonly operatorTokens: OperatorTokensTable;
  readonly operatorKeys: OperatorKeysTable;
  readonly certificates: CertificatesTable;
  readonly #connection: Connection;
  readonly #lock: Connection | undefined;
  #checkpointer: Promise<Connection> | undefined;

  private constructor(directory: string, connection: Connection, { lock, isOlder = false }: { lock?: Connection; isOlder?: boolean }) {
    this.directory = directory;
    this.isOlder = isOlder;
    this.#connection = connection;
    this.#lock = lock;
    this.records = new RecordsTable(connection);
    this.period = new PeriodIndex(connection);
    this.disclosure = new DisclosureTable(connection);
    this.sessions = new SessionsTable(connection);
    this.overviews = new SessionOverviews(connection);
    this.channels = new ChannelsTable(connection);
    this.segments = new SegmentsTable(connection);
    this.recovery = new RecoveryTable(connection);
    this.holds = new HoldsTable(connection);
    this.locks = new LocksTable(connection);
    this.erasures = new ErasuresTable(connection);
    this.identities = new IdentitiesTable(connection);
    this.approvals = new ApprovalsTable(connection);
    this.operatorTokens = new OperatorTokensTable(connection);
    this.operatorKeys = new OperatorKeysTable(connection);
    this.certificates = new CertificatesTable(connection);
  }

  /**
   * Makes the data directory where it is missing, takes its lock, and brings the database up to date. Throws
   * DATA_DIRECTORY_IN_USE, DATA_DIRECTORY_NEWER or DATA_DIRECTORY_INVALID.
   */
  static async openForGateway(dataDirectory: string): Promise<Database> {
    const directory = resolve(dataDirectory);
    await createDataDirectory(directory);
    let lock: Connection | undefined;
    let connection: Connection | undefined;
    try {
      lock = await lockForGateway(directory);
      connection = await Connection.open(join(directory, DATABASE_FILE), 'create');
      await schemaVersion(connection, directory); // Before anything is changed in it.
      // synchronous=FULL: in WAL mode only that makes a commit durable when it returns (sqlite.org/pragma.html).
      // secure_delete: what is erased is overwritten in its page, not only forgotten.
      await connection.exec(`
        PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
        PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;`);
      await migrate(connection, directory);
      await projectRecords(connection);
      await createReadViews(connection, SCHEMA_VERSION);
      return new Database(directory, connection, { lock });
    } catch (thrown) {
      await connection?.close();
      await lock?.close();
      throw described(thrown, directory);
    }
  }

  /** Reads beside a running gateway, and from a directory or a disk that takes no writes. */
  static async openForReading(dataDirectory: string): Promise<Database> {
    const directory = resolve(dataDirectory);
    await requireDataDirectory(directory);
    let connection: Connection | undefined;
    try {
      connection = await openReadOnly(join(directory, DATABASE_FILE));
      const version = await schemaVersion(connection, directory);
      if (version === 0) throw invalid(directory, 'holds no records yet', 'start a gateway on it first: sallyport serve');
      await createReadViews(connection, version);
      return new Database(directory, connection, { isOlder: version < SCHEMA_VERSION });
    } catch (thrown) {
      await connection?.close();
      throw described(thrown, directory);
    }
  }

  /** Makes the projections anew from the records, which are the truth. For the gateway's database only. */
  rebuildProjections(): Promise<void> {
    return rebuildProjections(this.#connection);
  }

  /**
   * After bytes were erased: takes what is left of them out of the database's files. False when a reader is in the way of
   * that at the moment; then it has to be tried again. For the gateway's database only.
   */
  async settleErasures(): Promise<boolean> {
    await forgetNames(this.#connection);
    this.#checkpointer ??= Connection.open(join(this.directory, DATABASE_FILE), 'create');
    return emptyLog(await this.#checkpointer);
  }

  async close(): Promise<void> {
    await (await this.#checkpointer)?.close();
    await this.#connection.close();
    await this.#lock?.close();
  }
}

function described(thrown: unknown, directory: string): unknown {
  if (thrown instanceof SallyportError) return thrown;
  if (isSqlError(thrown, 'SQLITE_NOTADB', 'SQLITE_CORRUPT')) {
    return invalid(
      directory,
      `holds a damaged ${DATABASE_FILE}: ${(thrown as Error).message}`,
      'restore that file from a backup; the recordings beside it are not touched',
      thrown,
    );
  }
  return invalid(
    directory,
    `cannot be opened: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    'see that its disk has space and that this user may use its files',
    thrown,
  );
}
