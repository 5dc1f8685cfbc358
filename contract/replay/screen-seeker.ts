import { ChannelScreen } from './channel-screen.ts';
import type { Keyframe, Outline, ReplayDriver } from './driver.ts';
import { LoadedPieces } from './loaded-pieces.ts';
import { OwnKeyframes } from './own-keyframes.ts';
import { ScreenCursor } from './screen-cursor.ts';

/** What a player needs of the program that it runs in. */
export interface PlayerHost {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Lets others have their turn: resolves as a task of its own. */
  pause(): Promise<void>;
}

/** A slice of work may take a little longer than this; then others have their turn. */
const TURN_MILLIS = 4;

/** To restore a keyframe costs about as much as to show so much text. */
const RESTORE_BYTES = 128 * 1024;

/** `superseded` when somewhere else is wanted meanwhile. */
type Outcome = 'reached' | 'superseded';

/**
 * Brings a screen to any moment of a recording, by the shortest way: on from what is shown, or from a keyframe of the
 * driver or its own. What is shown stays until the wanted moment is reached, unless it lies just ahead. Of several
 * moments that are asked for, only the last counts.
 */
export class ScreenSeeker {
  readonly #driver: ReplayDriver;
  readonly #host: PlayerHost;
  readonly #pieces: LoadedPieces;
  readonly #own: OwnKeyframes;
  /** Keyframes that the driver promised and did not have. */
  readonly #lacking = new Set<number>();
  #outline: Outline;
  /** For each piece, how much text is before it; and in all. */
  #before: number[] = [];
  #shown: ScreenCursor;
  /** On its way to be shown. */
  #coming: ScreenCursor | undefined;
  #target = 0;
  /** What it is on its way to. */
  #plan: { target: number; last: number } | undefined;
  #superseded = newSignal();
  #working: Promise<void> | undefined;
  #failure: { thrown: unknown } | undefined;
  /** Keyframes that are on their way. */
  #fetching: { piece: number; frame: Promise<Keyframe | undefined> } | undefined;
  #turnSince = 0;
  #way = { from: 0, to: 0, done: 0 };
  #closed = false;

  constructor(driver: ReplayDriver, host: PlayerHost, own = new OwnKeyframes()) {
    this.#driver = driver;
    this.#host = host;
    this.#own = own;
    this.#pieces = new LoadedPieces(driver);
    this.#outline = driver.outline;
    this.#measure();
    this.#shown = this.#beginning();
  }

  get screen(): ChannelScreen {
    return this.#shown.screen;
  }

  get working(): boolean {
    return this.#working !== undefined;
  }

  /** Share of the way to what is wanted that is done; 1 when it is shown. */
  get progress(): number {
    if (this.#working === undefined) return 1;
    const { from, to, done } = this.#way;
    return to > from ? Math.max(0, Math.min(1, (done - from) / (to - from))) : 0;
  }

  /** Recording time, microseconds. */
  seek(target: number): void {
    if (this.#closed) return;
    this.#target = target;
    if (this.#plan !== undefined && !this.#isOnTheWay(this.#plan, target)) this.#supersede();
    this.#working ??= this.#work()
      .catch((thrown: unknown) => {
        if (!this.#closed) this.#failure = { thrown };
      })
      .finally(() => {
        this.#working = undefined;
      });
  }

  /** Resolves when what was asked for last is on the screen. Rejects when the driver failed, which drivers do not do. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    if (this.#failure !== undefined) throw this.#failure.thrown;
  }

  /** The driver's outline is another one. */
  grown(): void {
    const before = this.#outline;
    this.#outline = this.#driver.outline;
    this.#measure();
    if (this.#outline.cut === before.cut) {
      this.#pieces.forget(before.pieces.length - 1);
      return;
    }
    this.#own.clear();
    this.#lacking.clear();
    this.#fetching = undefined;
    this.#pieces.forget(0);
    this.#supersede();
  }

  /** Times of what changes the screen, in a piece. */
  async changes(piece: number): Promise<number[]> {
    const events = await this.#pieces.load(piece);
    return events.filter(({ kind }) => kind === 'data' || kind === 'resize').map(({ at }) => at);
  }

  /** When the first thing in a piece happens that is later than this. */
  async timeAfter(piece: number, at: number): Promise<number | undefined> {
    const events = await this.#pieces.load(piece);
    let low = 0;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((events[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return events[low]?.at;
  }

  /** The last piece that something at this time or before it can be in. */
  pieceAt(at: number): number {
    const { pieces } = this.#outline;
    let low = 0;
    let high = pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((pieces[middle]?.from ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#supersede();
    await this.#working;
    this.#coming?.screen.dispose();
    this.#shown.screen.dispose();
  }

  /** Whether what is being done would have to be done for this as well, and nothing shorter has come up. */
  #isOnTheWay(plan: { target: number; last: number }, target: number): boolean {
    if (target < plan.target) return false;
    return (this.#keyframeUpTo(this.pieceAt(target)) ?? 0) <= plan.last;
  }

  #supersede(): void {
    this.#superseded.give();
    this.#superseded = newSignal();
    this.#plan = undefined;
  }

  async #work(): Promise<void> {
    this.#turnSince = this.#host.now();
    while (!this.#closed) {
      const target = this.#target;
      this.#plan = { target, last: this.pieceAt(target) };
      const cursor = await this.#cursorFor(target, this.#plan.last);
      if (cursor === undefined || (await this.#advance(cursor, target)) === 'superseded') continue;
      this.#plan = undefined;
      if (cursor === this.#coming) this.#show(cursor);
      if (this.#target === target) return;
    }
  }

  #show(cursor: ScreenCursor): void {
    this.#shown.screen.dispose();
    this.#shown = cursor;
    this.#coming = undefined;
  }

  /** Where to begin. Undefined when something else is wanted before that was there. */
  async #cursorFor(target: number, last: number): Promise<ScreenCursor | undefined> {
    const cursor = this.#nearestCursor(target);
    const keyframe = this.#keyframeUpTo(last);
    const cost = (from: number) => (this.#before[last] ?? 0) - from;
    const restoring = keyframe === undefined ? Number.POSITIVE_INFINITY : cost(this.#before[keyframe] ?? 0) + RESTORE_BYTES;
    if (cursor !== undefined && cost(this.#textBefore(cursor)) <= restoring) {
      this.#begin(this.#textBefore(cursor), last);
      return cursor;
    }
    if (keyframe !== undefined) return this.#restore(keyframe, last);
    this.#begin(0, last);
    return this.#come(this.#beginning());
  }

  #nearestCursor(target: number): ScreenCursor | undefined {
    let nearest: ScreenCursor | undefined;
    for (const cursor of [this.#coming, this.#shown]) {
      if (cursor === undefined || cursor.cut !== this.#outline.cut || cursor.at > target) continue;
      if (nearest === undefined || this.#textBefore(cursor) >= this.#textBefore(nearest)) nearest = cursor;
    }
    return nearest;
  }

  #begin(from: number, lastPiece: number): void {
    this.#way = { from, to: this.#before[lastPiece + 1] ?? from, done: from };
  }

  #come(cursor: ScreenCursor): ScreenCursor {
    this.#coming?.screen.dispose();
    this.#coming = cursor;
    return cursor;
  }

  async #restore(piece: number, last: number): Promise<ScreenCursor | undefined> {
    const { cut } = this.#outline;
    this.#begin(this.#before[piece] ?? 0, last);
    const own = this.#own.get(piece);
    void this.#pieces.load(piece).catch(() => undefined); // Wanted next, and told then.
    if (own === undefined && this.#fetching?.piece !== piece) this.#fetching = { piece, frame: this.#driver.keyframe(piece) };
    const frame = own ?? (await this.#unlessSuperseded(this.#fetching?.frame ?? Promise.resolve(undefined)));
    if (frame === 'superseded') return undefined;
    if (frame === undefined) {
      this.#lacking.add(piece);
      return undefined;
    }
    const { from = 0, plain = false } = this.#outline.pieces[piece] ?? {};
    const screen = ChannelScreen.from(frame, own?.plain ?? plain);
    screen.typed = own?.typed ?? '';
    if ((await this.#inTurns(screen.restoring(frame))) === 'superseded') {
      screen.dispose();
      return undefined;
    }
    return this.#come(new ScreenCursor(screen, cut, piece, from));
  }

  /** The newest piece up to this one that has a keyframe. */
  #keyframeUpTo(last: number): number | undefined {
    for (let piece = last; piece > 0; piece -= 1) if (this.#hasKeyframe(piece)) return piece;
    return undefined;
  }

  #hasKeyframe(piece: number): boolean {
    return this.#own.has(piece) || (this.#outline.pieces[piece]?.keyframe === true && !this.#lacking.has(piece));
  }

  /** Shows what there is up to the target. */
  async #advance(cursor: ScreenCursor, target: number): Promise<Outcome> {
    for (;;) {
      const events = await this.#unlessSuperseded(this.#pieces.load(cursor.piece));
      if (events === 'superseded') return 'superseded';
      while (cursor.step(events, target)) {
        if (!this.#turnIsOver()) continue;
        this.#way.done = this.#textBefore(cursor, events.length);
        if ((await this.#pause()) === 'superseded') return 'superseded';
      }
      const next = this.#outline.pieces[cursor.piece + 1];
      if (cursor.event < events.length || next === undefined || next.from > target) return 'reached';
      cursor.nextPiece();
      this.#way.done = this.#textBefore(cursor);
      if (this.#isKeyframeDue(cursor.piece) && (await this.#inTurns(this.#own.keeping(cursor.piece, cursor.screen))) === 'superseded')
        return 'superseded';
    }
  }

  #isKeyframeDue(piece: number): boolean {
    const reach = (this.#before[piece] ?? 0) - this.#own.apart;
    for (let at = piece; at > 0 && (this.#before[at] ?? 0) > reach; at -= 1) if (this.#hasKeyframe(at)) return false;
    return reach >= 0;
  }

  #beginning(): ScreenCursor {
    return new ScreenCursor(ChannelScreen.begin(this.#outline.header), this.#outline.cut, 0, 0);
  }

  #measure(): void {
    let sum = 0;
    this.#before = [0];
    for (const { bytes } of this.#outline.pieces) {
      sum += bytes;
      this.#before.push(sum);
    }
  }

  /** About how much text of the recording is shown. `events`: of its piece, if known. */
  #textBefore({ piece, event }: ScreenCursor, events = 0): number {
    const { [piece]: from = 0, [piece + 1]: to = from } = this.#before;
    return events > 0 ? from + ((to - from) * event) / events : from;
  }

  async #inTurns(steps: Generator<void>): Promise<Outcome> {
    while (steps.next().done !== true) {
      if (this.#turnIsOver() && (await this.#pause()) === 'superseded') {
        steps.return(undefined);
        return 'superseded';
      }
    }
    return 'reached';
  }

  #turnIsOver(): boolean {
    return this.#host.now() - this.#turnSince >= TURN_MILLIS;
  }

  async #pause(): Promise<Outcome> {
    const plan = this.#plan;
    await this.#host.pause();
    this.#turnSince = this.#host.now();
    return plan !== undefined && plan === this.#plan ? 'reached' : 'superseded';
  }

  async #unlessSuperseded<Value>(loading: Promise<Value>): Promise<Value | 'superseded'> {
    const plan = this.#plan;
    if (plan === undefined) return 'superseded';
    const got = await Promise.race([loading, this.#superseded.promise]);
    return plan === this.#plan ? got : 'superseded';
  }
}

/** `Promise.withResolvers`, which browsers have only since 2024. */
function newSignal(): { promise: Promise<'superseded'>; give: () => void } {
  let give: () => void = () => undefined;
  const promise = new Promise<'superseded'>((resolve) => {
    give = () => resolve('superseded');
  });
  return { promise, give };
}
