import type { ReplayDriver } from '../../../contract/replay/driver.ts';
import type { Speed } from '../../../contract/replay/play-clock.ts';
import { Player } from '../../../contract/replay/player.ts';
import { ScreenPainter } from '../../terminal/screen-painter.ts';
import { takeTurns } from './take-turns.ts';

/** What of a playback changes seldom enough to be shown by React. Another object when anything of it is another. */
export interface PlaybackState {
  readonly playing: boolean;
  readonly following: boolean;
  readonly live: boolean;
  readonly speed: Speed;
  readonly folding: boolean;
  readonly duration: number;
  /** Its type is too small to be read, or would be if it was not kept readable. */
  readonly tiny: boolean;
  /** Readable, and scrolled where it does not fit. */
  readonly readable: boolean;
  /** Counts how often outline and timeline have become others. */
  readonly grown: number;
}

/** A live recording grows many times a second; what lists or draws the whole of it is told twice. */
const GROWTH_MILLIS = 500;
const JUMP_MICROS = 5_000_000;
/** Pixels of type: all of the largest screen fits with the one, and can be read with the other. */
const FITTING_FONT = 2;
const READABLE_FONT = 9;

/**
 * A recording on its screen. It draws by animation frames and only while something changes; who shows more of it than
 * React should look at 60 times a second listens to `onFrame`.
 */
export class Playback {
  readonly driver: ReplayDriver;
  readonly player: Player;
  readonly painter: ScreenPainter;
  readonly #frames = new Set<() => void>();
  readonly #changes = new Set<() => void>();
  readonly #seeks = new Set<() => void>();
  readonly #stopListening: () => void;
  #frame: number | undefined;
  #telling: number | undefined;
  #state: PlaybackState;
  #grown = 0;
  #readable = false;
  #closed = false;

  constructor(driver: ReplayDriver) {
    this.driver = driver;
    this.player = new Player(driver, { now: () => performance.now(), pause: takeTurns });
    this.painter = new ScreenPainter(this.player, { smallest: FITTING_FONT });
    this.#state = this.#look();
    this.#stopListening = driver.onGrowth(() => {
      this.wake();
      this.#telling ??= window.setTimeout(() => {
        this.#telling = undefined;
        this.#grown += 1;
        this.#tell();
      }, GROWTH_MILLIS);
    });
  }

  get state(): PlaybackState {
    return this.#state;
  }

  /** After each frame that was drawn. Returns how to stop it. */
  onFrame(listener: () => void): () => void {
    this.#frames.add(listener);
    this.wake();
    return () => void this.#frames.delete(listener);
  }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#changes.add(listener);
    return () => void this.#changes.delete(listener);
  };

  /** When somebody has gone somewhere or stopped there: the place is worth remembering. */
  onSeek(listener: () => void): () => void {
    this.#seeks.add(listener);
    return () => void this.#seeks.delete(listener);
  }

  /** Where a reader best begins: a terminal is watched from its start, other output is read as it stood in the end. */
  begin(at: number | undefined): void {
    const { live, terminal, duration } = this.driver.outline;
    if (at !== undefined) this.player.seek(at, performance.now());
    else if (live) this.player.toLive(performance.now());
    else if (!terminal) this.player.seek(duration, performance.now());
    this.wake();
  }

  seek(at: number): void {
    this.#act(() => this.player.seek(at, performance.now()));
  }

  /** By five seconds of playing, so that folded time is stepped over. */
  jump(by: -1 | 1): void {
    const { playTime, position } = this.player;
    this.seek(playTime.toRecording(Math.max(0, Math.min(playTime.duration, playTime.toPlay(position) + by * JUMP_MICROS))));
  }

  toggle(): void {
    this.#act(() => this.player.setPlaying(!this.player.playing, performance.now()));
  }

  pause(): void {
    if (this.player.playing) this.toggle();
  }

  toLive(): void {
    this.#act(() => this.player.toLive(performance.now()));
  }

  setSpeed(speed: Speed): void {
    this.#act(() => this.player.setSpeed(speed, performance.now()));
  }

  changeSpeed(by: -1 | 1): void {
    this.#act(() => this.player.changeSpeed(by, performance.now()));
  }

  fold(): void {
    this.#act(() => this.player.setFolding(!this.player.folding, performance.now()));
  }

  /** The whole screen as large as it fits, or large enough to be read. */
  toggleReadable(): void {
    this.#readable = !this.#readable;
    this.painter.smallest = this.#readable ? READABLE_FONT : FITTING_FONT;
    this.#tell();
  }

  async step(by: -1 | 1): Promise<void> {
    await this.player.step(by, performance.now());
    this.#act(() => undefined);
  }

  /** Draws again, and goes on as long as anything changes. */
  wake(): void {
    if (this.#closed) return;
    this.#frame ??= requestAnimationFrame(() => this.#draw());
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    window.clearTimeout(this.#telling);
    this.#stopListening();
    for (const listeners of [this.#frames, this.#changes, this.#seeks]) listeners.clear();
    this.painter.dispose();
    await this.player.close();
  }

  #act(deed: () => void): void {
    if (this.#closed) return;
    deed();
    this.painter.toNewest();
    this.#tell();
    for (const listener of [...this.#seeks]) listener();
    this.wake();
  }

  #draw(): void {
    this.#frame = undefined;
    const { player } = this;
    player.tick(performance.now());
    this.painter.paint();
    this.painter.node.dataset.position = String(Number((player.position / 1e6).toFixed(6)));
    this.painter.node.toggleAttribute('data-underway', player.underway !== undefined);
    for (const listener of [...this.#frames]) listener();
    this.#tell();
    if ((player.playing && !player.following) || player.underway !== undefined) this.wake();
  }

  #look(): PlaybackState {
    const { playing, following, speed, folding, outline } = this.player;
    const readable = this.#readable;
    const tiny = readable || this.painter.font < READABLE_FONT;
    return { playing, following, live: outline.live, speed, folding, duration: outline.duration, tiny, readable, grown: this.#grown };
  }

  #tell(): void {
    const [now, before] = [this.#look(), this.#state];
    const same = { ...now, duration: before.duration };
    // The length of what grows is told with its growth.
    if (now.grown === before.grown && isSame(same, before)) return;
    this.#state = now;
    for (const listener of [...this.#changes]) listener();
  }
}

function isSame(one: PlaybackState, other: PlaybackState): boolean {
  return (Object.keys(one) as (keyof PlaybackState)[]).every((key) => one[key] === other[key]);
}
