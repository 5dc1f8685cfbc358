import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { BINARY_NOTICE } from '../../contract/replay/channel-screen.ts';
import { LoadedPieces } from '../../contract/replay/loaded-pieces.ts';
import { isBinary } from '../../contract/replay/parse-segment.ts';
import { Player } from '../../contract/replay/player.ts';
import type { SallyportError } from '../base/errors.ts';
import type { FileDriver } from '../query/replay/file-driver.ts';
import { ScrolledOutput } from '../query/scrolled-output.ts';
import { damageNotice } from './damage-notice.ts';
import { nodeHost } from './node-host.ts';
import type { PlayerTerminal } from './player-terminal.ts';
import { screenText } from './screen-painter.ts';
import type { Stage } from './stage.ts';

const CLEAR = '\x1b[m\x1b[2J\x1b[H';
/** So much is written at once, then the terminal is waited for, and keys are heard. */
const WRITE_AT = 128 * 1024;

/**
 * The output of a channel that had no terminal scrolls in the reviewer's, as it would have: a screen of any size would
 * only cut its lines. After going somewhere else the last lines before that moment stand there again.
 */
export class ScrollingStage implements Stage {
  readonly #driver: FileDriver;
  readonly #pieces: LoadedPieces;
  readonly #player: Player;
  readonly #terminal: PlayerTerminal;
  empty = true;
  #output = new ScrolledOutput();
  #piece = 0;
  #event = 0;
  /** Everything up to here is shown. */
  #shown = -1;
  #cut: number;
  /** Whether the last that was shown is that there are bytes that are not text. */
  #binary = false;
  #status = false;
  /** One thing after the other, also when it was not waited for. */
  #working: Promise<unknown> = Promise.resolve();

  constructor(driver: FileDriver, terminal: PlayerTerminal) {
    this.#driver = driver;
    this.#pieces = new LoadedPieces(driver);
    this.#player = new Player(driver, nodeHost);
    this.#terminal = terminal;
    this.#cut = driver.outline.cut;
  }

  get damage(): readonly SallyportError[] {
    return this.#driver.damage;
  }

  get duration(): number {
    return this.#driver.outline.duration;
  }

  next(): Promise<number | undefined> {
    return this.#inOrder(async () => (await this.#nextEvent())?.at);
  }

  show(at: number): Promise<void> {
    return this.#inOrder(() => this.#showUntil(at));
  }

  seek(at: number): Promise<void> {
    return this.#inOrder(() => (at >= this.#shown ? this.#showUntil(Math.min(at, this.#driver.outline.duration)) : this.#drawAt(at)));
  }

  status(line: string | undefined): Promise<void> {
    return this.#inOrder(async () => {
      const { size, interactive } = this.#terminal;
      if (size === undefined || !interactive) return;
      if (line !== undefined) {
        this.#status = true;
        await this.#terminal.write(`\x1b7\x1b[${size.rows};1H\x1b[7m${line.slice(0, size.cols - 1)}\x1b[m\x1b[K\x1b8`);
      } else if (this.#status) {
        this.#status = false;
        await this.#drawAt(this.#shown);
      }
    });
  }

  say(): void {
    // It would scroll away with the lines, and stay among them.
  }

  async finish(): Promise<void> {
    await this.#player.close();
  }

  #inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#working.then(work);
    this.#working = result.catch(() => undefined); // Whoever asked for it is told.
    return result;
  }

  async #showUntil(at: number): Promise<void> {
    let text = '';
    for (let event = await this.#nextEvent(); event !== undefined && event.at <= at; event = await this.#nextEvent()) {
      this.#event += 1;
      text += this.#textOf(event);
      this.empty &&= text === '';
      if (text.length < WRITE_AT) continue;
      await this.#terminal.write(text);
      text = '';
      await nodeHost.pause();
    }
    this.#shown = Math.max(this.#shown, at);
    await this.#terminal.write(text);
  }

  /** The last lines before this moment, and on from there. */
  async #drawAt(at: number): Promise<void> {
    this.#player.seek(at, 0);
    await this.#player.shown();
    const { size } = this.#terminal;
    const text = screenText(this.#player.screen, size?.cols ?? this.#player.screen.cols)
      .split('\r\n')
      .slice(-(size?.rows ?? 0))
      .join('\r\n');
    this.#piece = 0;
    this.#event = 0;
    this.#shown = at;
    this.#output = new ScrolledOutput();
    await this.#terminal.write(CLEAR + text);
  }

  async #nextEvent(): Promise<CastEvent | undefined> {
    for (;;) {
      const { cut, pieces } = this.#driver.outline;
      if (cut !== this.#cut) {
        // What could not be read is played otherwise: on from what is shown.
        this.#cut = cut;
        this.#pieces.forget(0);
        this.#piece = 0;
        this.#event = 0;
      }
      const piece = pieces[this.#piece];
      if (piece === undefined) return undefined;
      if (piece.to > this.#shown || this.#piece === pieces.length - 1) {
        const events = await this.#pieces.load(this.#piece);
        if (this.#driver.outline.cut !== this.#cut) continue;
        while (this.#event < events.length && (events[this.#event]?.at ?? 0) <= this.#shown) this.#event += 1;
        const event = events[this.#event];
        if (event !== undefined) return event;
      }
      this.#piece += 1;
      this.#event = 0;
    }
  }

  #textOf(event: CastEvent): string {
    if (event.kind === 'damage') {
      this.#output = new ScrolledOutput();
      return damageNotice(event.words, this.#terminal.size, false);
    }
    if (event.kind !== 'data' || event.stream === 'i') return '';
    if (!isBinary(event.text)) {
      this.#binary = false;
      return this.#output.take(event.text);
    }
    const said = this.#binary;
    this.#binary = true;
    return said ? '' : `${BINARY_NOTICE}\r\n`;
  }
}
