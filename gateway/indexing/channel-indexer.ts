import type { Part } from '../../contract/replay/part.ts';
import type { SegmentRow } from '../../contract/session.ts';
import { channelUpTo } from './channel-up-to.ts';
import { damageOf, findSegment } from './found-segment.ts';
import type { IndexedChannel } from './indexed-channel.ts';
import type { FromIndexer, IndexJob } from './indexer-messages.ts';
import { acrossAfter, type MadePart, makePart } from './part-maker.ts';
import type { ScreenLine, TextBlock } from './screen-text.ts';
import { hasFailed, readPart, writeSidecar } from './sidecar-file.ts';
import { packLines } from './text-block.ts';

/** Characters: a few blocks. */
const PACKED_AT_ONCE = 256 * 1024;
/** That the main thread takes: about a millisecond. */
const BLOCKS_AT_ONCE = 32;
/** Channels that go on from where they are when their next segment comes: a screen takes a few megabytes. */
const MOST_KEPT = 8;
/** Of which it is known what was damaged so far. */
const MOST_REMEMBERED = 64;

interface Outcome {
  readonly bytes: number;
  readonly fault?: string;
  readonly salvaged?: boolean;
}

/** How the thread talks to the main one. */
export interface ChannelIndexerParts {
  readonly say: (message: FromIndexer) => void;
  readonly alive: () => void;
  /** The segments of the job's channel before those that it is about. */
  readonly earlier: (id: number) => Promise<readonly SegmentRow[]>;
  /** Resolves when what was said last is stored. */
  readonly stored: () => Promise<void>;
}

/** Makes the parts of segments, one job at a time. */
export class ChannelIndexer {
  readonly #parts: ChannelIndexerParts;
  /** The last used last. */
  readonly #kept = new Map<string, IndexedChannel>();
  /** How far channels were looked through, and what of that was damaged. */
  readonly #across = new Map<string, { through: number; across: string | undefined }>();

  constructor(parts: ChannelIndexerParts) {
    this.#parts = parts;
  }

  /** Rejects when a file cannot be read or written. */
  async index(id: number, job: IndexJob): Promise<void> {
    const stored = new Set(job.stored);
    const name = `${job.session}/${job.channel}`;
    for (const [index, segment] of job.segments.entries()) {
      this.#parts.alive();
      const last = job.last && index === job.segments.length - 1;
      const done = await this.#done(job, segment, stored);
      if (done !== undefined) this.#remember(name, segment.segment, done);
      const made = done !== undefined ? { bytes: 0 } : await this.#make(id, job, segment, last);
      this.#parts.say({ kind: 'made', id, segment: segment.segment, ...made });
    }
  }

  forget(session: string): void {
    for (const [name, channel] of this.#kept) {
      if (!name.startsWith(`${session}/`)) continue;
      this.#kept.delete(name);
      channel.dispose();
    }
  }

  /** What is there of a segment, if nothing has to be made of it any more. */
  async #done(job: IndexJob, row: SegmentRow, stored: ReadonlySet<number>): Promise<{ across: string | undefined } | undefined> {
    const { dataDirectory, session, channel } = job;
    const { segment, sha256 } = row;
    const part = stored.has(segment) ? await readPart(dataDirectory, session, channel, segment, sha256) : undefined;
    if (part !== undefined && (await this.#isRight(part, job, row))) return { across: acrossAfter(part) };
    return (await hasFailed(dataDirectory, session, channel, segment, sha256)) ? { across: undefined } : undefined;
  }

  /** Files come back from backups: what was made without them is not right any more. */
  async #isRight({ segment, damaged, across }: Part, { dataDirectory, session, channel }: IndexJob, row: SegmentRow): Promise<boolean> {
    if (damaged !== undefined && damaged !== (await damageOf(dataDirectory, row))) return false;
    const before = this.#across.get(`${session}/${channel}`);
    return across === undefined || before?.through !== segment - 1 || before.across === across;
  }

  #remember(name: string, through: number, { across }: { across: string | undefined }): void {
    this.#across.delete(name);
    this.#across.set(name, { through, across });
    for (const oldest of this.#across.keys()) {
      if (this.#across.size <= MOST_REMEMBERED) return;
      this.#across.delete(oldest);
    }
  }

  async #make(id: number, job: IndexJob, row: SegmentRow, last: boolean): Promise<Outcome> {
    const { dataDirectory, session, channel } = job;
    const { segment, sha256 } = row;
    this.#parts.say({ kind: 'begin', id, segment });
    const { pieces, damaged, fault } = await findSegment(dataDirectory, row);
    const before = await this.#before(id, job, row);
    let made: MadePart;
    try {
      made = makePart({ channel: before, segment: row, pieces, damaged, last, alive: this.#parts.alive });
    } catch (thrown) {
      before.dispose();
      return { bytes: 0, fault: thrown instanceof Error ? thrown.message : String(thrown) };
    }
    const blocks = packBlocks(made.lines, this.#parts.alive);
    for (let at = 0; at === 0 || at < blocks.length; at += BLOCKS_AT_ONCE) {
      const more = at + BLOCKS_AT_ONCE < blocks.length;
      this.#parts.say({ kind: 'text', id, segment, sha256, blocks: blocks.slice(at, at + BLOCKS_AT_ONCE), more });
      await this.#parts.stored();
    }
    // Last, so that a part that is there says that everything is.
    await writeSidecar(dataDirectory, session, channel, made.part, made.blobs);
    this.#keep(`${session}/${channel}`, before);
    this.#remember(`${session}/${channel}`, segment, before);
    const bytes = made.part.pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    return fault === undefined ? { bytes } : { bytes, fault, salvaged: true };
  }

  /** The channel as the segments before this one left it. It is taken out of those that are kept until it is of use again. */
  async #before(id: number, job: IndexJob, { segment }: SegmentRow): Promise<IndexedChannel> {
    const name = `${job.session}/${job.channel}`;
    const kept = this.#kept.get(name);
    this.#kept.delete(name);
    if (kept?.through === segment - 1) return kept;
    kept?.dispose();
    const before = job.segments.filter((each) => each.segment < segment);
    const complete = segment === 1 || before[0]?.segment === 1;
    const earlier = complete ? before : [...(await this.#parts.earlier(id)), ...before];
    return channelUpTo({ ...job, segments: earlier, through: segment - 1, alive: this.#parts.alive });
  }

  #keep(name: string, channel: IndexedChannel): void {
    this.#kept.set(name, channel);
    if (this.#kept.size <= MOST_KEPT) return;
    for (const [oldest, each] of this.#kept) {
      this.#kept.delete(oldest);
      each.dispose();
      return;
    }
  }
}

/** A block at a time, so that no more lines are strings at once than it takes. */
export function packBlocks(lines: Iterable<ScreenLine>, alive: () => void = () => undefined): TextBlock[] {
  const blocks: TextBlock[] = [];
  let some: ScreenLine[] = [];
  let length = 0;
  for (const line of lines) {
    if (some.length > 0 && length + line.text.length > PACKED_AT_ONCE) {
      blocks.push(...packLines(some));
      alive();
      some = [];
      length = 0;
    }
    some.push(line);
    length += line.text.length + 1;
  }
  return [...blocks, ...packLines(some)];
}
