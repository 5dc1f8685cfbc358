import type { IBufferCell } from '@xterm/xterm';
import { element, setText } from '../interface/element.ts';
import { xtermColour } from './palette.ts';
import type { TerminalScreen } from './terminal-screen.ts';

/** Pixels. Larger than a large screen's text looks like a poster, smaller cannot be read: then it scrolls instead. */
const LARGEST_FONT = 15;
const SMALLEST_FONT = 6;
const LINE_HEIGHT = 1.25;

/** Pixels of the wheel for a line. */
const WHEEL_LINE = 20;

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
  readonly #screen: TerminalScreen;
  readonly #cells: HTMLElement;
  readonly #observer: ResizeObserver;
  #rows: { node: HTMLElement; key: string }[] = [];
  #drawnVersion = -1;
  /** Lines above the newest screen, when the reader has scrolled back. */
  #back = 0;
  #size = '';
  #wheeled = 0;

  constructor(screen: TerminalScreen) {
    this.#screen = screen;
    this.#cells = element('div', { class: `cells${screen.plain ? ' plain' : ''}` });
    this.node = element('div', { class: 'terminal', role: 'img', 'aria-label': 'Screen of the recorded session' }, this.#cells);
    this.node.addEventListener('wheel', (event) => this.#wheel(event), { passive: true });
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(this.node);
  }

  /** Back to the newest lines; playing always shows them. */
  toNewest(): void {
    if (this.#back === 0) return;
    this.#back = 0;
    this.#drawnVersion = -1;
  }

  scroll(lines: number): void {
    const before = this.#back;
    this.#back = Math.max(0, Math.min(this.#screen.buffer.baseY, this.#back + lines));
    if (this.#back !== before) this.#drawnVersion = -1;
    this.paint();
  }

  paint(): void {
    const screen = this.#screen;
    if (screen.version === this.#drawnVersion) return;
    this.#drawnVersion = screen.version;
    const { cols, rows, buffer } = screen;
    this.#layout(cols, rows);
    this.#back = Math.min(this.#back, buffer.baseY);
    const top = buffer.baseY - this.#back;
    const cursor = screen.cursorVisible && this.#back === 0 ? { x: Math.min(buffer.cursorX, cols - 1), y: buffer.cursorY } : undefined;
    for (const [at, row] of this.#rows.entries()) {
      const line = buffer.getLine(top + at);
      const cursorAt = cursor?.y === at ? cursor.x : -1;
      const error = screen.plain && line !== undefined && screen.isErrorLine(top + at);
      const runs = line === undefined ? [] : runsOf((x, cell) => line.getCell(x, cell), cols, cursorAt);
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

  #layout(cols: number, rows: number): void {
    const size = `${cols}x${rows}`;
    if (size === this.#size) return;
    this.#size = size;
    while (this.#rows.length > rows) this.#rows.pop()?.node.remove();
    while (this.#rows.length < rows) {
      const node = element('div', { class: 'line' });
      this.#rows.push({ node, key: '' });
      this.#cells.append(node);
    }
    this.#fit();
  }

  #fit(): void {
    const { cols, rows } = this.#screen;
    const style = window.getComputedStyle(this.node);
    const width = this.node.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
    const height = this.node.clientHeight - Number.parseFloat(style.paddingTop) - Number.parseFloat(style.paddingBottom);
    if (!(width > 0) || !(height > 0)) return;
    const gutter = this.#screen.plain ? 14 : 0;
    const wanted = Math.min((width - gutter) / (cols * characterRatio()), height / (rows * LINE_HEIGHT), LARGEST_FONT);
    // Whole line heights: half a pixel a row would leave hairlines between blocks of colour.
    const font = Math.max(SMALLEST_FONT, Math.floor(wanted * 4) / 4);
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

/** Neighbouring cells of one style as one element; a character that may not be one column wide gets a box of its own. */
function runsOf(cellAt: (x: number, cell?: IBufferCell) => IBufferCell | undefined, cols: number, cursorAt: number): Run[] {
  const runs: Run[] = [];
  let cell: IBufferCell | undefined;
  let open: { key: string; style: Style; text: string } | undefined;
  const close = () => {
    if (open === undefined) return;
    const { key, style, text } = open;
    open = undefined;
    runs.push({ key, text, node: () => runNode(style, text) });
  };
  for (let x = 0; x < cols; x += 1) {
    cell = cellAt(x, cell);
    if (cell === undefined) break;
    const width = cell.getWidth();
    if (width === 0) continue; // The second half of a wide character.
    const text = cell.getChars() || ' ';
    const key = `${keyOf(cell)}${x === cursorAt ? 'c' : ''}`;
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
  if (last === undefined || last.key !== PLAIN_KEY || last.text.trimEnd() === last.text) return runs;
  const text = last.text.trimEnd();
  const rest = runs.slice(0, -1);
  return text === '' ? rest : [...rest, { key: last.key, text, node: () => document.createTextNode(text) }];
}

const PLAIN_KEY = '0/0/0/0/0';

function keyOf(cell: IBufferCell): string {
  const flags =
    (cell.isBold() ? 1 : 0) |
    (cell.isDim() ? 2 : 0) |
    (cell.isItalic() ? 4 : 0) |
    (cell.isUnderline() ? 8 : 0) |
    (cell.isInverse() ? 16 : 0) |
    (cell.isInvisible() ? 32 : 0) |
    (cell.isStrikethrough() ? 64 : 0) |
    (cell.isOverline() ? 128 : 0);
  const foreground = cell.isFgDefault() ? '0/0' : `${cell.isFgRGB() ? 2 : 1}/${cell.getFgColor()}`;
  const background = cell.isBgDefault() ? '0/0' : `${cell.isBgRGB() ? 2 : 1}/${cell.getBgColor()}`;
  return `${flags}/${foreground}/${background}`;
}

function styleOf(cell: IBufferCell, cursor: boolean): Style {
  // Bold makes the eight basic colours bright, as nearly every terminal does.
  let foreground = cell.isFgDefault() ? undefined : xtermColour(cell.getFgColor(), cell.isFgRGB(), cell.isBold() !== 0);
  let background = cell.isBgDefault() ? undefined : xtermColour(cell.getBgColor(), cell.isBgRGB(), false);
  if (cell.isInverse() !== 0) [foreground, background] = [background ?? 'var(--terminal)', foreground ?? 'var(--terminal-text)'];
  if (cursor) [foreground, background] = [undefined, undefined];
  if (cell.isInvisible() !== 0) foreground = undefined;
  const classes = [
    cell.isBold() && 'bold',
    cell.isDim() && 'dim',
    cell.isItalic() && 'italic',
    cell.isUnderline() && 'underline',
    cell.isStrikethrough() && 'strike',
    cell.isOverline() && 'overline',
    cell.isInvisible() && 'invisible',
    cursor && 'cursor',
  ].filter(Boolean);
  return { foreground, background, classes: classes.join(' ') };
}

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
