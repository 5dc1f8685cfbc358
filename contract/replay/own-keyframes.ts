import { ChannelScreen } from './channel-screen.ts';
import type { Keyframe } from './driver.ts';
import { identicalScreen } from './screen/same-screen.ts';

export interface OwnKeyframe extends Keyframe {
  readonly plain: boolean;
  readonly typed: string;
}

/** Characters of dumps that are kept; a character takes up to two bytes. */
const MOST_LENGTH = 16 * 1024 * 1024;

/** Text between two of them at first. Each costs about as much as showing a part of that. */
const LEAST_APART = 1024 * 1024;

/** Keyframes that a player makes while it plays, so that going back is quick where a driver has none. Bounded: they get sparser. */
export class OwnKeyframes {
  readonly #frames = new Map<number, OwnKeyframe>();
  readonly #mostLength: number;
  #length = 0;
  /** How much text is to be between two. */
  apart: number;

  constructor(mostLength = MOST_LENGTH, apart = LEAST_APART) {
    this.#mostLength = mostLength;
    this.apart = apart;
  }

  get(piece: number): OwnKeyframe | undefined {
    return this.#frames.get(piece);
  }

  has(piece: number): boolean {
    return this.#frames.has(piece);
  }

  clear(): void {
    this.#frames.clear();
    this.#length = 0;
  }

  /**
   * Keeps the screen before a piece, if what it can be kept as makes the same screen again. Long, and done in steps; the
   * screen must not change between them.
   */
  *keeping(piece: number, screen: ChannelScreen): Generator<void> {
    const { emulation, typed } = screen;
    const { cols, rows, plain } = emulation;
    const frame = { cols, rows, plain, typed, data: emulation.dump() };
    yield;
    const again = ChannelScreen.from(frame, plain);
    try {
      yield* again.restoring(frame);
      if (!identicalScreen(emulation, again.emulation)) return;
    } finally {
      again.dispose();
    }
    this.#frames.set(piece, frame);
    this.#length += frame.data.length;
    while (this.#length > this.#mostLength && this.#frames.size > 1) this.#thinOut();
  }

  #thinOut(): void {
    this.apart *= 2;
    const pieces = [...this.#frames.keys()].sort((a, b) => a - b);
    for (const [index, piece] of pieces.entries()) {
      if (index % 2 === 0) continue;
      this.#length -= this.#frames.get(piece)?.data.length ?? 0;
      this.#frames.delete(piece);
    }
  }
}
