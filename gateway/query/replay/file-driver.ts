import type { CastEvent, CastHeader } from '../../../contract/replay/cast-event.ts';
import type { Keyframe, Outline, ReplayDriver } from '../../../contract/replay/driver.ts';
import { type ComposedRecording, composeRecording, type SegmentSpan } from '../../../contract/replay/outline.ts';
import { CastParser } from '../../../contract/replay/parse-segment.ts';
import type { Part } from '../../../contract/replay/part.ts';
import { micros } from '../../../contract/replay/segment-source.ts';
import type { Timeline } from '../../../contract/replay/timeline.ts';
import type { SegmentRow } from '../../../contract/session.ts';
import { SallyportError } from '../../base/errors.ts';
import { type FoundDamage, salvagedEvents } from '../../indexing/salvaged-events.ts';
import { readKeyframe } from '../../indexing/sidecar-file.ts';
import type { PerStream } from '../../recording/cast-renderer.ts';
import { isGone } from '../../recording/errno-code.ts';
import { partMissing } from '../../recording/read-around.ts';
import { readSegmentFile } from '../../recording/segment-on-disk.ts';
import type { Database } from '../../store/database.ts';
import { castSources } from '../cast-source.ts';
import { SegmentTexts } from '../segment-text.ts';
import { recordedParts } from './recorded-parts.ts';
import { pieceEvents, sealedEvents, stretchEvents } from './segment-events.ts';

/** Of a segment's text, so that the header at its beginning is in it. */
const HEADER_BYTES = 64 * 1024;

/** Where one part of the recording is read from. */
interface Source {
  readonly number: number;
  sealed: SegmentRow | undefined;
  /** Not as it was sealed. */
  altered: boolean;
  readonly journal: { readonly path: string; readonly from: number; readonly to: number; readonly rawSpent: PerStream } | undefined;
}

/**
 * Drives a player from a data directory: sealed segments with their sidecars, as far as there are any, and what stood in
 * the journal when it was opened. Nothing of a segment is played before its file was compared with its seal; damage is
 * told where it is found, and what is intact around it is played.
 */
export class FileDriver implements ReplayDriver {
  /** What was found, each once. */
  readonly damage: SallyportError[] = [];
  readonly #database: Database;
  readonly #session: string;
  readonly #channel: number;
  readonly #texts: SegmentTexts;
  readonly #sources: ReadonlyMap<number, Source>;
  readonly #spans: readonly SegmentSpan[];
  readonly #parts: Map<number, Part>;
  #header: CastHeader | undefined;
  readonly #found: FoundDamage[] = [];
  readonly #listeners = new Set<() => void>();
  #composed: ComposedRecording;
  #closed = false;

  private constructor(
    where: { database: Database; session: string; channel: number; texts: SegmentTexts },
    recorded: { sources: readonly Source[]; spans: readonly SegmentSpan[]; parts: Map<number, Part>; header: CastHeader | undefined },
  ) {
    this.#database = where.database;
    this.#session = where.session;
    this.#channel = where.channel;
    this.#texts = where.texts;
    this.#sources = new Map(recorded.sources.map((source) => [source.number, source]));
    this.#spans = recorded.spans;
    this.#parts = recorded.parts;
    this.#header = recorded.header;
    this.#composed = this.#compose(0);
    for (const place of this.#composed.places) if ('missing' in place) this.#tell(partMissing(this.#session, this.#channel, place.segment));
  }

  /** Reads what is known of the recording, and nothing of what it holds but where there are no sidecars yet. */
  static async open(database: Database, session: string, channel: number): Promise<FileDriver> {
    const listed = await castSources(database, session, channel);
    const rows = listed.map(({ sealed }) => sealed).filter((row) => row !== undefined);
    const parts = await recordedParts(database.directory, session, channel, rows);
    const texts = new SegmentTexts(database.directory);
    const sources: Source[] = [];
    const spans: SegmentSpan[] = [];
    let header: CastHeader | undefined;
    let rawSpent: PerStream = { i: 0, o: 0, e: 0 };
    for (const { number, sealed, journal } of listed) {
      const from = spans.at(-1)?.to ?? 0;
      if (sealed !== undefined) {
        const stretch = journal === undefined ? undefined : { path: journal, from: micros(sealed.from), to: micros(sealed.to), rawSpent };
        sources.push({ number, sealed, altered: false, journal: stretch });
        spans.push({ segment: number, from: micros(sealed.from), to: micros(sealed.to), bytes: sealed.bytes });
        if (number === 1 && !parts.has(1)) header = await headerOf(texts, sealed);
      } else if (journal !== undefined) {
        const read = await stretchEvents(journal, from, rawSpent).catch((thrown: unknown) => {
          if (isGone(thrown)) return undefined; // Sealed since it was listed.
          throw thrown;
        });
        if (read === undefined) return FileDriver.open(database, session, channel);
        sources.push({ number, sealed, altered: false, journal: { path: journal, from, to: read.parser.at, rawSpent } });
        spans.push({ segment: number, from, to: read.parser.at, bytes: Math.ceil(read.length / 8) });
        if (number === 1) header = read.parser.header;
        rawSpent = read.rawSpent;
      }
    }
    return new FileDriver({ database, session, channel, texts }, { sources, spans, parts, header });
  }

  get outline(): Outline {
    return this.#composed.outline;
  }

  get timeline(): Timeline {
    return this.#composed.timeline;
  }

  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async load(piece: number): Promise<readonly CastEvent[]> {
    const place = this.#composed.places[piece];
    const { from = 0, to = from } = this.outline.pieces[piece] ?? {};
    if (this.#closed) throw new Error('the recording is closed');
    if (place === undefined) return [];
    if ('missing' in place) return [{ kind: 'damage', at: from, until: to, words: this.#wordsAt(from) }];
    const source = this.#sources.get(place.segment);
    const part = this.#parts.get(place.segment);
    try {
      return await this.#read(source, place.piece === undefined ? undefined : part?.pieces[place.piece]);
    } catch (thrown) {
      if (this.#closed || !(thrown instanceof SallyportError) || source?.sealed === undefined) throw thrown;
      // From here on it is played as one piece, without its sidecar: from the journal if it is there still, or what is left.
      source.altered = true;
      if (place.piece === undefined) return this.#read(source, undefined);
      this.#parts.delete(place.segment);
      // It says how the screen began all the same.
      if (place.segment === 1) this.#header ??= this.outline.header;
      this.#recompose(1);
      return [];
    }
  }

  async keyframe(piece: number): Promise<Keyframe | undefined> {
    const place = this.#composed.places[piece];
    if (place === undefined || 'missing' in place) return undefined;
    const wanted = place.piece ?? 0;
    const keyframe = this.#parts.get(place.segment)?.keyframes.find((each) => each.piece === wanted);
    return keyframe && readKeyframe(this.#database.directory, this.#session, this.#channel, place.segment, keyframe);
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
  }

  async #read(source: Source | undefined, piece: Part['pieces'][number] | undefined): Promise<readonly CastEvent[]> {
    if (source === undefined) return [];
    const { sealed, altered, journal } = source;
    if (sealed !== undefined && !altered) {
      if (piece !== undefined) return pieceEvents(this.#texts, sealed, piece);
      const { events } = await sealedEvents(this.#texts, sealed);
      this.#find(unreadableLines(events, sealed.segment));
      return events;
    }
    if (journal !== undefined) {
      try {
        return await this.#stretch(journal, source);
      } catch (thrown) {
        if (!isGone(thrown)) throw thrown;
        source.sealed ??= (await this.#database.segments.ofChannel(this.#session, this.#channel)).find(
          ({ segment }) => segment === source.number,
        );
        if (source.sealed === undefined) throw partMissing(this.#session, this.#channel, source.number);
        if (!altered) return this.#read(source, undefined);
      }
    }
    if (source.sealed === undefined) return [];
    const salvaged = await salvagedEvents(source.sealed, await readSegmentFile(this.#database.directory, source.sealed));
    this.#find(salvaged.damage);
    return salvaged.events;
  }

  /** No more of it than was there when the recording was opened: what follows it begins there. */
  async #stretch({ path, from, to, rawSpent }: NonNullable<Source['journal']>, { number }: Source): Promise<readonly CastEvent[]> {
    const { parser, damage } = await stretchEvents(path, from, rawSpent);
    const events: CastEvent[] = parser.events.filter(({ at }) => at <= to);
    this.#find(unreadableLines(events, number));
    if (damage !== undefined) {
      events.push({ kind: 'damage', at: to, until: to, words: damage.message });
      this.#find([{ from: to, to, error: damage }]);
    }
    return events;
  }

  #wordsAt(from: number): string {
    return this.timeline.damage.find((each) => each.from === from)?.words ?? 'A part of this recording is missing.';
  }

  #tell(error: SallyportError): void {
    if (!this.damage.some(({ message }) => message === error.message)) this.damage.push(error);
  }

  #find(found: readonly FoundDamage[]): void {
    const before = this.#found.length;
    for (const each of found) {
      if (this.#found.some(({ from, error }) => from === each.from && error.message === each.error.message)) continue;
      this.#found.push(each);
      this.#tell(each.error);
    }
    if (this.#found.length > before) this.#recompose(0);
  }

  #recompose(cuts: 0 | 1): void {
    this.#composed = this.#compose(this.outline.cut + cuts);
    for (const listener of this.#listeners) listener();
  }

  #compose(cut: number): ComposedRecording {
    const damage = this.#found.map(({ from, to, error }) => ({ from, to, words: error.message }));
    return composeRecording(this.#spans, this.#parts, { cut, header: this.#header, damage });
  }
}

/** Lines that are no events, in text that is as it was sealed. */
function unreadableLines(events: readonly CastEvent[], segment: number): FoundDamage[] {
  return events
    .filter((event) => event.kind === 'damage')
    .map(({ at, until, words }) => ({
      from: at,
      to: until,
      error: new SallyportError('RECORDING_DAMAGED', `Part ${segment} of the recording: ${words}`),
    }));
}

/** Undefined where it cannot be read: that is found again, and told, when it is played. */
async function headerOf(texts: SegmentTexts, first: SegmentRow): Promise<CastHeader | undefined> {
  try {
    const text = await texts.open(first);
    const parser = new CastParser(0, false);
    for await (const content of text.read(0, Math.min(HEADER_BYTES, text.bytes))) {
      parser.push(content.toString('utf8').split('\n', 1)[0] ?? '');
      break;
    }
    return parser.header;
  } catch (thrown) {
    if (thrown instanceof SallyportError) return undefined;
    throw thrown;
  }
}
