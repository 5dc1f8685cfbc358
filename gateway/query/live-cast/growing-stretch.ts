import type { Frame } from '../../../contract/frame-codec.ts';
import { CastRenderer, type PerStream } from '../../recording/cast-renderer.ts';
import { attachmentFileName } from '../../recording/journal-layout.ts';
import { parseStretchHeader, type StretchHeader } from '../../recording/stretch-header.ts';
import { JournalCursor } from '../screen/journal-cursor.ts';

/**
 * The text that a stretch of journal is being made into while it is written: what is given out is the beginning of what
 * its segment will say, because it is made by the same renderer from the same frames.
 */
export class GrowingStretch {
  readonly #cursor: JournalCursor;
  readonly #renderer: CastRenderer;
  #frames: AsyncGenerator<Frame> | undefined;
  #lines: string[] = [];

  private constructor(cursor: JournalCursor, frames: AsyncGenerator<Frame>, header: StretchHeader, rawSpent: PerStream) {
    this.#cursor = cursor;
    this.#frames = frames;
    this.#renderer = new CastRenderer(header, (line) => this.#lines.push(line), {
      rawSpent,
      ...(header.content === 'whole' ? { attachment: (stream) => attachmentFileName(header.stretch, stream) } : {}),
    });
  }

  /**
   * Undefined when it is not in the journal: not any more, or not yet. `rawSpentBefore` is asked where it matters, and
   * says so too. Throws when it does not begin with its header.
   */
  static async open(
    path: string,
    limit: number,
    rawSpentBefore: () => Promise<PerStream | undefined>,
  ): Promise<GrowingStretch | undefined> {
    const cursor = await JournalCursor.open(path);
    if (cursor === undefined) return undefined;
    try {
      const frames = cursor.frames(limit);
      const header = await headerIn(frames);
      const rawSpent = header === undefined ? undefined : await spentBefore(header, rawSpentBefore);
      if (header !== undefined && rawSpent !== undefined) return new GrowingStretch(cursor, frames, header, rawSpent);
    } catch (thrown) {
      await cursor.close();
      throw thrown;
    }
    await cursor.close();
    return undefined;
  }

  /**
   * The next lines, up to byte `limit` of the journal; undefined when everything until there was taken. What is beyond may
   * be in the middle of being written, and is not looked at. Throws on what is no frame.
   */
  async next(limit: number): Promise<Buffer | undefined> {
    for (let begun = -1; ; ) {
      if (this.#frames === undefined) {
        if (this.#cursor.at === begun) return undefined;
        begun = this.#cursor.at;
        this.#frames = this.#cursor.frames(limit);
      }
      const step = await this.#frames.next();
      if (step.done === true) {
        this.#frames = undefined;
        continue;
      }
      this.#renderer.push(step.value);
      if (this.#lines.length > 0) return this.#given();
    }
  }

  /** The last lines, once nothing is written any more and everything was taken; and what the next stretch needs to know. */
  end(): { text: Buffer; rawSpent: PerStream } {
    const { rawSpent } = this.#renderer.end();
    return { text: this.#given(), rawSpent };
  }

  async close(): Promise<void> {
    await this.#frames?.return(undefined);
    await this.#cursor.close();
  }

  #given(): Buffer {
    const text = Buffer.from(this.#lines.join(''), 'utf8');
    this.#lines = [];
    return text;
  }
}

const NOTHING_KEPT: PerStream = { i: 0, o: 0, e: 0 };

/** Undefined where the stretch has just been made and has no frame yet. */
async function headerIn(frames: AsyncGenerator<Frame>): Promise<StretchHeader | undefined> {
  const first = await frames.next();
  if (first.done === true) return undefined;
  const header = first.value.kind === 'header' ? parseStretchHeader(first.value.header) : undefined;
  if (header === undefined) throw new Error('the stretch does not begin with a header of this version');
  return header;
}

/** Of a terminal everything is kept, and of what is not kept at all nothing: only what is looked into has a limit. */
function spentBefore(header: StretchHeader, ask: () => Promise<PerStream | undefined>): Promise<PerStream | undefined> {
  return header.stretch === 1 || header.terminal !== undefined ? Promise.resolve(NOTHING_KEPT) : ask();
}
