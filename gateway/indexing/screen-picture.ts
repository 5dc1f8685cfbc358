import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import { emptyCell } from '../../contract/replay/screen/terminal-internals.ts';
import { FULL, GLYPH_COLUMNS, GLYPH_ROWS, glyphCoverage } from './glyph-coverage.ts';
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
const PLACES = 3;

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

/** What is drawn at a cell: at most one character, in one colour on another. */
interface DrawnCells {
  readonly inks: Uint32Array;
  readonly grounds: Uint32Array;
  readonly coverage: readonly Uint8Array[];
}

function draw(pixels: Uint32Array, emulation: Emulation): void {
  const { cols, rows } = emulation;
  const size = Math.min(WIDEST_CELL, (WIDTH - 2 * MARGIN) / cols, (HEIGHT - 2 * MARGIN) / (rows * CELL_SHAPE));
  const across = placesOf(WIDTH, cols, size, GLYPH_COLUMNS);
  const down = placesOf(HEIGHT, rows, size * CELL_SHAPE, GLYPH_ROWS);
  const { inks, grounds, coverage } = cellsOf(emulation);
  const places = PLACES * PLACES * FULL;
  const strength = 1 + STRONGER * Math.max(0, THIN_BELOW - size);
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      let [red, green, blue] = [0, 0, 0];
      for (let j = y * PLACES; j < (y + 1) * PLACES; j += 1) {
        for (let i = x * PLACES; i < (x + 1) * PLACES; i += 1) {
          const [row, column] = [down.cells[j] as number, across.cells[i] as number];
          const cell = row < 0 || column < 0 ? -1 : row * cols + column;
          const ink = inks[cell] ?? GROUND;
          const ground = grounds[cell] ?? GROUND;
          const part = (down.parts[j] as number) * GLYPH_COLUMNS + (across.parts[i] as number);
          const covered = Math.min(FULL, (coverage[cell]?.[part] ?? 0) * strength);
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
  const cursorShows = !plain && !core.coreService.isCursorHidden;
  const inks = new Uint32Array(cols * rows);
  const grounds = new Uint32Array(cols * rows);
  const coverage: Uint8Array[] = [];
  const cell = emptyCell();
  for (let y = 0; y < rows; y += 1) {
    const line = lines.get(ybase + y);
    for (let x = 0; x < cols; x += 1) {
      line?.loadCell(x, cell);
      const { ink, ground, underline } = coloursOf(cell, plain);
      // The second half of a wide character looks like its first.
      const half = cell.getWidth() === 0 && x > 0;
      const glyph = half ? (coverage.at(-1) ?? glyphCoverage(0)) : glyphCoverage(cell.getChars().codePointAt(0) ?? 0);
      coverage.push(underline && !half ? underlined(glyph) : glyph);
      const cursor = cursorShows && x === cursorX && y === cursorY;
      inks[y * cols + x] = cursor ? ground : ink;
      grounds[y * cols + x] = cursor ? ink : ground;
    }
  }
  return { inks, grounds, coverage };
}

function underlined(glyph: Uint8Array): Uint8Array {
  return glyph.slice().fill(FULL, (GLYPH_ROWS - 1) * GLYPH_COLUMNS);
}
