import { Player } from '../../contract/replay/player.ts';
import type { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { FileDriver } from '../query/replay/file-driver.ts';
import { inRows } from './damage-notice.ts';
import { nodeHost } from './node-host.ts';
import type { PlayerTerminal } from './player-terminal.ts';
import { ScreenPainter, screenText } from './screen-painter.ts';
import type { Stage } from './stage.ts';

const PAINT_MILLIS = 40;
/** What is missing stays on the screen long enough to be read. */
const NOTICE_MILLIS = 3000;
/** What is said of a key that was pressed is read faster. */
const SAY_MILLIS = 1500;

/**
 * The recorded terminal's screen, drawn cell by cell on a screen of its own in the reviewer's terminal. Nothing of the
 * recorded output gets there in any other way.
 */
export class ScreenStage implements Stage {
  readonly empty = false;
  readonly #driver: FileDriver;
  readonly #player: Player;
  readonly #terminal: PlayerTerminal;
  readonly #painter = new ScreenPainter();
  #status: string | undefined;
  #said: string | undefined;
  #saidTimer: NodeJS.Timeout | undefined;
  #notice: { words: string; since: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #noticeTimer: NodeJS.Timeout | undefined;
  #painting: Promise<void> | undefined;
  #paintedAt = 0;
  readonly #onResize = () => void this.#paint();

  constructor(driver: FileDriver, terminal: PlayerTerminal) {
    this.#driver = driver;
    this.#player = new Player(driver, nodeHost);
    this.#terminal = terminal;
  }

  get damage(): readonly SallyportError[] {
    return this.#driver.damage;
  }

  get duration(): number {
    return this.#driver.outline.duration;
  }

  /** What is missing from here on is found when it is looked what comes next. */
  async next(): Promise<number | undefined> {
    const next = await this.#player.next();
    if (this.#lookForDamage()) await this.#paint();
    return next;
  }

  async show(at: number): Promise<void> {
    await this.#enter();
    this.#player.seek(at, 0);
    await this.#player.shown();
    if (this.#lookForDamage()) await this.#paint();
    else this.#paintSoon();
  }

  async seek(at: number): Promise<void> {
    await this.#enter();
    this.#player.seek(at, 0);
    await this.#player.shown();
    this.#lookForDamage();
    await this.#paint();
  }

  async status(line: string | undefined): Promise<void> {
    if (line === this.#status) return;
    await this.#enter();
    this.#status = line;
    await this.#paint();
  }

  say(line: string): void {
    this.#said = line;
    clearTimeout(this.#saidTimer);
    this.#saidTimer = setTimeout(() => {
      this.#said = undefined;
      this.#paintSoon();
    }, SAY_MILLIS);
    this.#paintSoon();
  }

  /** What stood on the recorded screen last stays in the terminal, as after playing anything in it. */
  async finish(): Promise<void> {
    clearTimeout(this.#noticeTimer);
    clearTimeout(this.#saidTimer);
    this.#said = undefined;
    await this.#paint();
    process.stdout.off('resize', this.#onResize);
    const { screen } = this.#player;
    const { size } = this.#terminal;
    if (this.#terminal.alternateScreen) {
      this.#terminal.alternateScreen = false;
      const { active, normal } = screen.core.buffers;
      const left = size === undefined || active !== normal ? '' : screenText(screen, size.cols).replace(/\r\n$/, '');
      await this.#terminal.write(`\x1b[?1049l${left}`);
    }
    await this.#player.close();
  }

  async #enter(): Promise<void> {
    if (this.#terminal.alternateScreen) return;
    this.#terminal.alternateScreen = true;
    process.stdout.on('resize', this.#onResize);
    await this.#terminal.write('\x1b[?1049h');
  }

  /** Whether something is to be said that was not said before. */
  #lookForDamage(): boolean {
    const { position, timeline } = this.#player;
    const here = timeline.damage.findLast(({ from, to }) => position >= from && position <= to);
    if (here === undefined || here.words === this.#notice?.words) return false;
    this.#notice = { words: here.words, since: performance.now() };
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => void this.#paint(), NOTICE_MILLIS);
    return true;
  }

  #rows(size: { cols: number; rows: number }): readonly string[] {
    if (this.#status !== undefined) return [this.#status];
    if (this.#said !== undefined) return [this.#said];
    if (this.#notice !== undefined && performance.now() - this.#notice.since < NOTICE_MILLIS)
      return inRows(`[${printable(this.#notice.words)}]`, size.cols);
    const { cols, rows } = this.#player.screen;
    if (cols <= size.cols && rows <= size.rows) return [];
    return inRows(
      `[recorded in ${cols}x${rows}, and this terminal has ${size.cols}x${size.rows}: make it larger to see everything in its place]`,
      size.cols,
    );
  }

  #paintSoon(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#paintedAt + PAINT_MILLIS - performance.now());
    this.#timer = setTimeout(() => void this.#paint(), wait);
  }

  /** A terminal that is slow is painted less often, and nothing is kept for it. */
  async #paint(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#painting !== undefined) await this.#painting;
    const { size } = this.#terminal;
    if (size === undefined || !this.#terminal.alternateScreen) return;
    this.#paintedAt = performance.now();
    this.#painting = this.#terminal.write(this.#painter.paint(this.#player.screen, this.#rows(size), size));
    await this.#painting;
    this.#painting = undefined;
  }
}
