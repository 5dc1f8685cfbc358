import type { SegmentRow } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { RecordedNow } from '../recording/recorder.ts';
import { IndexQueue, nameOf, type WantedChannel } from './index-queue.ts';
import { IndexerThread } from './indexer-thread.ts';
import type { ScreenTextStore } from './screen-text.ts';
import { removeParts, writeFailure } from './sidecar-file.ts';

/** The segments that are on record. */
export interface RecordedSegments {
  /** Of a channel, in order, from a number on, at most so many. */
  from(session: string, channel: number, segment: number, most: number): Promise<readonly SegmentRow[]>;
  /** Channels that have segments, oldest first, behind one of them, at most so many. */
  channels(
    after: { readonly session: string; readonly channel: number } | undefined,
    most: number,
  ): Promise<readonly { readonly session: string; readonly channel: number }[]>;
  /** Whether no segment will follow. */
  isClosed(session: string, channel: number): Promise<boolean>;
}

export interface IndexerOptions {
  readonly dataDirectory: string;
  readonly segments: RecordedSegments;
  readonly text: ScreenTextStore;
  readonly log: Log;
  /** What is made here can be made later: it is not, while the disk has no space to spare. */
  readonly hasSpace: () => boolean;
  readonly longestSilenceMillis?: number;
}

/** Segments that one job is about. */
const MOST_SEGMENTS = 64;
const MOST_CHANNELS = 100;
/** A segment that the thread died of this often is not tried again. */
const MOST_DEATHS = 3;
/** With nothing done in between. Then it rests. */
const MOST_DEATHS_IN_A_ROW = 10;
const REST_MILLIS = 30_000;
/** In a row. Then the disk may be at fault, and not what is on it. */
const MOST_FAILURES_IN_A_ROW = 3;
const MOST_REMEMBERED_DEATHS = 1000;

/**
 * Has parts and screen text made of segments that are sealed, in the background: those that were sealed just now, those
 * that somebody wants to see, and then whatever is missing, oldest first. Never affects recording: what it cannot do is
 * done again, or not at all.
 */
export class Indexer {
  readonly #options: IndexerOptions;
  readonly #queue = new IndexQueue();
  readonly #thread: IndexerThread;
  /** By segment, those that the thread died of. */
  readonly #deaths = new Map<string, number>();
  #scan: { after: { session: string; channel: number } | undefined; page: { session: string; channel: number }[] } | undefined;
  #working: Promise<void> | undefined;
  #current: WantedChannel | undefined;
  #currentDone: Promise<void> | undefined;
  readonly #forgotten = new Set<string>();
  /** Told when everything that is wanted of a channel is made. */
  readonly #waiters = new Map<string, ((failure?: unknown) => void)[]>();
  #closed = false;
  #deathsInARow = 0;
  /** Channels that could not be done: they come after all others, which may well be possible. */
  readonly #failed = new IndexQueue();
  #failuresInARow = 0;
  #rest: NodeJS.Timeout | undefined;
  #bytes = 0;

  constructor(options: IndexerOptions) {
    this.#options = options;
    this.#thread = new IndexerThread(options);
  }

  /** For tests that end the thread: a process has no other name for it. */
  get thread(): IndexerThread {
    return this.#thread;
  }

  /** For the metrics. */
  get status(): { readonly queued: number; readonly behindSeconds: number; readonly bytes: number; readonly looking: boolean } {
    const oldest = Math.min(this.#queue.oldest, this.#failed.oldest, this.#current?.since ?? Number.POSITIVE_INFINITY);
    const behindSeconds = Number.isFinite(oldest) ? (performance.now() - oldest) / 1000 : 0;
    return {
      queued: this.#queue.size + this.#failed.size + (this.#current === undefined ? 0 : 1),
      behindSeconds,
      bytes: this.#bytes,
      looking: this.#scan !== undefined,
    };
  }

  /** Looks through everything that is on record for what is missing. */
  begin(): void {
    this.#scan = { after: undefined, page: [] };
    this.#go();
  }

  /** A segment was sealed. Never throws. */
  sealed({ session, channel, segment, last }: RecordedNow): void {
    if (this.#queue.add({ session, channel, from: segment, last, since: performance.now() })) this.#go();
    // More than can be remembered: they are found again.
    else this.begin();
  }

  /** Somebody wants to see this channel: what is missing of it comes next. */
  want(session: string, channel: number): void {
    this.#queue.addFirst({ session, channel, from: 1, last: false, since: performance.now() });
    this.#go();
  }

  /**
   * Makes everything of a session anew. Resolves when nothing more can be made of it. Throws INDEX_INTERRUPTED when the
   * signal comes before that, or the indexer is closed: the rest is made later.
   */
  async rebuild(session: string, channels: Iterable<number>, signal: AbortSignal): Promise<void> {
    await this.forget(session);
    const all = [...channels];
    const made = all.map(
      (channel) =>
        new Promise<unknown>((resolve) => {
          const name = nameOf({ session, channel });
          this.#waiters.set(name, [...(this.#waiters.get(name) ?? []), resolve]);
        }),
    );
    for (const channel of all) this.want(session, channel);
    const interrupted = new Promise<unknown[]>((resolve) => signal.addEventListener('abort', () => resolve([]), { once: true }));
    const failures = (await Promise.race([Promise.all(made), interrupted])).filter((failure) => failure !== undefined);
    if (!signal.aborted && !this.#closed && failures.length === 0) return;
    const [failure] = failures;
    const why = failure instanceof Error ? `: ${failure.message}` : '';
    throw new SallyportError('INDEX_INTERRUPTED', `Session ${session} is not indexed to its end${why}`, {
      remedy: 'a gateway that runs goes on with it by itself, as soon as it can',
      cause: failure,
    });
  }

  /** Resolves when nothing is left to be done, or nothing can be done at the moment. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** Resolves when nothing is made of this session any more, and its parts are gone. To be called once its erasure is on record. */
  async forget(session: string): Promise<void> {
    this.#queue.forget(session);
    this.#failed.forget(session);
    for (const name of [...this.#waiters.keys()]) if (name.startsWith(`${session}/`)) this.#tellWaiters(name);
    this.#forgotten.add(session);
    this.#thread.forget(session);
    // Whatever is made of it right now is thrown away with the thread that makes it.
    if (this.#current?.session === session) {
      await this.#thread.end();
      await this.#currentDone?.catch(() => undefined); // It says why where it is waited for.
    }
    try {
      await removeParts(this.#options.dataDirectory, session);
    } finally {
      this.#forgotten.delete(session);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#rest);
    await this.#thread.end();
    await this.#working;
    for (const name of [...this.#waiters.keys()]) this.#tellWaiters(name);
  }

  #go(): void {
    if (this.#closed || this.#rest !== undefined) return;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    for (;;) {
      if (this.#closed) return;
      if (!this.#options.hasSpace()) {
        if (this.#queue.size + this.#failed.size > 0 || this.#scan !== undefined) this.#restAWhile();
        return;
      }
      try {
        const wanted = this.#queue.next() ?? (await this.#nextOfScan());
        if (wanted === undefined) {
          if (this.#queue.size > 0) continue;
          for (let failed = this.#failed.next(); failed !== undefined; failed = this.#failed.next()) this.#queue.add(failed);
          if (this.#queue.size > 0) this.#restAWhile();
          return;
        }
        this.#current = wanted;
        this.#currentDone = this.#index(wanted);
        await this.#currentDone;
        this.#failuresInARow = 0;
        if (!this.#queue.has(wanted)) this.#tellWaiters(nameOf(wanted));
      } catch (thrown) {
        if (this.#closed) return;
        const wanted = this.#current;
        this.#options.log.warn(
          { session: wanted?.session, channel: wanted?.channel, err: thrown },
          'a recording could not be indexed; it will be tried again',
        );
        if (wanted !== undefined && !this.#forgotten.has(wanted.session)) this.#failed.add(wanted);
        if (wanted !== undefined) this.#tellWaiters(nameOf(wanted), thrown);
        this.#failuresInARow += 1;
        if (wanted !== undefined && this.#failuresInARow < MOST_FAILURES_IN_A_ROW) continue;
        this.#failuresInARow = 0;
        this.#restAWhile();
        return;
      } finally {
        this.#current = undefined;
      }
    }
  }

  #tellWaiters(name: string, failure?: unknown): void {
    const waiters = this.#waiters.get(name) ?? [];
    this.#waiters.delete(name);
    for (const tell of waiters) tell(failure);
  }

  #restAWhile(): void {
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#go();
    }, REST_MILLIS);
    this.#rest.unref();
  }

  async #nextOfScan(): Promise<WantedChannel | undefined> {
    const scan = this.#scan;
    if (scan === undefined) return undefined;
    if (scan.page.length === 0) {
      scan.page = [...(await this.#options.segments.channels(scan.after, MOST_CHANNELS))];
      scan.after = scan.page.at(-1);
    }
    const next = scan.page.shift();
    if (next === undefined) {
      if (this.#scan === scan) this.#scan = undefined;
      return undefined;
    }
    return { ...next, from: 1, last: false, since: Number.POSITIVE_INFINITY };
  }

  /** All segments of a channel from one on, some at a time: what comes first in the queue comes in between. */
  async #index(wanted: WantedChannel): Promise<void> {
    const { session, channel } = wanted;
    const { segments, text, dataDirectory } = this.#options;
    const rows = await segments.from(session, channel, wanted.from, MOST_SEGMENTS);
    const [first] = rows;
    if (first === undefined) return;
    const shas = new Map(rows.map(({ segment, sha256 }) => [segment, sha256]));
    const stored = (await text.stored(session, channel)).filter(({ segment, sha256 }) => shas.get(segment) === sha256);
    const more = rows.length === MOST_SEGMENTS;
    const last = !more && (wanted.last || (await segments.isClosed(session, channel)));
    if (this.#forgotten.has(session) || this.#closed) return;
    const outcome = await this.#thread.run(
      { dataDirectory, session, channel, segments: rows, stored: stored.map(({ segment }) => segment), last },
      {
        earlier: () => segments.from(session, channel, 1, first.segment - 1),
        store: async (segment, sha256, blocks) => {
          if (this.#forgotten.has(session)) return;
          await text.put({ session, channel, segment, sha256 }, blocks);
        },
        made: (segment, bytes, fault, salvaged) => {
          this.#bytes += bytes;
          if (fault === undefined) return;
          const what = salvaged ? 'a segment is damaged, and indexed as far as it can be read' : 'a segment cannot be indexed';
          this.#options.log.warn({ session, channel, segment }, `${what}: ${fault}`);
        },
      },
    );
    if (this.#forgotten.has(session) || this.#closed) return;
    if (outcome.died === undefined) this.#deathsInARow = 0;
    else await this.#noteDeath(wanted, outcome.died, shas);
    const next = outcome.died === undefined ? (more ? (rows.at(-1)?.segment ?? 0) + 1 : undefined) : (outcome.died.segment ?? wanted.from);
    if (next !== undefined) this.#queue.add({ ...wanted, from: next });
    if (this.#deathsInARow > MOST_DEATHS_IN_A_ROW) throw new Error('the thread that indexes recordings keeps dying');
  }

  async #noteDeath(
    { session, channel }: WantedChannel,
    died: { segment: number | undefined; reason: string },
    shas: ReadonlyMap<number, string>,
  ): Promise<void> {
    const { dataDirectory, log } = this.#options;
    const { segment, reason } = died;
    this.#deathsInARow += 1;
    if (segment === undefined) {
      log.error({ session, channel, reason }, 'the thread that indexes recordings died and is started again');
      return;
    }
    const name = `${session}/${channel}/${segment}`;
    const deaths = (this.#deaths.get(name) ?? 0) + 1;
    if (this.#deaths.size >= MOST_REMEMBERED_DEATHS) this.#deaths.clear();
    this.#deaths.set(name, deaths);
    log.error({ session, channel, segment, reason, deaths }, 'the thread that indexes recordings died and is started again');
    const sha256 = shas.get(segment);
    if (deaths < MOST_DEATHS || sha256 === undefined) return;
    this.#deaths.delete(name);
    await writeFailure(dataDirectory, session, channel, segment, sha256);
    log.error(
      { session, channel, segment },
      'a segment is given up: it can be replayed and verified, but not searched, until sallyport reindex',
    );
  }
}
