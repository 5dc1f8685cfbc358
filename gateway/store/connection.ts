import sqlite3 from 'sqlite3';

/** What SQLite takes as a parameter and gives as a column. Integers beyond 2^53 do not occur here. */
export type SqlValue = string | number | null | Uint8Array;

/** Whether this is an error of SQLite with one of these result codes, for example SQLITE_BUSY. */
export function isSqlError(thrown: unknown, ...codes: string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}

/** One SQLite connection, with promises. Statements run on the thread pool, one after the other in the order of the calls. */
export class Connection {
  readonly #database: sqlite3.Database;
  readonly #statements = new Map<string, sqlite3.Statement>();
  #closed: Promise<void> | undefined;

  private constructor(database: sqlite3.Database) {
    this.#database = database;
  }

  /** `file` is a path or a `file:` URI. Nothing is created unless `mode` is `create`. */
  static open(file: string, mode: 'read' | 'create'): Promise<Connection> {
    const flags = mode === 'create' ? sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE : sqlite3.OPEN_READONLY;
    return new Promise((resolve, reject) => {
      const database = new sqlite3.Database(file, flags | sqlite3.OPEN_URI | sqlite3.OPEN_FULLMUTEX, (error) => {
        if (error) return reject(error);
        database.serialize();
        resolve(new Connection(database));
      });
    });
  }

  /** Runs statements that give no rows and take no parameters. */
  exec(sql: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#database.exec(sql, (error) => (error ? reject(error) : resolve()));
    });
  }

  async run(sql: string, parameters: readonly SqlValue[] = []): Promise<void> {
    await this.insert(sql, parameters);
  }

  /** As `run`, with the statement kept prepared for the next call with the same text. */
  async runPrepared(sql: string, parameters: readonly SqlValue[]): Promise<void> {
    await this.insertPrepared(sql, parameters);
  }

  /** Gives the rowid of the last row that was inserted; what triggers insert does not count. */
  insert(sql: string, parameters: readonly SqlValue[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#database.run(sql, parameters, function (error: Error | null) {
        if (error) reject(error);
        else resolve(this.lastID);
      });
    });
  }

  /** As `insert`, with the statement kept prepared for the next call with the same text. */
  async insertPrepared(sql: string, parameters: readonly SqlValue[]): Promise<number> {
    const statement = this.#statements.get(sql) ?? (await this.#prepare(sql));
    return new Promise((resolve, reject) => {
      statement.run(parameters, function (error: Error | null) {
        if (error) reject(error);
        else resolve(this.lastID);
      });
    });
  }

  all<Row>(sql: string, parameters: readonly SqlValue[] = []): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      this.#database.all<Row>(sql, parameters, (error, rows) => (error ? reject(error) : resolve(rows)));
    });
  }

  async get<Row>(sql: string, parameters: readonly SqlValue[] = []): Promise<Row | undefined> {
    const rows = await this.all<Row>(sql, parameters);
    return rows[0];
  }

  /** Everything that was asked for before is finished first. May be called again. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const statement of this.#statements.values()) await new Promise<void>((resolve) => statement.finalize(() => resolve()));
    this.#statements.clear();
    return new Promise((resolve, reject) => {
      this.#database.close((error) => (error ? reject(error) : resolve()));
    });
  }

  #prepare(sql: string): Promise<sqlite3.Statement> {
    return new Promise((resolve, reject) => {
      const statement = this.#database.prepare(sql, (error: Error | null) => {
        if (error) return reject(error);
        this.#statements.set(sql, statement);
        resolve(statement);
      });
    });
  }
}
