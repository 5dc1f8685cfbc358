import type { CastEvent } from '../../contract/replay/cast-event.ts';
import type { Keyframe, ReplayDriver } from '../../contract/replay/driver.ts';
import { type ComposedRecording, composeRecording } from '../../contract/replay/outline.ts';
import { parsePiece, parseSegment } from '../../contract/replay/parse-segment.ts';
import type { Part } from '../../contract/replay/part.ts';
import type { SegmentRow } from '../../contract/session.ts';
import { readKeyframe, readPart } from '../../gateway/indexing/sidecar-file.ts';
import { SegmentTexts } from '../../gateway/query/segment-text.ts';

/** A sealed recording with what the indexer made of it, read from the files themselves. */
export class SealedDriver implements ReplayDriver {
  readonly outline: ComposedRecording['outline'];
  readonly timeline: ComposedRecording['timeline'];
  /** Keyframes that were read. */
  keyframes = 0;
  readonly #places: ComposedRecording['places'];
  readonly #directory: string;
  readonly #rows: ReadonlyMap<number, SegmentRow>;
  readonly #parts: ReadonlyMap<number, Part>;
  readonly #texts: SegmentTexts;
  readonly #loaded = new Map<number, Promise<readonly CastEvent[]>>();

  private constructor(directory: string, rows: readonly SegmentRow[], parts: ReadonlyMap<number, Part>) {
    this.#directory = directory;
    this.#rows = new Map(rows.map((row) => [row.segment, row]));
    this.#parts = parts;
    this.#texts = new SegmentTexts(directory);
    const spans = rows.map(({ segment, from, to, bytes }) => ({ segment, from: micros(from), to: micros(to), bytes }));
    ({ outline: this.outline, timeline: this.timeline, places: this.#places } = composeRecording(spans, parts));
  }

  static async open(directory: string, rows: readonly SegmentRow[]): Promise<SealedDriver> {
    const parts = new Map<number, Part>();
    for (const { session, channel, segment, sha256 } of rows) {
      const part = await readPart(directory, session, channel, segment, sha256);
      if (part !== undefined) parts.set(segment, part);
    }
    return new SealedDriver(directory, rows, parts);
  }

  onGrowth(): () => void {
    return () => undefined;
  }

  load(piece: number): Promise<readonly CastEvent[]> {
    const loaded = this.#loaded.get(piece) ?? this.#load(piece);
    this.#loaded.set(piece, loaded);
    return loaded;
  }

  async #load(piece: number): Promise<readonly CastEvent[]> {
    const place = this.#places[piece];
    const row = this.#rows.get(place?.segment ?? 0);
    if (place === undefined || row === undefined) throw new Error(`there is no piece ${piece}`);
    const text = await this.#texts.open(row);
    const known = 'piece' in place && place.piece !== undefined ? this.#parts.get(row.segment)?.pieces[place.piece] : undefined;
    const { at, bytes } = known ?? { at: 0, bytes: text.bytes };
    let read = '';
    for await (const bit of text.read(at, at + bytes)) read += bit.toString('utf8');
    return known === undefined ? parseSegment(read, row.from).events : parsePiece(read, known.from, known.error).events;
  }

  async keyframe(piece: number): Promise<Keyframe | undefined> {
    const place = this.#places[piece];
    const row = this.#rows.get(place?.segment ?? 0);
    if (row === undefined || place === undefined || !('piece' in place)) return undefined;
    const keyframe = this.#parts.get(row.segment)?.keyframes.find((each) => each.piece === place.piece);
    if (keyframe === undefined) return undefined;
    this.keyframes += 1;
    return readKeyframe(this.#directory, row.session, row.channel, row.segment, keyframe);
  }

  close(): void {
    // It holds nothing open.
  }
}

function micros(nanos: number): number {
  return Math.floor(nanos / 10_000) * 10;
}
