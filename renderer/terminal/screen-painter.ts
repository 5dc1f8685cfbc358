import { type CellLook, lookKey, lookOf, PLAIN_LOOK } from '../../contract/replay/screen/cell-look.ts';
import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import { isErrorCell } from '../../contract/replay/screen/error-mark.ts';
import { type Cell, emptyCell, type ScreenLine } from '../../contract/replay/screen/terminal-internals.ts';
import type { ScreenDamage } from '../../contract/replay/screen-damage.ts';
import { element, setText } from '../dom/element.ts';
import { xtermColour } from './palette.ts';

/** Pixels. Larger than a large screen's text looks like a poster, smaller cannot be read: then it scrolls instead. */
const LARGEST_FONT = 15;
const SMALLEST_FONT = 6;
const LINE_HEIGHT = 1.25;

/** Pixels of the wheel for a line. */
const WHEEL_LINE = 20;

/** What is drawn: a player, or a session that is watched. */
export interface PaintedScreen {
  readonly screen: Emulation;
  takeDamage(): ScreenDamage;
}

export interface PainterOptions {
  /** Pixels of the smallest type. */
  readonly smallest?: number;
  readonly largest?: number;
  /** For whoever hears it. */
  readonly label?: string;
}

interface Style {
  foreground: string | undefined;
  background: string | undefined;
  classes: string;
}

/**
 * Draws the cells of a screen as text in the document, so that it can be marked, copied and read aloud. Rows are only
 * touched when they changed. The recorded size is kept; the type is made as large as fits.
 */
export class ScreenPainter {
  readonly node: HTMLElement;
  readonly #player: PaintedScreen;
  #smallest: number;
  #font = LARGEST_FONT;
  readonly #largest: number;
  readonly #cells = element('div', { class: 'cells' });
  readonly #observer: ResizeObserver;
  #rows: { node: HTMLElement; key: string }[] = [];
  /** Lines above the newest screen, when the reader has scrolled back. */
  #back = 0;
  #drawAll = true;
  #wheeled = 0;

  constructor(
    player: PaintedScreen,
    { smallest = SMALLEST_FONT, largest = LARGEST_FONT, label = 'Screen of the recorded session' }: PainterOptions = {},
  ) {
    this.#player = player;
    this.#smallest = smallest;
    this.#largest = largest;
    this.node = element('div', { class: 'terminal', role: 'img', 'aria-label': label }, this.#cells);
    this.node.addEventListener('wheel', (event) => this.#wheel(event), { passive: true });
    this.#observer = new ResizeObserver(() => this.fit());
    this.#observer.observe(this.node);
  }

  /** Pixels of the type as it is drawn. */
  get font(): number {
    return this.#font;
  }

  /** No smaller type than this: what does not fit then is scrolled. */
  set smallest(pixels: number) {
    this.#smallest = pixels;
    this.fit();
  }

  /** Back to the newest lines; playing always shows them. */
  toNewest(): void {
    if (this.#back === 0) return;
    this.#back = 0;
    this.#drawAll = true;
  }

  scroll(lines: number): void {
    const before = this.#back;
    this.#back = Math.max(0, Math.min(this.#player.screen.core.buffers.active.ybase, this.#back + lines));
    if (this.#back !== before) this.#drawAll = true;
    this.paint();
  }

  paint(): void {
    const damage = this.#player.takeDamage();
    const { screen } = this.#player;
    if (damage.replaced || damage.resized || this.#rows.length === 0) this.#layout(screen);
    if (damage.rows === undefined && !this.#drawAll) return;
    const buffer = screen.core.buffers.active;
    this.#back = Math.min(this.#back, buffer.ybase);
    const scrolled = this.#drawAll || this.#back > 0;
    const { from, to } = scrolled || damage.rows === undefined ? { from: 0, to: screen.rows - 1 } : damage.rows;
    this.#drawAll = false;
    const cursor = cursorOf(screen);
    for (let at = from; at <= to; at += 1) {
      const row = this.#rows[at];
      const line = buffer.lines.get(buffer.ybase - this.#back + at);
      if (row === undefined) break;
      const runs = line === undefined ? [] : runsOf(line, screen.cols, cursor?.y === at && this.#back === 0 ? cursor.x : -1);
      const error = screen.plain && line !== undefined && hasError(line);
      const key = `${error ? 'e' : ''}${runs.map(({ key: style, text }) => `${style}\0${text}`).join('\x01')}`;
      if (key === row.key) continue;
      row.key = key;
      row.node.className = error ? 'line error' : 'line';
      row.node.replaceChildren(...runs.map((run) => run.node()));
    }
  }

  dispose(): void {
    this.#observer.disconnect();
  }

  #layout({ rows, plain }: Emulation): void {
    this.#cells.classList.toggle('plain', plain);
    while (this.#rows.length > rows) this.#rows.pop()?.node.remove();
    while (this.#rows.length < rows) {
      const node = element('div', { class: 'line' });
      this.#rows.push({ node, key: '' });
      this.#cells.append(node);
    }
    this.fit();
  }

  /** To be called when the type has changed; a change of the place is noticed. */
  fit(): void {
    const { cols, rows, plain } = this.#player.screen;
    const style = window.getComputedStyle(this.node);
    const width = this.node.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
    const height = this.node.clientHeight - Number.parseFloat(style.paddingTop) - Number.parseFloat(style.paddingBottom);
    if (!(width > 0) || !(height > 0)) return;
    const gutter = plain ? 14 : 0;
    const wanted = Math.min((width - gutter) / (cols * characterRatio()), height / (rows * LINE_HEIGHT), this.#largest);
    // Whole line heights: half a pixel a row would leave hairlines between blocks of colour.
    const font = Math.max(this.#smallest, Math.floor(wanted * 4) / 4);
    this.#font = font;
    this.#cells.style.fontSize = `${font}px`;
    this.#cells.style.setProperty('--line', `${Math.max(1, Math.floor(font * LINE_HEIGHT))}px`);
    this.#cells.style.width = `calc(${cols}ch + ${gutter}px)`;
  }

  #wheel(event: WheelEvent): void {
    if (event.ctrlKey) return;
    // A wheel tells pixels, and a touchpad few of them at a time.
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * WHEEL_LINE;
    this.#wheeled -= pixels;
    const lines = Math.trunc(this.#wheeled / WHEEL_LINE);
    this.#wheeled -= lines * WHEEL_LINE;
    if (lines !== 0) this.scroll(lines);
  }
}

interface Run {
  key: string;
  text: string;
  node(): Node;
}

/** Where the cursor is drawn. Without a terminal there is none. */
function cursorOf({ core, cols, plain }: Emulation): { x: number; y: number } | undefined {
  if (plain || core.coreService.isCursorHidden) return undefined;
  const { x, y } = core.buffers.active;
  return { x: Math.min(x, cols - 1), y };
}

function hasError(line: ScreenLine): boolean {
  const cell = emptyCell();
  for (let x = 0; x < line.length; x += 1) if (isErrorCell(line.loadCell(x, cell)) && cell.getChars() !== '') return true;
  return false;
}

/** Neighbouring cells of one style as one element; a character that may not be one column wide gets a box of its own. */
function runsOf(line: ScreenLine, cols: number, cursorAt: number): Run[] {
  const runs: Run[] = [];
  const cell = emptyCell();
  let open: { key: string; style: Style; text: string } | undefined;
  const close = () => {
    if (open === undefined) return;
    const { key, style, text } = open;
    open = undefined;
    runs.push({ key, text, node: () => runNode(style, text) });
  };
  for (let x = 0; x < Math.min(cols, line.length); x += 1) {
    line.loadCell(x, cell);
    const width = cell.getWidth();
    if (width === 0) continue; // The second half of a wide character.
    const text = cell.getChars() || ' ';
    const key = `${lookKey(cell)}${x === cursorAt ? 'c' : ''}`;
    if (width === 1 && text.length === 1 && text >= ' ' && text <= '~' && open?.key === key) {
      open.text += text;
      continue;
    }
    close();
    const style = styleOf(cell, x === cursorAt);
    if (width === 1 && text.length === 1 && text >= ' ' && text <= '~') open = { key, style, text };
    else {
      const boxed: Style = { ...style, classes: `${style.classes} box${width}` };
      runs.push({ key: `${key}${width}`, text, node: () => runNode(boxed, text) });
    }
  }
  close();
  return withoutEmptyEnd(runs);
}

/** Blank cells without a style at the end of a row are no text: they would only come along when it is copied. */
function withoutEmptyEnd(runs: Run[]): Run[] {
  const last = runs.at(-1);
  if (last === undefined || last.key !== PLAIN_LOOK || last.text.trimEnd() === last.text) return runs;
  const text = last.text.trimEnd();
  const rest = runs.slice(0, -1);
  return text === '' ? rest : [...rest, { key: last.key, text, node: () => document.createTextNode(text) }];
}

function styleOf(cell: Cell, cursor: boolean): Style {
  const look = lookOf(cell);
  // Bold makes the eight basic colours bright, as nearly every terminal does.
  let foreground = look.foreground && xtermColour(look.foreground.value, look.foreground.rgb, look.bold);
  let background = look.background && xtermColour(look.background.value, look.background.rgb, false);
  if (look.inverse) [foreground, background] = [background ?? 'var(--terminal)', foreground ?? 'var(--terminal-text)'];
  if (cursor) [foreground, background] = [undefined, undefined];
  if (look.invisible) foreground = undefined;
  return { foreground, background, classes: [...CLASSES.filter((name) => look[name]), ...(cursor ? ['cursor'] : [])].join(' ') };
}

const CLASSES = ['bold', 'dim', 'italic', 'underline', 'strike', 'overline', 'invisible'] as const satisfies readonly (keyof CellLook)[];

function runNode({ foreground, background, classes }: Style, text: string): Node {
  const span = element('span', classes.trim() === '' ? {} : { class: classes.trim() });
  if (foreground !== undefined) span.style.color = foreground;
  if (background !== undefined) span.style.background = background;
  setText(span, text);
  return span;
}

let ratio: number | undefined;

/** Width of a character of the terminal's type, as a part of its size. */
function characterRatio(): number {
  if (ratio !== undefined) return ratio;
  const probe = element('span', { class: 'probe' }, 'M'.repeat(100));
  document.body.append(probe);
  ratio = probe.getBoundingClientRect().width / 100 / 100;
  probe.remove();
  return ratio;
}
