import { onTestFinished } from 'vitest';
import type { Actor, Resource } from '../../../contract/record.ts';
import type { ScreenLine } from '../../../gateway/indexing/screen-text.ts';
import { packLines } from '../../../gateway/indexing/text-block.ts';
import { Records } from '../../../gateway/ledger/records.ts';
import { readScreenQuestion, type ScreenWords } from '../../../gateway/query/search/screen-question.ts';
import type { SearchCursor } from '../../../gateway/query/search/search-cursor.ts';
import { type SearchPage, searchScreens } from '../../../gateway/query/search/search-screens.ts';
import { Database } from '../../../gateway/store/database.ts';
import { ScreenTextFile } from '../../../gateway/store/screen-text.ts';
import { SetClock } from '../../retention/aged-data.ts';
import { draft, newSession, temporaryDirectory } from '../../store/support.ts';

/** A data directory with sessions on record, and lines that were on their screens. */
export class Searched {
  readonly directory: string;
  readonly database: Database;
  readonly records: Records;
  readonly text: ScreenTextFile;
  readonly clock: SetClock;
  losses = 0;
  #closed = false;
  readonly #segments = new Map<string, number>();

  private constructor(
    directory: string,
    database: Database,
    records: Records,
    clock: SetClock,
    open: (lost: () => void) => ScreenTextFile,
  ) {
    this.directory = directory;
    this.database = database;
    this.records = records;
    this.clock = clock;
    this.text = open(() => {
      this.losses += 1;
    });
  }

  static async open(at?: string): Promise<Searched> {
    const directory = at ?? (await temporaryDirectory());
    const database = await Database.openForGateway(directory);
    const clock = new SetClock();
    let lost: () => void = () => undefined;
    const text = await ScreenTextFile.open(database, { onLoss: () => lost() });
    const searched = new Searched(directory, database, new Records(database.records, clock, 'gateway-1'), clock, (onLoss) => {
      lost = onLoss;
      return text;
    });
    onTestFinished(() => searched.close());
    return searched;
  }

  /** With one channel. Lists go by when channels opened, so each session is a second later than the one before. */
  async session(change: { actor?: Partial<Actor>; target?: Partial<Resource> } = {}, channels = 1): Promise<string> {
    this.clock.wall += 1_000_000;
    const session = newSession();
    await this.records.append(draft.sessionOpen(session, change));
    for (let channel = 0; channel < channels; channel += 1) await this.records.append(draft.channelOpen(session, channel, 'shell'));
    return session;
  }

  /** The next segment of a channel; its lines a second apart unless they say otherwise. */
  async show(session: string, lines: readonly (string | ScreenLine)[], channel = 0): Promise<void> {
    const place = `${session}/${channel}`;
    const segment = (this.#segments.get(place) ?? 0) + 1;
    this.#segments.set(place, segment);
    await this.put(session, segment, lines, channel);
  }

  put(session: string, segment: number, lines: readonly (string | ScreenLine)[], channel = 0): Promise<void> {
    const timed = lines.map((line, index) =>
      typeof line === 'string' ? { first: index * 1_000_000, last: index * 1_000_000 + 500_000, text: line } : line,
    );
    return this.text.put({ session, channel, segment, sha256: 'a'.repeat(64) }, packLines(timed));
  }

  async search(
    query: string,
    words: Partial<ScreenWords> = {},
    {
      cursor,
      limit = 1000,
      millis = Number.POSITIVE_INFINITY,
    }: { cursor?: SearchCursor | undefined; limit?: number; millis?: number } = {},
  ): Promise<SearchPage> {
    const parts = { database: this.database, text: await this.text.reader() };
    return searchScreens(parts, readScreenQuestion({ ...words, query }), { cursor, limits: { limit, millis } });
  }

  async lines(query: string, words: Partial<ScreenWords> = {}): Promise<string[]> {
    return (await this.search(query, words)).hits.map(({ line }) => line);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.text.close();
    await this.database.close();
  }
}
