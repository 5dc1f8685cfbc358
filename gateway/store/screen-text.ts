import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { IndexedSegment, ScreenTextStore, TextBlock } from '../indexing/screen-text.ts';
import type { ChannelsTable } from './channels-table.ts';
import type { Connection } from './connection.ts';
import { eraseSessions } from './screen-text-eraser.ts';
import { ScreenTextReader } from './screen-text-reader.ts';
import { beginAnew, isDamage, openScreenText, SCREEN_TEXT_FILE } from './screen-text-schema.ts';
import { putSegment, removeUnfinished } from './screen-text-writer.ts';

/** Of a `Database`: where it is, and when channels opened. */
interface Surroundings {
  readonly directory: string;
  readonly channels: Pick<ChannelsTable, 'ofSession'>;
}

export interface ScreenTextOptions {
  /** Called when everything that was stored is lost, so that it is made again. */
  readonly onLoss?: () => void;
}

/**
 * The screen text of one data directory, for the one gateway that writes it. Whatever damage is found in the file ends
 * with a new, empty one, which is told with `onLoss`.
 */
export class ScreenTextFile implements ScreenTextStore {
  readonly #file: string;
  readonly #surroundings: Surroundings;
  readonly #onLoss: () => void;
  #connection: Connection;
  #inode: number;
  #reader: Promise<ScreenTextReader> | undefined;
  /** One thing at a time is written. */
  #last: Promise<unknown> = Promise.resolve();
  #toForget: Set<string> | undefined;
  #forgetting: Promise<void> | undefined;

  private constructor(surroundings: Surroundings, { file, connection, inode, onLoss }: Opened & { file: string; onLoss: () => void }) {
    this.#surroundings = surroundings;
    this.#file = file;
    this.#connection = connection;
    this.#inode = inode;
    this.#onLoss = onLoss;
  }

  static async open(surroundings: Surroundings, { onLoss = () => undefined }: ScreenTextOptions = {}): Promise<ScreenTextFile> {
    const file = join(surroundings.directory, SCREEN_TEXT_FILE);
    const opened = await prepared(file, openScreenText).catch((thrown: unknown) => {
      if (!isDamage(thrown)) throw thrown;
      return prepared(file, beginAnew);
    });
    return new ScreenTextFile(surroundings, { ...opened, file, onLoss });
  }

  /** Nothing is stored of a channel that is not on record (any more): its session was erased meanwhile. */
  put(segment: IndexedSegment, blocks: readonly TextBlock[]): Promise<void> {
    return this.#inTurn(async () => {
      const channels = await this.#surroundings.channels.ofSession(segment.session);
      const opened = channels.find(({ channel }) => channel === segment.channel)?.opened;
      if (opened !== undefined) await putSegment(this.#connection, { ...segment, opened: microsSince1970(opened) }, blocks);
    });
  }

  stored(session: string, channel: number): Promise<readonly IndexedSegment[]> {
    return this.#inTurn(() =>
      this.#connection.all<IndexedSegment>(
        `SELECT session, channel, segment, sha256 FROM segments WHERE session = ? AND channel = ? AND complete = 1 ORDER BY segment`,
        [session, channel],
      ),
    );
  }

  /**
   * Sessions that are to be forgotten while others are being forgotten go together afterwards. Throws ERASE_INCOMPLETE
   * when somebody reads an older state of the file all the while; asked again, it goes on where it stopped.
   */
  forget(sessions: readonly string[]): Promise<void> {
    if (this.#toForget === undefined || this.#forgetting === undefined) {
      const all = new Set<string>();
      this.#toForget = all;
      this.#forgetting = this.#inTurn(() => {
        this.#toForget = undefined; // Whoever comes from here on is not among them.
        return eraseSessions(this.#file, [...all]);
      });
    }
    for (const session of sessions) this.#toForget.add(session);
    return this.#forgetting;
  }

  /** Reads beside what is written, on a connection of its own. To be asked for again after each use: it may be another one. */
  reader(): Promise<ScreenTextReader> {
    this.#reader ??= ScreenTextReader.beside(this.#file, () => void this.#inTurn(() => this.#beginAnew()));
    return this.#reader;
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#closeReader();
    await this.#connection.close();
  }

  #inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    const done = this.#last.catch(() => undefined).then(() => this.#whateverTheFileIs(step));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #whateverTheFileIs<Result>(step: () => Promise<Result>): Promise<Result> {
    try {
      const inode = (await stat(this.#file).catch(() => undefined))?.ino;
      // Somebody took the folder away, as they may: what is written to it would be gone with it.
      if (inode !== this.#inode) await this.#beginAnew();
      return await step();
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      await this.#beginAnew();
      return await step();
    }
  }

  async #beginAnew(): Promise<void> {
    await this.#closeReader();
    await this.#connection.close().catch(() => undefined); // Whatever it says: its file goes.
    const { connection, inode } = await prepared(this.#file, beginAnew);
    this.#connection = connection;
    this.#inode = inode;
    this.#onLoss();
  }

  async #closeReader(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await (await reader?.catch(() => undefined))?.close();
  }
}

interface Opened {
  readonly connection: Connection;
  readonly inode: number;
}

async function prepared(file: string, open: (file: string) => Promise<Connection>): Promise<Opened> {
  const connection = await open(file);
  try {
    await removeUnfinished(connection);
    return { connection, inode: (await stat(file)).ino };
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

function microsSince1970(time: string): number {
  const [, seconds = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
