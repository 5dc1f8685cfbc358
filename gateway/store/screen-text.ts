import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { IndexedSegment, ScreenTextStore, TextBlock } from '../indexing/screen-text.ts';
import type { ChannelsTable } from './channels-table.ts';
import { type Connection, isSqlError } from './connection.ts';
import { eraseSessions } from './screen-text-eraser.ts';
import { ScreenTextReader } from './screen-text-reader.ts';
import { isDamage, openScreenText, removeScreenText, SCREEN_TEXT_FILE } from './screen-text-schema.ts';
import { putSegment, removeUnfinished } from './screen-text-writer.ts';

/** Of a `Database`: where it is, and when channels opened. */
interface Surroundings {
  readonly directory: string;
  readonly channels: Pick<ChannelsTable, 'one'>;
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
  /** Undefined while there is no file to write to. */
  #inode: number | undefined;
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
    const opened = await prepared(file, openScreenText).catch(async (thrown: unknown) => {
      if (!isDamage(thrown)) throw thrown;
      await removeScreenText(file);
      return prepared(file, openScreenText);
    });
    return new ScreenTextFile(surroundings, { ...opened, file, onLoss });
  }

  /** Nothing is stored of a channel that is not on record (any more): its session was erased meanwhile. */
  put(segment: IndexedSegment, blocks: readonly TextBlock[]): Promise<void> {
    return this.#inTurn(async () => {
      const opened = (await this.#surroundings.channels.one(segment.session, segment.channel))?.opened;
      if (opened !== undefined) await putSegment(this.#connection, { ...segment, opened: microsSince1970(opened) }, blocks);
    });
  }

  /** Waits for nothing that is being written. */
  async stored(session: string, channel: number): Promise<readonly IndexedSegment[]> {
    try {
      return await (await this.reader()).stored(session, channel);
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      return []; // The reader has told of it, and the file begins anew.
    }
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
        return this.#erase([...all]);
      });
    }
    for (const session of sessions) this.#toForget.add(session);
    return this.#forgetting;
  }

  /** On a full disk there is no room for copies, and erasing must not wait for any: then all of it goes. */
  async #erase(sessions: readonly string[]): Promise<void> {
    try {
      await eraseSessions(this.#file, sessions);
    } catch (thrown) {
      if (!isForWantOfSpace(thrown)) throw thrown;
      await this.#discard();
      await this.#beginAnew().catch((again: unknown) => {
        if (!isForWantOfSpace(again)) throw again; // Nothing is left to erase. Whoever stores next tries again.
      });
    }
  }

  /** Reads beside what is written, on a connection of its own. To be asked for again for each use: it may be another one. */
  async reader(): Promise<ScreenTextReader> {
    try {
      return await this.#openReader();
    } catch (thrown) {
      if (!isSqlError(thrown, 'SQLITE_CANTOPEN')) throw thrown;
      await this.#inTurn(() => Promise.resolve()); // Makes the file, if it is gone.
      return this.#openReader();
    }
  }

  #openReader(): Promise<ScreenTextReader> {
    const inode = this.#inode;
    // Unless it has begun anew meanwhile.
    const beginAnew = () => this.#inTurn(() => (inode === this.#inode ? this.#beginAnew() : Promise.resolve()));
    this.#reader ??= ScreenTextReader.beside(this.#file, () => void beginAnew().catch(() => undefined)).catch((thrown: unknown) => {
      this.#reader = undefined;
      throw thrown;
    });
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
      if (inode === undefined || inode !== this.#inode) await this.#beginAnew();
      return await step();
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      await this.#beginAnew();
      return await step();
    }
  }

  async #beginAnew(): Promise<void> {
    await this.#discard();
    const { connection, inode } = await prepared(this.#file, openScreenText);
    this.#connection = connection;
    this.#inode = inode;
    this.#onLoss();
  }

  async #discard(): Promise<void> {
    this.#inode = undefined;
    await this.#closeReader();
    await this.#connection.close().catch(() => undefined); // Whatever it says: its file goes.
    await removeScreenText(this.#file);
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

function isForWantOfSpace(thrown: unknown): boolean {
  return (
    isSqlError(thrown, 'SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_CANTOPEN') ||
    (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC')
  );
}
