import type { Place, PlaceFilter, Position, ScreenTextReader } from '../../store/screen-text-reader.ts';
import type { Shard } from '../../store/screen-text-schema.ts';
import { type SearchCursor, WHOLE_BLOCK } from './search-cursor.ts';

/** Blocks that a shard is asked for at first, and from then on: a common word is found in the first few. */
const FIRST = 32;
const MORE = 512;
/** Ties have 32 bits. */
const ABOVE_TIES = 2 ** 32;

/** Which shards come into question, and which blocks of each. */
export type ShardRanges = readonly { readonly shard: number; readonly low: number; readonly high: number }[];

interface Stream {
  shard: Shard;
  readonly ids: { readonly low: number; readonly high: number } | undefined;
  /** What was read and not yet given, newest first. */
  buffer: Place[];
  /** Everything at or above this was read. */
  below: Position;
  readBefore: boolean;
}

/** Gives the blocks of all shards in one order, newest first, and reads no more of any shard than that takes. */
export class BlockFinder {
  readonly #reader: ScreenTextReader;
  readonly #tokens: readonly string[];
  readonly #filter: PlaceFilter;
  #streams: Stream[];

  private constructor(reader: ScreenTextReader, tokens: readonly string[], filter: PlaceFilter, streams: Stream[]) {
    this.#reader = reader;
    this.#tokens = tokens;
    this.#filter = filter;
    this.#streams = streams;
  }

  static async open(reader: ScreenTextReader, tokens: readonly string[], filter: PlaceFilter, ranges?: ShardRanges): Promise<BlockFinder> {
    const { below, from, to } = filter;
    const wanted = ranges && new Map(ranges.map(({ shard, low, high }) => [shard, { low, high }]));
    const shards = (await reader.shards()).filter(
      ({ id, low, until }) =>
        (wanted === undefined || wanted.has(id)) && low <= below.moment && until >= (from ?? 0) && (to === undefined || low < to),
    );
    const streams = shards.map((shard) => ({
      shard,
      ids: wanted?.get(shard.id),
      buffer: [],
      below: below.moment <= shard.high ? below : { moment: shard.high, tie: ABOVE_TIES },
      readBefore: false,
    }));
    return new BlockFinder(reader, tokens, filter, streams);
  }

  /** The next ones, at most so many. Fewer when the next shard would have to be read and `goOn` says no. */
  async next(most: number, goOn: () => boolean): Promise<Place[]> {
    const places: Place[] = [];
    for (let stream = this.#first(); stream !== undefined && places.length < most; stream = this.#first()) {
      const place = stream.buffer.shift();
      if (place !== undefined) places.push(place);
      else if (places.length > 0 || !goOn()) break;
      else await this.#read(stream);
    }
    return places;
  }

  /** Where a search goes on that stops here. Undefined when everything was given. */
  get reached(): SearchCursor | undefined {
    const stream = this.#first();
    if (stream === undefined) return undefined;
    const { moment, tie } = topOf(stream);
    // A block that is known and was not given is part of what is left.
    return { moment, tie, line: stream.buffer.length > 0 ? WHOLE_BLOCK : 0 };
  }

  /** The one with the newest block; or one that has to be read before that can be said. */
  #first(): Stream | undefined {
    let first: Stream | undefined;
    for (const stream of this.#streams) if (first === undefined || isNewer(topOf(stream), topOf(first))) first = stream;
    return first;
  }

  async #read(stream: Stream): Promise<void> {
    const limit = stream.readBefore ? MORE : FIRST;
    const found = await this.#reader.find(stream.shard, this.#tokens, { ...this.#filter, below: stream.below, ids: stream.ids }, limit);
    if (found === undefined) {
      const shard = await this.#reader.formNow(stream.shard);
      if (shard === undefined) this.#drop(stream);
      else stream.shard = shard;
      return;
    }
    stream.readBefore = true;
    stream.buffer = found;
    const last = found.at(-1);
    if (last === undefined) this.#drop(stream);
    else stream.below = last;
  }

  #drop(stream: Stream): void {
    this.#streams = this.#streams.filter((other) => other !== stream);
  }
}

/** Of what is not read yet it is known that it is not newer than this. */
function topOf({ buffer, below }: Stream): Position {
  return buffer[0] ?? below;
}

function isNewer(one: Position, other: Position): boolean {
  return one.moment > other.moment || (one.moment === other.moment && one.tie > other.tie);
}
