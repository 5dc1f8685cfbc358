import { Activity } from './activity.ts';
import type { CastHeader } from './cast-event.ts';
import type { Outline, PlayedPiece } from './driver.ts';
import { IdleSpans } from './idle-spans.ts';
import type { Command, Part } from './part.ts';
import type { Damage, Timeline, TimelineMark } from './timeline.ts';

/** A segment of a channel, or the rest of it that is not sealed yet. Times are microseconds since the channel opened. */
export interface SegmentSpan {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  /** Of its file. */
  readonly bytes: number;
}

/** Where a played piece is to be had from. */
export type PiecePlace =
  /** A piece of a segment that has a part. */
  | { readonly segment: number; readonly piece: number }
  /** A whole segment that has none, or was damaged when that was made. */
  | { readonly segment: number; readonly piece: undefined }
  /** Nothing: the recording has no such segment, though it has later ones. */
  | { readonly segment: number; readonly missing: true };

export interface ComposedRecording {
  readonly outline: Outline;
  readonly timeline: Timeline;
  /** For each piece of the outline. */
  readonly places: readonly PiecePlace[];
}

export interface KnownBeside {
  readonly live?: boolean;
  /** Number of the cut: to be counted up when parts have come for segments that were played without. */
  readonly cut?: number;
  /** Where the first part is missing, what the first line of the cast says. */
  readonly header?: CastHeader | undefined;
  /** What was found when segments were read. */
  readonly damage?: readonly Damage[];
}

/** Compressed text is about so much longer when it is read: only for weighing ways against each other. */
const EXPANSION = 8;

/** What the parts of a recording, and the bare segments that have none, say of the whole of it. `segments` in order. */
export function composeRecording(
  segments: readonly SegmentSpan[],
  parts: ReadonlyMap<number, Part>,
  { live = false, cut = 0, header, damage = [] }: KnownBeside = {},
): ComposedRecording {
  const composition = new Composition(parts.get(segments[0]?.segment ?? 1)?.header ?? header, damage);
  let last = 0;
  for (const segment of segments) {
    if (segment.segment > last + 1) composition.addMissing(last + 1, segment.segment - 1, segment.from);
    const part = parts.get(segment.segment);
    if (part === undefined) composition.addBare(segment);
    else composition.addPart(part);
    last = segment.segment;
  }
  for (const each of damage) composition.addDamage(each);
  return composition.end(live, cut);
}

class Composition {
  readonly #header: CastHeader | undefined;
  readonly #found: readonly Damage[];
  readonly #pieces: PlayedPiece[] = [];
  readonly #places: PiecePlace[] = [];
  readonly #marks: TimelineMark[] = [];
  readonly #damage: Damage[] = [];
  readonly #commands: Command[] = [];
  readonly #activity = new Activity();
  readonly #idle = new IdleSpans();
  #terminal: boolean;
  #input = false;
  #to = 0;

  constructor(header: Part['header'] | CastHeader, found: readonly Damage[]) {
    this.#found = found;
    this.#header = header === undefined ? undefined : { title: undefined, command: undefined, ...header };
    this.#terminal = this.#header?.pty === true;
  }

  addPart(part: Part): void {
    const keyframes = new Set(part.keyframes.map(({ piece }) => piece));
    for (const [index, { from, bytes }] of part.pieces.entries()) {
      const keyframe = keyframes.has(index);
      this.#places.push({ segment: part.segment, piece: part.damaged === undefined ? index : undefined });
      // What it was before may not be known, where nothing is known of what came before.
      const plain = keyframe ? !part.terminal : !this.#terminal;
      this.#pieces.push({ from, to: part.pieces[index + 1]?.from ?? part.to, bytes, keyframe, plain });
    }
    if (part.busy !== undefined) {
      this.#idle.happened(part.busy.from);
      for (const [from, to] of part.busy.idle) this.#idle.silent(from, to);
      this.#idle.busyUntil(part.busy.to);
    }
    for (const [at, amount] of part.heat) this.#activity.add(at, amount);
    for (const mark of part.marks) {
      // Told with all its words by whoever has found it again.
      if (mark.kind === 'damage' && this.#found.some(({ from, words }) => from === mark.at && words.startsWith(mark.title))) continue;
      this.#marks.push(mark);
      if (mark.kind === 'damage') this.#damage.push({ from: mark.at, to: mark.at, words: mark.title });
    }
    for (const command of part.commands) this.#commands.push(command);
    this.#terminal = part.terminal;
    this.#input ||= part.input;
    this.#to = Math.max(this.#to, part.to);
  }

  addBare({ segment, from, to, bytes }: SegmentSpan): void {
    this.#places.push({ segment, piece: undefined });
    this.#pieces.push({ from, to, bytes: bytes * EXPANSION, keyframe: false, plain: !this.#terminal });
    // Nobody has looked what happens in it.
    this.#idle.happened(from);
    this.#idle.busyUntil(to);
    this.#activity.add(from, bytes);
    this.#input = true;
    this.#to = Math.max(this.#to, to);
  }

  addMissing(first: number, last: number, to: number): void {
    const from = this.#to;
    this.#places.push({ segment: first, missing: true });
    this.#pieces.push({ from, to, bytes: 0, keyframe: false, plain: !this.#terminal });
    this.addDamage({ from, to, words: missingWords(first, last) });
    this.#to = to;
  }

  addDamage(damage: Damage): void {
    this.#idle.missing(damage.from, damage.to);
    this.#damage.push(damage);
    this.#marks.push({ at: damage.from, kind: 'damage', title: damage.words });
  }

  end(live: boolean, cut: number): ComposedRecording {
    const byTime = (a: { at: number }, b: { at: number }) => a.at - b.at;
    return {
      outline: {
        cut,
        header: this.#header,
        duration: this.#to,
        terminal: this.#terminal,
        input: this.#input,
        pieces: this.#pieces,
        idle: this.#idle.until(this.#to),
        live,
      },
      timeline: {
        marks: this.#marks.sort(byTime),
        damage: this.#damage.sort((a, b) => a.from - b.from),
        commands: this.#commands.sort(byTime),
        activity: this.#activity,
      },
      places: this.#places,
    };
  }
}

function missingWords(first: number, last: number): string {
  const which = first === last ? `Part ${first}` : `Parts ${first} to ${last}`;
  return `${which} of this recording ${first === last ? 'is' : 'are'} missing.`;
}
