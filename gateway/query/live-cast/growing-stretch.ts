import type { Frame } from '../../../contract/frame-codec.ts';
import { CastRenderer, type PerStream } from '../../recording/cast-renderer.ts';
import { attachmentFileName } from '../../recording/journal-layout.ts';
import { parseStretchHeader } from '../../recording/stretch-header.ts';
import { JournalCursor } from '../screen/journal-cursor.ts';

/**
 * The text that a stretch of journal is being made into while it is written: what is given out is the beginning of what
 * its segment will say, because it is made by the same renderer from the same frames.
 */
export class GrowingStretch {
  readonly #cursor: JournalCursor;
  readonly #stretch: number;
  readonly #rawSpent: PerStream;
  #frames: AsyncGenerator<Frame> | undefined;
  #renderer: CastRenderer | undefined;
  #lines: string[] = [];

  private constructor(cursor: JournalCursor, stretch: number, rawSpent: PerStream) {
    this.#cursor = cursor;
    this.#stretch = stretch;
    this.#rawSpent = rawSpent;
  }

  /** Undefined when it is not in the journal: not any more, or not yet. */
  static async open(path: string, stretch: number, rawSpent: PerStream): Promise<GrowingStretch | undefined> {
    const cursor = await JournalCursor.open(path);
    return cursor === undefined ? undefined : new GrowingStretch(cursor, stretch, rawSpent);
  }

  /** The next lines; undefined when everything that is written was taken. Throws on what is no frame. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      this.#frames ??= this.#cursor.frames();
      const step = await this.#frames.next();
      if (step.done === true) {
        this.#frames = undefined;
        return undefined;
      }
      this.#take(step.value);
      if (this.#lines.length > 0) return this.#given();
    }
  }

  /** The last lines, once nothing is written any more and everything was taken; and what the next stretch needs to know. */
  end(): { text: Buffer; rawSpent: PerStream } {
    const rawSpent = this.#renderer?.end().rawSpent ?? this.#rawSpent;
    return { text: this.#given(), rawSpent };
  }

  async close(): Promise<void> {
    await this.#frames?.return(undefined);
    await this.#cursor.close();
  }

  #take(frame: Frame): void {
    if (this.#renderer !== undefined) {
      this.#renderer.push(frame);
      return;
    }
    const header = frame.kind === 'header' ? parseStretchHeader(frame.header) : undefined;
    if (header === undefined) throw new Error('the stretch does not begin with a header of this version');
    this.#renderer = new CastRenderer(header, (line) => this.#lines.push(line), {
      rawSpent: this.#rawSpent,
      ...(header.content === 'whole' ? { attachment: (stream) => attachmentFileName(this.#stretch, stream) } : {}),
    });
  }

  #given(): Buffer {
    const text = Buffer.from(this.#lines.join(''), 'utf8');
    this.#lines = [];
    return text;
  }
}
