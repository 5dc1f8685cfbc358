import type { SegmentRow } from '../../../contract/session.ts';
import type { PerStream } from '../../recording/cast-renderer.ts';
import { journalFile } from '../../recording/journal-layout.ts';
import type { RawSpent, RecordingPosition } from '../../recording/recorder.ts';
import type { SegmentTexts } from '../segment-text.ts';
import { beginningOf, behind, type CastPosition } from './cast-position.ts';
import { GrowingStretch } from './growing-stretch.ts';

/** Whole lines, and where they end. No text goes over the end of a segment; it is empty where the next one begins. */
export interface CastText {
  readonly text: string;
  readonly position: CastPosition;
}

export interface CastRead {
  readonly texts: readonly CastText[];
  /**
   * `more`: there is more already. `waiting`: everything that is written was given. `ended`: and nothing more comes.
   * `lost`: the recording does not go on from this position, or cannot be read there.
   */
  readonly state: 'more' | 'waiting' | 'ended' | 'lost';
}

/** What is sealed of the channel, newest state, and how much binary content was kept up to the newest of it. */
export interface SealedNow {
  readonly rows: readonly SegmentRow[];
  /** Missing when the channel is not being recorded any more. */
  readonly rawSpent?: RawSpent | undefined;
}

export type AskSealed = () => Promise<SealedNow>;

export interface FollowedPlace {
  readonly dataDirectory: string;
  readonly session: string;
  readonly channel: number;
}

/** Text in one message; a line is not cut for it. */
const TEXT_BYTES = 64 * 1024;
const LINE_FEED = 10;
const MOST_ATTEMPTS = 20;

interface Source {
  next(limit: number): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

/**
 * Follows the cast of a channel from a position on, in the order in which it was recorded: segments that are sealed
 * from their files, the others from the journal. It is asked for more when there is room for it, so whoever is slow is
 * behind and nothing else: what was not read yet stands in the files, and none of it is held for anybody.
 */
export class CastFollower {
  readonly #where: FollowedPlace;
  readonly #askSealed: AskSealed;
  readonly #texts: SegmentTexts;
  #position: CastPosition;
  /** Where it was asked to begin, until it has come there. */
  #from: CastPosition | undefined;
  #source: Source | undefined;
  #growing: GrowingStretch | undefined;
  /** Up to the stretch that was rendered here last. */
  #rawSpent: RawSpent = { stretch: 0, spent: { i: 0, o: 0, e: 0 } };
  /** Read, and not given out yet. */
  #held: Buffer | undefined;
  #lost = false;
  #reached: RecordingPosition | undefined;
  /** It has come from one segment into the next, so that where it stands is a place of the recording. */
  #moved = false;

  constructor(where: FollowedPlace, from: CastPosition, texts: SegmentTexts, askSealed: AskSealed) {
    this.#where = where;
    this.#texts = texts;
    this.#askSealed = askSealed;
    this.#position = beginningOf(from.segment);
    this.#from = from.bytes > 0 ? from : undefined;
  }

  /** About so many bytes of text. `reached`: how far it is written; undefined when the channel is closed, and everything of it sealed. One call at a time. */
  async read(most: number, reached: RecordingPosition | undefined): Promise<CastRead> {
    this.#reached = reached;
    const over = reached === undefined;
    const texts: CastText[] = [];
    try {
      for (let size = 0; size < most; ) {
        const text = this.#lost ? 'lost' : await this.#next(over);
        if (typeof text === 'string') return { texts, state: text };
        size += text.length;
        if (this.#from === undefined) texts.push({ text: text.toString('utf8'), position: this.#position });
        else if (!this.#arrive(this.#from)) return { texts, state: 'lost' };
      }
      return { texts, state: 'more' };
    } catch (thrown) {
      this.#lost = true;
      if (texts.length > 0) return { texts, state: 'more' };
      throw thrown;
    }
  }

  async close(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    this.#growing = undefined;
    await source?.close();
  }

  /** Takes one piece of text, and has moved behind it. */
  async #next(over: boolean): Promise<Buffer | 'waiting' | 'ended' | 'lost'> {
    if (this.#held === undefined) {
      this.#source ??= await this.#open();
      if (this.#source === undefined) return this.#nothingThere(over);
      this.#held = await this.#source.next(this.#limitOf(this.#position.segment));
      if (this.#held === undefined) return this.#atEnd(over);
    }
    const text = this.#cut(this.#held);
    this.#held = text.length < this.#held.length ? this.#held.subarray(text.length) : undefined;
    this.#position = behind(this.#position, text);
    return text;
  }

  /** Up to where it was asked to begin, and to the end of a line. */
  #cut(held: Buffer): Buffer {
    const before = this.#from === undefined ? held.length : this.#from.bytes - this.#position.bytes;
    const most = Math.min(before, held.length);
    if (most <= TEXT_BYTES || this.#from !== undefined) return held.subarray(0, most);
    const last = held.lastIndexOf(LINE_FEED, TEXT_BYTES - 1);
    const end = last === -1 ? held.indexOf(LINE_FEED, TEXT_BYTES) : last;
    return held.subarray(0, end === -1 ? held.length : end + 1);
  }

  /** False when what stands there is not what was asked for. */
  #arrive(from: CastPosition): boolean {
    const { segment, bytes, check } = this.#position;
    if (segment === from.segment && bytes < from.bytes) return true;
    this.#from = undefined;
    this.#lost = segment !== from.segment || bytes !== from.bytes || check !== from.check;
    return !this.#lost;
  }

  async #open(): Promise<Source | undefined> {
    const { segment } = this.#position;
    const growing = await GrowingStretch.open(this.#journal(segment), this.#limitOf(segment), () => this.#spentBefore(segment));
    if (growing !== undefined) {
      this.#growing = growing;
      return growing;
    }
    const row = (await this.#askSealed()).rows.find((each) => each.segment === segment);
    if (row === undefined) return undefined;
    const text = await this.#texts.open(row);
    const pieces = text.read(0, text.bytes);
    return {
      next: async () => (await pieces.next()).value as Buffer | undefined,
      close: async () => void (await pieces.return(undefined)),
    };
  }

  /**
   * How much binary content is kept before a stretch: as it was counted here, or when the one before was sealed, and on
   * from there through what is not sealed yet. Undefined when the stretch itself is sealed by now.
   */
  async #spentBefore(segment: number): Promise<PerStream | undefined> {
    if (this.#rawSpent.stretch === segment - 1) return { ...this.#rawSpent.spent };
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const { rawSpent = this.#rawSpent } = await this.#askSealed();
      if (rawSpent.stretch >= segment) return undefined;
      let { stretch } = rawSpent;
      let spent: PerStream = { ...rawSpent.spent };
      for (; stretch < segment - 1; stretch += 1) {
        const known = spent;
        const growing = await GrowingStretch.open(this.#journal(stretch + 1), Number.POSITIVE_INFINITY, () => Promise.resolve(known));
        if (growing === undefined) break; // It was sealed meanwhile: there is a newer count.
        while ((await growing.next(Number.POSITIVE_INFINITY)) !== undefined);
        spent = growing.end().rawSpent;
        await growing.close();
      }
      if (stretch === segment - 1) return spent;
    }
    throw new Error('the stretches before it are sealed faster than they are read');
  }

  /** Neither sealed nor in the journal: it was the last segment that ended here, if it was one. */
  async #nothingThere(over: boolean): Promise<'ended' | 'waiting' | 'lost'> {
    if (this.#from !== undefined) return 'lost';
    const { segment } = this.#position;
    const follows = this.#moved || (over && (await this.#askSealed()).rows.some((row) => row.segment === segment - 1));
    if (!follows) return 'lost';
    return over ? 'ended' : 'waiting';
  }

  async #atEnd(over: boolean): Promise<Buffer | 'waiting' | 'ended' | 'lost'> {
    const growing = this.#growing;
    if (growing !== undefined) {
      const complete = over || this.#position.segment < (this.#reached?.stretch ?? 0);
      if (!complete) return this.#from === undefined ? 'waiting' : 'lost';
      // What was written between the last look and the end of it.
      this.#held = await growing.next(Number.POSITIVE_INFINITY);
      if (this.#held !== undefined) return this.#next(over);
      const { text, rawSpent } = growing.end();
      this.#rawSpent = { stretch: this.#position.segment, spent: rawSpent };
      this.#growing = undefined;
      await this.close();
      this.#source = { next: () => Promise.resolve(undefined), close: () => Promise.resolve() };
      this.#held = text.length > 0 ? text : undefined;
      if (this.#held !== undefined) return this.#next(over);
    }
    if (this.#from !== undefined) return 'lost'; // It lies behind the end of its segment.
    await this.close();
    this.#position = beginningOf(this.#position.segment + 1);
    this.#moved = true;
    return Buffer.alloc(0);
  }

  /** Bytes of its journal that may be read: of a stretch that is written now those that are, and of others all. */
  #limitOf(segment: number): number {
    return this.#reached?.stretch === segment ? this.#reached.bytes : Number.POSITIVE_INFINITY;
  }

  #journal(segment: number): string {
    return journalFile(this.#where.dataDirectory, this.#where.session, this.#where.channel, segment);
  }
}
