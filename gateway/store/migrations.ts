import { SallyportError } from '../base/errors.ts';
import type { Connection } from './connection.ts';
import { DATABASE_FILE, invalid } from './data-directory.ts';
import { sessionCountsStep } from './session-counts-step.ts';

/**
 * How the schema came to be: step N takes a database from version N to N + 1 (`PRAGMA user_version`). A step that was
 * released is never edited again.
 *
 * `records` is the truth. The other tables are projections of it (projections.ts) and can be rebuilt at any time, so
 * they carry no constraint that could make a record fail.
 */
const steps: readonly string[] = [
  `
  CREATE TABLE records (
    seq     INTEGER PRIMARY KEY,      -- 1, 2, 3 … in the order of the ledger, without a gap
    id      TEXT NOT NULL UNIQUE,
    time    TEXT NOT NULL,
    type    TEXT NOT NULL,
    session TEXT,
    hash    BLOB NOT NULL,            -- SHA-256 of bytes
    bytes   BLOB NOT NULL             -- canonical JSON, exactly as it was hashed
  );
  CREATE INDEX records_by_session ON records (session, seq) WHERE session IS NOT NULL;

  CREATE TABLE sessions (
    seq            INTEGER PRIMARY KEY, -- of its session.open
    id             TEXT NOT NULL UNIQUE,
    started        TEXT NOT NULL,
    ended          TEXT,
    state          TEXT NOT NULL,       -- live, closed, recovered
    principal      TEXT NOT NULL,
    principal_kind TEXT NOT NULL,
    on_behalf_of   TEXT,
    target         TEXT NOT NULL,
    target_kind    TEXT NOT NULL,
    protocol       TEXT NOT NULL,
    source         TEXT NOT NULL,
    channels       INTEGER NOT NULL DEFAULT 0,
    bytes_in       INTEGER NOT NULL DEFAULT 0,
    bytes_out      INTEGER NOT NULL DEFAULT 0,
    reason         TEXT
  );
  CREATE INDEX sessions_live ON sessions (seq) WHERE state = 'live';
  CREATE INDEX sessions_by_started ON sessions (started);
  CREATE INDEX sessions_by_principal ON sessions (principal, seq);
  CREATE INDEX sessions_by_target ON sessions (target, seq);

  CREATE TABLE channels (
    session     TEXT NOT NULL,
    channel     INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    detail      TEXT NOT NULL,         -- JSON
    opened      TEXT NOT NULL,
    closed      TEXT,
    exit_status INTEGER,
    exit_signal TEXT,
    bytes_i     INTEGER NOT NULL DEFAULT 0,
    bytes_o     INTEGER NOT NULL DEFAULT 0,
    bytes_e     INTEGER NOT NULL DEFAULT 0,
    reason      TEXT,
    PRIMARY KEY (session, channel)
  ) WITHOUT ROWID;
  CREATE INDEX channels_open ON channels (session, channel) WHERE closed IS NULL;

  CREATE TABLE segments (
    session TEXT NOT NULL,
    channel INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    file    TEXT NOT NULL,             -- below the data directory
    bytes   INTEGER NOT NULL,
    sha256  TEXT NOT NULL,
    from_ns INTEGER NOT NULL,
    to_ns   INTEGER NOT NULL,
    events  INTEGER NOT NULL,
    PRIMARY KEY (session, channel, segment)
  ) WITHOUT ROWID;
  `,
  // Taking NOT NULL from a column changes nothing in the rows, so the definition is edited in place, as sqlite.org
  // describes it (lang_altertable.html, section 8): at once, however many records there are.
  //
  // What a record says of people stands in its bytes and nowhere else, so that taking them erases it: SQLite may leave
  // stale copies of rows behind when it splits and joins pages, of any row that was ever beside a changing one. Records
  // are only appended and made shorter, which never moves them; names are too. read-views.ts puts the parts together.
  `
  PRAGMA writable_schema = ON;
  UPDATE sqlite_schema SET sql = replace(sql, 'bytes   BLOB NOT NULL', 'bytes   BLOB         ')
  WHERE type = 'table' AND name = 'records';
  PRAGMA writable_schema = RESET;

  CREATE INDEX records_refused ON records (seq) WHERE type IN ('auth.refused', 'session.refused') AND bytes IS NOT NULL;
  CREATE INDEX records_retention_run ON records (seq) WHERE type = 'retention.run';

  CREATE TABLE names (
    id   INTEGER PRIMARY KEY,
    name TEXT                          -- null once nobody is called so any more
  );
  INSERT INTO names (name) SELECT principal FROM sessions UNION SELECT on_behalf_of FROM sessions WHERE on_behalf_of IS NOT NULL;
  CREATE UNIQUE INDEX names_for_now ON names (name);

  ALTER TABLE sessions RENAME TO former_sessions;
  CREATE TABLE sessions (
    seq          INTEGER PRIMARY KEY, -- of its session.open
    id           TEXT NOT NULL,
    started      TEXT NOT NULL,
    ended        TEXT,
    state        TEXT NOT NULL,       -- live, closed, recovered, erased
    principal    INTEGER,             -- of names; null once the session is erased
    on_behalf_of INTEGER,             -- likewise
    target       TEXT NOT NULL,
    target_kind  TEXT NOT NULL,
    protocol     TEXT NOT NULL,
    channels     INTEGER NOT NULL DEFAULT 0,
    bytes_in     INTEGER NOT NULL DEFAULT 0,
    bytes_out    INTEGER NOT NULL DEFAULT 0,
    end_seq      INTEGER              -- of the record that says why it ended
  );
  INSERT INTO sessions
  SELECT seq, id, started, ended, state, (SELECT n.id FROM names n WHERE n.name = principal), (SELECT n.id FROM names n WHERE n.name = on_behalf_of),
         target, target_kind, protocol, channels, bytes_in, bytes_out,
         (SELECT r.seq FROM records r WHERE r.session = s.id AND r.type IN ('session.close', 'session.recovered') ORDER BY r.type, r.seq LIMIT 1)
  FROM former_sessions s ORDER BY seq;
  DROP TABLE former_sessions;
  DROP INDEX names_for_now;
  CREATE UNIQUE INDEX sessions_by_id ON sessions (id);
  CREATE INDEX sessions_live ON sessions (seq) WHERE state = 'live';
  CREATE INDEX sessions_by_started ON sessions (started);
  CREATE INDEX sessions_by_principal ON sessions (principal, seq);
  CREATE INDEX sessions_by_on_behalf_of ON sessions (on_behalf_of, seq);
  CREATE INDEX sessions_by_target ON sessions (target, seq);
  CREATE INDEX sessions_ended ON sessions (ended, seq) WHERE state IN ('closed', 'recovered');

  ALTER TABLE channels RENAME TO former_channels;
  CREATE TABLE channels (
    session     TEXT NOT NULL,
    channel     INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    opened      TEXT NOT NULL,
    open_seq    INTEGER NOT NULL,      -- of the channel.open that counts
    closed      TEXT,
    close_seq   INTEGER,               -- of the record that says why it closed
    exit_status INTEGER,
    exit_signal TEXT,
    bytes_i     INTEGER NOT NULL DEFAULT 0,
    bytes_o     INTEGER NOT NULL DEFAULT 0,
    bytes_e     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (session, channel)
  ) WITHOUT ROWID;
  INSERT INTO channels
  SELECT session, channel, kind, opened,
         coalesce((SELECT max(r.seq) FROM records r WHERE r.session = c.session AND r.type = 'channel.open'
                   AND json_extract(CAST(r.bytes AS TEXT), '$.body.channel') = c.channel), 0),
         closed,
         (SELECT r.seq FROM records r WHERE r.session = c.session
          AND (r.type = 'session.recovered' OR r.type = 'channel.close' AND json_extract(CAST(r.bytes AS TEXT), '$.body.channel') = c.channel)
          ORDER BY r.type, r.seq LIMIT 1),
         exit_status, exit_signal, bytes_i, bytes_o, bytes_e
  FROM former_channels c;
  DROP TABLE former_channels;
  CREATE INDEX channels_open ON channels (session, channel) WHERE closed IS NULL;

  CREATE TABLE holds (
    id            TEXT PRIMARY KEY,
    seq           INTEGER NOT NULL,    -- of its hold.set
    time          TEXT NOT NULL,
    principal     TEXT NOT NULL,       -- who set it
    scope         TEXT NOT NULL,       -- JSON
    reason        TEXT NOT NULL,
    cleared       TEXT,
    cleared_by    TEXT,
    clear_reason  TEXT
  );
  CREATE INDEX holds_in_force ON holds (seq) WHERE cleared IS NULL;

  CREATE TABLE erasures (
    seq      INTEGER PRIMARY KEY,      -- of an erased record
    session  TEXT,
    part     INTEGER NOT NULL,
    parts    INTEGER NOT NULL,
    nonce    TEXT,                     -- of the request that asked for it
    finished INTEGER NOT NULL DEFAULT 0 -- 1 when everything that the record names is gone, here and on the disk
  );
  CREATE INDEX erasures_by_session ON erasures (session, seq);
  CREATE INDEX erasures_by_nonce ON erasures (nonce) WHERE nonce IS NOT NULL;
  CREATE INDEX erasures_unfinished ON erasures (seq) WHERE finished = 0;
  `,
  // Which keys signed the ledger is asked at every start; there are a few such records among millions. What was in force
  // before a period (a configuration, a gateway that ran) is asked by audits, and stands in records without a session.
  `
  CREATE INDEX records_of_keys ON records (seq) WHERE type IN ('ledger.created', 'key.rotated');
  CREATE INDEX records_of_gateway ON records (type, seq) WHERE session IS NULL;
  `,
  // What is asked of reviewers, and what they said.
  `
  CREATE TABLE approvals (
    id      TEXT PRIMARY KEY,
    seq     INTEGER NOT NULL,          -- of its approval.asked
    session TEXT NOT NULL,
    state   TEXT NOT NULL,             -- contract/approval.ts, approvalStates
    needed  INTEGER NOT NULL,
    connection INTEGER NOT NULL        -- 1 where a connection is asked for, which may never come about
  );
  CREATE INDEX approvals_of_connections ON approvals (session) WHERE connection = 1;
  CREATE INDEX approvals_by_seq ON approvals (seq);
  CREATE INDEX approvals_open ON approvals (seq) WHERE state IN ('waiting', 'review');
  CREATE INDEX approvals_by_session ON approvals (session, seq);
  CREATE TABLE approval_decisions (
    approval TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (approval, seq)
  ) WITHOUT ROWID;
  CREATE TABLE connection_grants (     -- used for a connection, which may have been asked for by another one
    session  TEXT NOT NULL,
    approval TEXT NOT NULL,
    PRIMARY KEY (session, approval)
  ) WITHOUT ROWID;
  CREATE INDEX connection_grants_by_approval ON connection_grants (approval);
  DROP INDEX records_refused;
  CREATE INDEX records_passing ON records (seq)
  WHERE type IN ('auth.refused', 'session.refused', 'operator.login', 'operator.logout', 'access.searched') AND session IS NULL AND bytes IS NOT NULL;
  CREATE INDEX records_of_policies ON records (seq) WHERE type = 'policy.changed';
  `,
  `
  CREATE TABLE locks (
    principal TEXT PRIMARY KEY,
    seq       INTEGER NOT NULL,        -- of its principal.locked
    time      TEXT NOT NULL,
    locked_by TEXT NOT NULL,
    reason    TEXT NOT NULL
  );
  `,
  `
  CREATE TABLE certificates (
    serial   TEXT PRIMARY KEY,           -- decimal: it may be larger than an INTEGER
    seq      INTEGER NOT NULL,           -- of its credential.issued
    valid_to TEXT NOT NULL,
    revoked  TEXT                        -- when
  ) WITHOUT ROWID;
  CREATE INDEX certificates_revoked ON certificates (valid_to) WHERE revoked IS NOT NULL;
  `,
  // Of everybody in a configuration: which record says last what is known of them. What it says stands in the record.
  `
  CREATE TABLE identities (
    principal TEXT PRIMARY KEY,
    seq       INTEGER NOT NULL         -- of an identity.changed
  ) WITHOUT ROWID;
  `,
  // Tokens of programs. The hash of a token stands in no record.
  `
  CREATE TABLE operator_tokens (
    id       TEXT PRIMARY KEY,
    hash     BLOB NOT NULL,            -- SHA-256 of the token
    operator TEXT NOT NULL,
    roles    TEXT NOT NULL,            -- JSON
    expires  INTEGER NOT NULL,         -- microseconds since 1970
    issued   INTEGER,                  -- seq of its credential.issued, without which it does not count
    revoked  INTEGER                   -- seq of its credential.revoked
  );
  `,
  sessionCountsStep,
  // Keys that operators registered: which records added those that are in force.
  `
  CREATE TABLE operator_keys (
    seq INTEGER PRIMARY KEY            -- of an operator.key
  );
  `,
];

export const SCHEMA_VERSION = steps.length;
/** Since when a session's row says what stands out of it. */
export const COUNTED_SINCE = steps.indexOf(sessionCountsStep) + 1;

/** Brings the database to this program's schema, one transaction per step. */
export async function migrate(connection: Connection, dataDirectory: string): Promise<void> {
  let version = await schemaVersion(connection, dataDirectory);
  for (; version < SCHEMA_VERSION; version += 1) {
    try {
      await connection.exec(`BEGIN IMMEDIATE; ${steps[version]}; PRAGMA user_version = ${version + 1}; COMMIT;`);
    } catch (thrown) {
      await connection.exec('ROLLBACK').catch(() => undefined); // SQLite may have rolled back already; the first error is the one that counts.
      throw thrown;
    }
  }
}

/** The schema's version, 0 of an empty database. Refuses one that this program is too old for, and a database of another program. */
export async function schemaVersion(connection: Connection, dataDirectory: string): Promise<number> {
  const row = await connection.get<{ user_version: number }>('PRAGMA user_version');
  const version = row?.user_version ?? 0;
  if (version > SCHEMA_VERSION) {
    throw new SallyportError(
      'DATA_DIRECTORY_NEWER',
      `The data directory ${dataDirectory} was written by a newer Sallyport (database version ${version}; this one knows up to ${SCHEMA_VERSION})`,
      { remedy: 'run that version or a later one; nothing was changed' },
    );
  }
  if (version === 0 && (await connection.get('SELECT 1 FROM sqlite_schema')) !== undefined) {
    throw invalid(dataDirectory, `holds a ${DATABASE_FILE} of another program`, 'name an empty directory, or one of a gateway');
  }
  return version;
}
