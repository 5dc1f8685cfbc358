import type { Outline, ReplayDriver } from './driver.ts';
import type { OwnKeyframes } from './own-keyframes.ts';
import {
  neighbourSpeed,
  type PlayClock,
  positionOf,
  type Speed,
  stoppedClock,
  withPlaying,
  withPosition,
  withSpeed,
} from './play-clock.ts';
import { PlayTime } from './play-time.ts';
import type { Emulation } from './screen/emulation.ts';
import { ScreenChanges, type ScreenDamage } from './screen-damage.ts';
import { type PlayerHost, ScreenSeeker } from './screen-seeker.ts';
import type { Timeline, TimelineMark } from './timeline.ts';

export type { PlayerHost } from './screen-seeker.ts';

/** While it plays, a mark that was just passed is not the one that is meant by the previous one. */
const JUST_PASSED = 500_000;

/**
 * Plays a recording on an emulation. Exact: the screen at a moment is what results from every byte before it, however
 * the moment was reached. It owns no timer: its host calls `tick` as often as it draws, with the clock that it gave
 * (milliseconds), and draws what `takeDamage` says. Times of the recording are microseconds since the channel opened.
 */
export class Player {
  readonly #driver: ReplayDriver;
  readonly #seeker: ScreenSeeker;
  readonly #stopListening: () => void;
  #folded: PlayTime;
  #unfolded: PlayTime;
  #folding = true;
  #clock: PlayClock = stoppedClock;
  #target = 0;
  /** At the live edge: what is recorded is shown as it comes. */
  #following = false;
  #now = 0;
  readonly #changes = new ScreenChanges();

  constructor(driver: ReplayDriver, host: PlayerHost, own?: OwnKeyframes) {
    this.#driver = driver;
    this.#seeker = new ScreenSeeker(driver, host, own);
    this.#folded = new PlayTime(driver.outline.duration, driver.outline.idle);
    this.#unfolded = new PlayTime(driver.outline.duration, []);
    this.#stopListening = driver.onGrowth(() => this.#grow());
  }

  get outline(): Outline {
    return this.#driver.outline;
  }

  get timeline(): Timeline {
    return this.#driver.timeline;
  }

  get screen(): Emulation {
    return this.#seeker.screen.emulation;
  }

  get title(): string {
    return this.screen.core._inputHandler._windowTitle;
  }

  /** The end of what was sent to the target, up to where it plays. */
  get typed(): string {
    return this.#seeker.screen.typed;
  }

  get playTime(): PlayTime {
    return this.#folding ? this.#folded : this.#unfolded;
  }

  get folding(): boolean {
    return this.#folding;
  }

  get playing(): boolean {
    return this.#clock.playing || this.#following;
  }

  get following(): boolean {
    return this.#following;
  }

  get speed(): Speed {
    return this.#clock.speed;
  }

  /** Recording time that the screen shows or is about to. */
  get position(): number {
    return this.#target;
  }

  /** Share of the way to the wanted moment that is done, while it is not shown; else undefined. */
  get underway(): number | undefined {
    return this.#seeker.working ? this.#seeker.progress : undefined;
  }

  tick(now: number): void {
    this.#now = now;
    if (!this.#clock.playing) return;
    if (this.#seeker.working) {
      // The screen is behind: time stands still until it has caught up, nothing is skipped.
      this.#clock = withPosition(this.#clock, this.playTime.toPlay(this.#target), now);
      return;
    }
    const position = positionOf(this.#clock, now);
    if (position < this.playTime.duration) {
      this.#show(this.playTime.toRecording(position));
      return;
    }
    this.#clock = withPlaying(withPosition(this.#clock, this.playTime.duration, now), false, now);
    this.#following = this.outline.live;
    this.#show(this.outline.duration);
  }

  /** At its end a recording begins again, and a live one goes on. */
  setPlaying(playing: boolean, now: number): void {
    this.#now = now;
    const { duration, live } = this.outline;
    this.#following = false;
    if (playing && this.#target >= duration) {
      if (live) {
        this.toLive(now);
        return;
      }
      this.seek(0, now);
    }
    this.#clock = withPlaying(this.#clock, playing, now);
  }

  setSpeed(speed: Speed, now: number): void {
    this.#clock = withSpeed(this.#clock, speed, now);
  }

  changeSpeed(by: -1 | 1, now: number): void {
    this.setSpeed(neighbourSpeed(this.#clock.speed, by), now);
  }

  setFolding(folding: boolean, now: number): void {
    this.#folding = folding;
    this.#clock = withPosition(this.#clock, this.playTime.toPlay(this.#target), now);
  }

  seek(at: number, now: number): void {
    this.#now = now;
    const target = Math.max(0, Math.min(at, this.outline.duration));
    this.#following = false;
    this.#clock = withPosition(this.#clock, this.playTime.toPlay(target), now);
    this.#show(target);
  }

  /** To the end of a live recording, and on with it. Of another one, to its end. */
  toLive(now: number): void {
    this.seek(this.outline.duration, now);
    this.#clock = withPlaying(this.#clock, false, now);
    this.#following = this.outline.live;
  }

  /** To the next or the previous mark, which it returns; undefined when there is none. */
  toMark(by: -1 | 1, now: number): TimelineMark | undefined {
    const here = this.#target;
    const { marks } = this.timeline;
    const mark =
      by > 0 ? marks.find(({ at }) => at > here) : marks.findLast(({ at }) => at < here - (this.#clock.playing ? JUST_PASSED : 0));
    if (mark !== undefined) this.seek(mark.at, now);
    return mark;
  }

  /** Stops, and goes to the next or the previous change of the screen. */
  async step(by: -1 | 1, now: number): Promise<void> {
    this.setPlaying(false, now);
    const here = this.#target;
    const at = await this.neighbour(by);
    if (this.#target === here) this.seek(at, this.#now);
  }

  /** When the screen changes next, or changed before this moment; the end or the beginning of the recording if it does not. */
  async neighbour(by: -1 | 1): Promise<number> {
    const here = this.#target;
    const found = await this.#look(by, async (piece) => {
      const times = await this.#seeker.changes(piece);
      return by > 0 ? times.find((at) => at > here) : times.findLast((at) => at < here);
    });
    return found ?? (by > 0 ? this.outline.duration : 0);
  }

  /** When anything happens next after this moment, also what changes no screen; undefined when nothing does. */
  next(): Promise<number | undefined> {
    const here = this.#target;
    return this.#look(1, (piece) => this.#seeker.timeAfter(piece, here));
  }

  /** Looks through pieces, from where it plays on, until something is found. What comes next at a time that several share is in the last. */
  async #look(by: -1 | 1, find: (piece: number) => Promise<number | undefined>): Promise<number | undefined> {
    let { cut } = this.outline;
    let piece = this.#seeker.pieceAt(this.#target);
    while (piece >= 0 && piece < this.outline.pieces.length) {
      const found = await find(piece);
      piece += by;
      if (cut !== this.outline.cut) {
        ({ cut } = this.outline);
        piece = this.#seeker.pieceAt(this.#target);
      } else if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Resolves when the screen shows the moment that was asked for last. */
  shown(): Promise<void> {
    return this.#seeker.settled();
  }

  /** What has changed on the screen since this was asked last. */
  takeDamage(): ScreenDamage {
    return this.#changes.take(this.screen, this.title);
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.#clock = withPlaying(this.#clock, false, this.#now);
    this.#following = false;
    this.#driver.close();
    await this.#seeker.close();
  }

  #show(target: number): void {
    this.#target = target;
    this.#seeker.seek(target);
  }

  #grow(): void {
    const { duration, idle } = this.outline;
    const now = this.#now;
    const position = this.#clock.playing ? this.playTime.toRecording(positionOf(this.#clock, now)) : this.#target;
    this.#folded = new PlayTime(duration, idle);
    this.#unfolded = new PlayTime(duration, []);
    this.#clock = withPosition(this.#clock, this.playTime.toPlay(position), now);
    this.#seeker.grown();
    // What stands on the screen may have been cut anew, and there may be more of this very moment.
    this.#show(this.#following ? duration : this.#target);
  }
}
