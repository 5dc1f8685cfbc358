import type { ReplayDriver } from '../../../../contract/replay/driver.ts';
import { lookKey, lookOf } from '../../../../contract/replay/screen/cell-look.ts';
import type { Emulation } from '../../../../contract/replay/screen/emulation.ts';
import { emptyCell } from '../../../../contract/replay/screen/terminal-internals.ts';
import { ScreenSeeker } from '../../../../contract/replay/screen-seeker.ts';
import { xtermColour } from '../../../terminal/palette.ts';
import { takeTurns } from '../take-turns.ts';

const WIDTH = 300;
const TALLEST = 190;
const GROUND = '#0a0d11';
const INK = '#cfd8e3';
const LINE_HEIGHT = 1.25;

/**
 * What the screen shows at any moment, small. It has a screen of its own, which goes where it is pointed at while the
 * player's stays where it is. Made when it is first wanted.
 */
export class Thumbnails {
  readonly #driver: ReplayDriver;
  readonly #stopListening: () => void;
  #seeker: ScreenSeeker | undefined;
  #wanted = 0;

  constructor(driver: ReplayDriver) {
    this.#driver = driver;
    this.#stopListening = driver.onGrowth(() => this.#seeker?.grown());
  }

  /** False when another moment was wanted before this one could be drawn. */
  async draw(at: number, canvas: HTMLCanvasElement): Promise<boolean> {
    this.#wanted += 1;
    const mine = this.#wanted;
    this.#seeker ??= new ScreenSeeker(this.#driver, { now: () => performance.now(), pause: takeTurns });
    this.#seeker.seek(at);
    await this.#seeker.settled();
    if (mine !== this.#wanted) return false;
    drawScreen(this.#seeker.screen.emulation, canvas);
    return true;
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.#wanted += 1;
    await this.#seeker?.close();
  }
}

/** The cells of a screen as a picture: its text can hardly be read, but what kind of screen it is can be seen. */
function drawScreen(screen: Emulation, canvas: HTMLCanvasElement): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const { cols, rows } = screen;
  const character = 0.6;
  const font = Math.min(WIDTH / (cols * character), TALLEST / (rows * LINE_HEIGHT));
  const [column, line] = [font * character, font * LINE_HEIGHT];
  const [width, height] = [Math.ceil(cols * column), Math.ceil(rows * line)];
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = GROUND;
  context.fillRect(0, 0, width, height);
  context.textBaseline = 'middle';
  // No ligatures: every character stands in its cell.
  context.textRendering = 'optimizeSpeed';
  context.fontKerning = 'none';
  context.font = `${font}px "JetBrains Mono", monospace`;
  const buffer = screen.core.buffers.active;
  const cell = emptyCell();
  for (let y = 0; y < rows; y += 1) {
    const row = buffer.lines.get(buffer.ybase + y);
    if (row === undefined) continue;
    let run = { key: '', text: '', from: 0, ink: INK };
    const close = () => {
      if (run.text.trim() !== '') {
        context.fillStyle = run.ink;
        context.fillText(run.text, run.from * column, (y + 0.5) * line);
      }
    };
    for (let x = 0; x < Math.min(cols, row.length); x += 1) {
      row.loadCell(x, cell);
      const width = cell.getWidth();
      if (width === 0) continue;
      const key = lookKey(cell);
      const text = cell.getChars() || ' ';
      // What is not one column wide would push all that follows it out of its place.
      if (key !== run.key || width !== 1 || run.text === '') {
        close();
        const { ink, ground } = coloursOf(cell);
        if (ground !== undefined) {
          let to = x + width;
          for (const next = emptyCell(); to < cols; to += 1) {
            row.loadCell(to, next);
            if (lookKey(next) !== key) break;
          }
          context.fillStyle = ground;
          context.fillRect(x * column, y * line, (to - x) * column, line);
        }
        run = { key: width === 1 ? key : '', text: '', from: x, ink };
      }
      run.text += text;
    }
    close();
  }
}

function coloursOf(cell: ReturnType<typeof emptyCell>): { ink: string; ground: string | undefined } {
  const look = lookOf(cell);
  const ink = look.foreground && xtermColour(look.foreground.value, look.foreground.rgb, look.bold);
  const ground = look.background && xtermColour(look.background.value, look.background.rgb, false);
  if (look.inverse) return { ink: ground ?? GROUND, ground: ink ?? INK };
  return { ink: ink ?? INK, ground };
}
