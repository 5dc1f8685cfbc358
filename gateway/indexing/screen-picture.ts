import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import { emptyCell } from '../../contract/replay/screen/terminal-internals.ts';
import { FULL, GLYPH_CELL, GLYPH_COLUMNS, GLYPH_ROWS, glyphCoverage } from './glyph-coverage.ts';
import { encodePng } from './png.ts';
import { coloursOf, GROUND } from './screen-colours.ts';

const WIDTH = 240;
const HEIGHT = 144;
/** Pixels at the sides that stay empty. */
const MARGIN = 3;
/** A cell is about twice as tall as it is wide. */
const CELL_SHAPE = 2;
/** A cell becomes no wider than this, so that a small terminal looks like one. */
const WIDEST_CELL = 5;
/** Strokes of cells that are narrower than this become stronger, or nothing could be seen of them. */
const THIN_BELOW = 3;
const STRONGER = 0.35;
/** Each pixel is looked at in so many places across, and as many down. */
const PLACES = 2;

/** Two pictures differ if so many pixels do, by so much of one of their colours. */
const NOTICED_PIXELS = 0.01 * WIDTH * HEIGHT;
const NOTICED_STEP = 24;

/** A small picture of a screen as it is now. */
export class ScreenPicture {
  /** 24 bits of RGB each. */
  readonly #pixels: Uint32Array;

  private constructor(pixels: Uint32Array) {
    this.#pixels = pixels;
  }

  static of(emulation: Emulation): ScreenPicture {
    const pixels = new Uint32Array(WIDTH * HEIGHT).fill(GROUND);
    draw(pixels, emulation);
    return new ScreenPicture(pixels);
  }

  get isEmpty(): boolean {
    return this.#pixels.every((pixel) => pixel === GROUND);
  }

  /** Whether somebody would see that it is another one. */
  differsFrom(other: ScreenPicture | undefined): boolean {
    if (other === undefined) return true;
    let differing = 0;
    for (const [at, pixel] of this.#pixels.entries()) {
      const before = other.#pixels[at] as number;
      if (pixel === before) continue;
      const step = (shift: number) => Math.abs(((pixel >> shift) & 0xff) - ((before >> shift) & 0xff));
      if (step(16) > NOTICED_STEP || step(8) > NOTICED_STEP || step(0) > NOTICED_STEP) differing += 1;
      if (differing > NOTICED_PIXELS) return true;
    }
    return false;
  }

  png(): Buffer {
    return encodePng(WIDTH, HEIGHT, this.#pixels);
  }
}

/** What is drawn at each cell, and one more at the end: what stands beside the screen. */
interface DrawnCells {
  readonly inks: Uint32Array;
  readonly grounds: Uint32Array;
  /** Of each cell, part by part. */
  readonly coverage: Uint8Array;
}

function draw(pixels: Uint32Array, emulation: Emulation): void {
  const { cols, rows } = emulation;
  const size = Math.min(WIDEST_CELL, (WIDTH - 2 * MARGIN) / cols, (HEIGHT - 2 * MARGIN) / (rows * CELL_SHAPE));
  const across = placesOf(WIDTH, cols, size, GLYPH_COLUMNS);
  const down = placesOf(HEIGHT, rows, size * CELL_SHAPE, GLYPH_ROWS);
  const { inks, grounds, coverage } = cellsOf(emulation);
  const beside = cols * rows;
  const strength = 1 + STRONGER * Math.max(0, THIN_BELOW - size);
  const places = PLACES * PLACES * FULL;
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let j = y * PLACES; j < (y + 1) * PLACES; j += 1) {
        const row = down.cells[j] as number;
        for (let i = x * PLACES; i < (x + 1) * PLACES; i += 1) {
          const column = across.cells[i] as number;
          const cell = row < 0 || column < 0 ? beside : row * cols + column;
          const ground = grounds[cell] as number;
          const part = coverage[cell * GLYPH_CELL + (down.parts[j] as number) * GLYPH_COLUMNS + (across.parts[i] as number)] as number;
          const ink = part === 0 ? ground : (inks[cell] as number);
          const covered = Math.min(FULL, part * strength);
          red += (ink >> 16) * covered + (ground >> 16) * (FULL - covered);
          green += ((ink >> 8) & 0xff) * covered + ((ground >> 8) & 0xff) * (FULL - covered);
          blue += (ink & 0xff) * covered + (ground & 0xff) * (FULL - covered);
        }
      }
      pixels[y * WIDTH + x] = (Math.round(red / places) << 16) | (Math.round(green / places) << 8) | Math.round(blue / places);
    }
  }
}

/** For each place that is looked at along one side of the picture: in which cell it is, -1 for none, and in which part of that. */
function placesOf(length: number, count: number, size: number, parts: number): { cells: Int16Array; parts: Uint8Array } {
  const places = { cells: new Int16Array(length * PLACES).fill(-1), parts: new Uint8Array(length * PLACES) };
  const begin = (length - count * size) / 2;
  for (let place = 0; place < length * PLACES; place += 1) {
    const at = ((place + 0.5) / PLACES - begin) / size;
    if (at < 0 || at >= count) continue;
    places.cells[place] = Math.floor(at);
    places.parts[place] = Math.floor((at - Math.floor(at)) * parts);
  }
  return places;
}

function cellsOf({ core, cols, rows, plain }: Emulation): DrawnCells {
  const { lines, ybase, x: cursorX, y: cursorY } = core.buffers.active;
  const cursor = plain || core.coreService.isCursorHidden ? -1 : cursorY * cols + Math.min(cursorX, cols - 1);
  const inks = new Uint32Array(cols * rows + 1);
  const grounds = new Uint32Array(cols * rows + 1).fill(GROUND);
  const coverage = new Uint8Array((cols * rows + 1) * GLYPH_CELL);
  const cell = emptyCell();
  let look: { readonly fg: number; readonly bg: number; readonly colours: ReturnType<typeof coloursOf> } | undefined;
  let glyph = glyphCoverage(0);
  for (let y = 0; y < rows; y += 1) {
    const line = lines.get(ybase + y);
    for (let x = 0; x < cols; x += 1) {
      const at = y * cols + x;
      line?.loadCell(x, cell);
      if (look?.fg !== cell.fg || look.bg !== cell.bg) look = { fg: cell.fg, bg: cell.bg, colours: coloursOf(cell, plain) };
      const { ink, ground, underline } = look.colours;
      // The second half of a wide character looks like its first.
      if (cell.getWidth() !== 0 || x === 0) glyph = glyphCoverage(cell.getChars().codePointAt(0) ?? 0);
      coverage.set(glyph, at * GLYPH_CELL);
      if (underline) coverage.fill(FULL, (at + 1) * GLYPH_CELL - GLYPH_COLUMNS, (at + 1) * GLYPH_CELL);
      inks[at] = at === cursor ? ground : ink;
      grounds[at] = at === cursor ? ink : ground;
    }
  }
  return { inks, grounds, coverage };
}
