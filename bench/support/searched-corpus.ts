import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { Clock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { packLines } from '../../gateway/indexing/text-block.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { Database } from '../../gateway/store/database.ts';
import { ScreenTextFile } from '../../gateway/store/screen-text.ts';
import { castOf, LINES_PER_SESSION, linesOf } from './screen-lines.ts';

const START_MICROS = Date.parse('2026-03-01T00:00:00Z') * 1000;
const BETWEEN_MICROS = 120_000_000;

export const principalOf = (session: number): string => `agent-${session % 50}`;

/** A data directory with sessions on record and the text of their screens, and the same lines as recordings beside it. */
export class SearchedCorpus {
  readonly database: Database;
  readonly text: ScreenTextFile;
  readonly casts: string;
  sessions = 0;
  textBytes = 0;
  packMillis = 0;
  putMillis = 0;
  readonly ids: string[] = [];
  readonly #records: Records;
  readonly #clock: { wall: number };

  private constructor(database: Database, text: ScreenTextFile, casts: string, clock: Clock & { wall: number }) {
    this.database = database;
    this.text = text;
    this.casts = casts;
    this.#clock = clock;
    this.#records = new Records(database.records, clock, 'bench');
  }

  static async open(directory: string): Promise<SearchedCorpus> {
    const casts = join(directory, 'casts');
    await mkdir(casts);
    const database = await Database.openForGateway(join(directory, 'data'));
    const clock = { wall: START_MICROS, wallMicros: () => clock.wall, monotonicNanos: () => 0 };
    return new SearchedCorpus(database, await ScreenTextFile.open(database), casts, clock);
  }

  get lines(): number {
    return this.sessions * LINES_PER_SESSION;
  }

  /** As the indexer does: the next is packed while the one before is stored. */
  async growTo(sessions: number): Promise<void> {
    let stored: Promise<unknown> = Promise.resolve();
    while (this.sessions < sessions) {
      const number = this.sessions;
      const lines = linesOf(number);
      const packBegun = performance.now();
      const blocks = packLines(lines);
      this.packMillis += performance.now() - packBegun;
      const cast = castOf(number, lines);
      const compressed = zstdCompressSync(cast);
      for (const { text } of lines) this.textBytes += Buffer.byteLength(text) + 1;
      const session = await this.#open(number);
      await stored;
      const putBegun = performance.now();
      stored = Promise.all([
        this.text.put({ session, channel: 0, segment: 1, sha256: 'a'.repeat(64) }, blocks).then(() => {
          this.putMillis += performance.now() - putBegun;
        }),
        writeFile(join(this.casts, `${String(number).padStart(5, '0')}.cast.zst`), compressed),
      ]);
      this.sessions += 1;
    }
    await stored;
  }

  async #open(number: number): Promise<string> {
    this.#clock.wall = START_MICROS + number * BETWEEN_MICROS;
    const session = uuidV7(this.#clock.wall);
    this.ids.push(session);
    const common = {
      outcome: 'success',
      session,
      actor: { principal: principalOf(number), kind: 'agent', source: '192.0.2.7:50022' },
      target: { name: `web-${number % 40}`, kind: 'ssh' },
    } as const;
    const decision = { verdict: 'allow' as const, policies: ['allow'], policySet: 'configuration' };
    await this.#records.append({
      ...common,
      type: 'session.open',
      body: { protocol: 'ssh', requested: 'web', client: 'OpenSSH', decision },
    });
    await this.#records.append({ ...common, type: 'channel.open', body: { channel: 0, kind: 'shell', detail: {} } });
    return session;
  }

  async close(): Promise<void> {
    await this.text.close();
    await this.database.close();
  }
}
