import { createHash } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { CommandFinder } from '../../contract/replay/command-finder.ts';
import { Happenings } from '../../contract/replay/happenings.ts';
import type { Command, Part, Piece } from '../../contract/replay/part.ts';
import { ENGINE } from '../../contract/replay/screen/engine.ts';
import { verifiedDump } from '../../contract/replay/screen/verified-dump.ts';
import { micros } from '../../contract/replay/segment-source.ts';
import type { SegmentRow } from '../../contract/session.ts';
import { CollectedBlobs } from './collected-blobs.ts';
import type { IndexedChannel } from './indexed-channel.ts';
import type { ScreenLine } from './screen-text.ts';
import type { SegmentPiece } from './segment-pieces.ts';
import { Thumbnails } from './thumbnails.ts';

/** A keyframe where a piece begins and so much text has come since the last one: what a seek has to show at most, about. */
const KEYFRAME_TEXT = 500_000;
/** Of quiet sessions, where so many segments have gone by: as many files are read at most. */
const KEYFRAME_SEGMENTS = 16;

const MOST_COMMANDS = 2000;
/** Characters of all of them. Beyond that each is named by its beginning: the whole of it is in the recording. */
const MOST_COMMAND_TEXT = 128 * 1024;
const COMMAND_BEGINNING = 100;

const PACKING = { params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } };

export interface MadePart {
  readonly part: Part;
  readonly blobs: readonly Buffer[];
  /** To be read to the end before the next part of the channel is made. */
  readonly lines: Iterable<ScreenLine>;
}

export interface PartParts {
  /** As the segment before left it. Goes on to the end of this one. */
  readonly channel: IndexedChannel;
  readonly segment: SegmentRow;
  readonly pieces: Iterable<SegmentPiece>;
  /** What was there instead of the segment that was sealed, if it was not. */
  readonly damaged: string | undefined;
  /** No segment of this channel follows. */
  readonly last: boolean;
  /** Called often. */
  readonly alive: () => void;
}

/** One pass over a segment: its events on the screen as the segments before left it, and what there is to say of them. */
export function makePart(parts: PartParts): MadePart {
  return new PartMaker(parts).make();
}

class PartMaker {
  readonly #parts: PartParts;
  readonly #channel: IndexedChannel;
  readonly #blobs = new CollectedBlobs();
  readonly #happenings = new Happenings();
  readonly #finder: CommandFinder;
  readonly #pieces: Piece[] = [];
  readonly #keyframes: Part['keyframes'] = [];
  readonly #thumbnails: Thumbnails;
  readonly #commands: Command[] = [];
  #commandText = 0;
  #header: Part['header'];

  constructor(parts: PartParts) {
    this.#parts = parts;
    this.#channel = parts.channel;
    this.#thumbnails = new Thumbnails(this.#blobs, micros(parts.segment.from));
    this.#finder = new CommandFinder((command) => this.#name(command), { state: parts.channel.finder });
  }

  make(): MadePart {
    const { segment, pieces, damaged, last } = this.#parts;
    const channel = this.#channel;
    let { terminal } = channel;
    const from = micros(segment.from);
    let to = from;
    channel.segmentsSinceKeyframe += 1;
    for (const { place, parsed } of pieces) {
      if (segment.segment === 1 && this.#pieces.length === 0) {
        this.#begin(parsed.header);
        ({ terminal } = channel);
      } else this.#makeKeyframe();
      this.#pieces.push(place);
      for (const event of parsed.events) this.#take(event);
      channel.textSinceKeyframe += place.bytes;
      to = parsed.to;
    }
    to = Math.max(to, micros(segment.to));
    if (last) this.#finder.end();
    this.#thumbnails.end(channel.screen.emulation);
    channel.finder = this.#finder.state();
    channel.through = segment.segment;
    // A keyframe is one of the screen that its part says: a terminal, or a plain one.
    if (channel.terminal !== terminal) this.#forgetKeyframes();
    const { count, lines } = channel.takeLines(to);
    const part = this.#part(from, to, count);
    if (damaged !== undefined) channel.wantKeyframe();
    channel.across = acrossAfter(part);
    return { part, blobs: this.#blobs.all, lines };
  }

  #part(from: number, to: number, lines: number): Part {
    const { segment, damaged } = this.#parts;
    const { terminal, input, finder, across } = this.#channel;
    return {
      v: 1,
      engine: ENGINE,
      segment: segment.segment,
      sha256: segment.sha256,
      ...(damaged === undefined ? {} : { damaged }),
      ...(across === undefined ? {} : { across }),
      from,
      to,
      ...(this.#header === undefined ? {} : { header: this.#header }),
      terminal,
      input,
      pieces: this.#pieces,
      keyframes: this.#keyframes,
      thumbnails: this.#thumbnails.taken,
      ...this.#happenings.part,
      commands: this.#commands,
      ...(finder === undefined ? {} : { finder }),
      lines,
    };
  }

  #begin(header: Parameters<IndexedChannel['begin']>[0]): void {
    this.#channel.begin(header);
    if (header === undefined) return;
    this.#finder.begin(header);
    const { cols, rows, pty, title, command, synthetic } = header;
    this.#header = {
      cols,
      rows,
      pty,
      ...(title === undefined ? {} : { title }),
      ...(command === undefined ? {} : { command }),
      synthetic,
    };
  }

  #take(event: CastEvent): void {
    const { screen } = this.#channel;
    this.#thumbnails.before(event, screen.emulation);
    this.#happenings.take(event);
    this.#finder.before(event, screen.emulation);
    this.#channel.showForText(event);
    this.#finder.after(event, screen.emulation);
    this.#parts.alive();
  }

  #name(command: Command): void {
    if (this.#commands.length >= MOST_COMMANDS) return;
    const { text } = command;
    this.#commandText += text.length;
    const isShown = text.length <= COMMAND_BEGINNING || this.#commandText <= MOST_COMMAND_TEXT;
    this.#commands.push(isShown ? command : { ...command, text: `${text.slice(0, COMMAND_BEGINNING).toWellFormed()}…` });
  }

  /** Not where little has happened since the last one, and not where the terminal is one that no dump describes. */
  #makeKeyframe(): void {
    const channel = this.#channel;
    if (channel.textSinceKeyframe < KEYFRAME_TEXT && channel.segmentsSinceKeyframe <= KEYFRAME_SEGMENTS) return;
    const { emulation } = channel.screen;
    if (!emulation.whole) return;
    const dump = verifiedDump(emulation);
    this.#parts.alive();
    if (dump === undefined) return;
    channel.textSinceKeyframe = 0;
    channel.segmentsSinceKeyframe = 0;
    const { cols, rows } = emulation;
    this.#keyframes.push({ piece: this.#pieces.length, cols, rows, ...this.#blobs.put(zstdCompressSync(dump, PACKING)) });
  }

  #forgetKeyframes(): void {
    if (this.#keyframes.length === 0) return;
    this.#keyframes.length = 0;
    this.#channel.wantKeyframe();
  }
}

/** What the part of the next segment has to say of the damage before it. */
export function acrossAfter({ segment, damaged, across }: Pick<Part, 'segment' | 'damaged' | 'across'>): string | undefined {
  if (damaged === undefined) return across;
  return createHash('sha256')
    .update(`${across ?? ''} ${segment} ${damaged}`)
    .digest('hex');
}
