import { element } from '../../dom/element.ts';

export interface VirtualRowsOptions {
  label: string;
  /** Pixels. Every row has this height, so that the place of a row is known without drawing it. */
  rowHeight: number;
  class: string;
  render(index: number): HTMLElement;
  /** Enter or a click on a row. */
  activate(index: number): void;
  /** Another row became the current one. */
  selected?(index: number): void;
}

/** Rows drawn beyond the visible ones, so that scrolling never shows an empty edge. */
const MARGIN = 12;

/** Browsers give up on elements higher than some tens of millions of pixels; a longer list is scrolled by proportion. */
const MOST_HEIGHT = 8_000_000;

/**
 * A list of any length of which only the visible rows exist. Arrow keys, Page Up and Down, Home and End move the
 * current row; Enter opens it.
 */
export class VirtualRows {
  readonly node: HTMLElement;
  readonly #options: VirtualRowsOptions;
  readonly #space: HTMLElement;
  readonly #drawn = new Map<number, HTMLElement>();
  readonly #observer: ResizeObserver;
  #count = 0;
  #current = -1;

  constructor(options: VirtualRowsOptions) {
    this.#options = options;
    this.#space = element('div', { class: 'rows-space', role: 'presentation' });
    this.node = element('div', { class: `rows ${options.class}`, role: 'listbox', tabindex: 0, 'aria-label': options.label }, this.#space);
    this.node.addEventListener('scroll', () => this.#draw(), { passive: true });
    this.node.addEventListener('keydown', (event) => this.#key(event));
    this.node.addEventListener('click', (event) => this.#click(event));
    this.#observer = new ResizeObserver(() => this.#draw());
    this.#observer.observe(this.node);
  }

  get current(): number {
    return this.#current;
  }

  get count(): number {
    return this.#count;
  }

  /** Draws everything anew, from the top unless `keepPlace`. */
  setCount(count: number, keepPlace = false): void {
    this.#count = count;
    this.#current = keepPlace ? Math.min(this.#current, count - 1) : Math.min(count - 1, 0);
    this.#space.style.height = `${Math.min(count * this.#options.rowHeight, MOST_HEIGHT)}px`;
    if (!keepPlace) this.node.scrollTop = 0;
    this.refresh();
  }

  /** What the visible rows show has changed. */
  refresh(): void {
    for (const row of this.#drawn.values()) row.remove();
    this.#drawn.clear();
    this.#draw();
  }

  select(index: number, options: { reveal: boolean; centre?: boolean }): void {
    if (this.#count === 0) return;
    const next = Math.max(0, Math.min(index, this.#count - 1));
    const changed = next !== this.#current;
    this.#mark(this.#current, false);
    this.#current = next;
    if (options.reveal) this.#reveal(next, options.centre === true);
    this.#draw();
    this.#mark(next, true);
    if (changed) this.#options.selected?.(next);
  }

  dispose(): void {
    this.#observer.disconnect();
  }

  /** Row that stands at a height of scrolling, and back, for lists that are higher than an element can be. */
  #scale(): number {
    const full = this.#count * this.#options.rowHeight;
    const room = this.node.clientHeight;
    return full <= MOST_HEIGHT ? 1 : (full - room) / (MOST_HEIGHT - room);
  }

  #draw(): void {
    const { rowHeight } = this.#options;
    const scale = this.#scale();
    const top = this.node.scrollTop * scale;
    const first = Math.max(0, Math.floor(top / rowHeight) - MARGIN);
    const last = Math.min(this.#count, Math.ceil((top + this.node.clientHeight) / rowHeight) + MARGIN);
    for (const [index, row] of this.#drawn) {
      if (index >= first && index < last) continue;
      row.remove();
      this.#drawn.delete(index);
    }
    for (let index = first; index < last; index += 1) {
      let row = this.#drawn.get(index);
      if (row === undefined) {
        row = this.#options.render(index);
        row.id = `${this.#options.class}-${index}`;
        row.dataset.row = String(index);
        row.setAttribute('role', 'option');
        row.setAttribute('aria-posinset', String(index + 1));
        row.setAttribute('aria-setsize', String(this.#count));
        row.style.height = `${rowHeight}px`;
        this.#drawn.set(index, row);
        this.#space.append(row);
        this.#mark(index, index === this.#current);
      }
      row.style.top = `${index * rowHeight - top + this.node.scrollTop}px`;
    }
  }

  #mark(index: number, on: boolean): void {
    const row = this.#drawn.get(index);
    if (row === undefined) return;
    row.setAttribute('aria-selected', String(on));
    row.classList.toggle('current', on);
    if (on) this.node.setAttribute('aria-activedescendant', row.id);
  }

  #reveal(index: number, centre: boolean): void {
    const { rowHeight } = this.#options;
    const scale = this.#scale();
    const top = index * rowHeight;
    const room = this.node.clientHeight;
    const now = this.node.scrollTop * scale;
    if (top >= now && top + rowHeight <= now + room) return;
    const wanted = centre ? top - room / 2 : top < now ? top : top + rowHeight - room;
    this.node.scrollTop = wanted / scale;
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.node.clientHeight / this.#options.rowHeight) - 1);
    const moves: Record<string, number> = {
      ArrowDown: this.#current + 1,
      ArrowUp: this.#current - 1,
      PageDown: this.#current + page,
      PageUp: this.#current - page,
      Home: 0,
      End: this.#count - 1,
    };
    const to = moves[event.key];
    if (to !== undefined && !event.shiftKey) this.select(to, { reveal: true });
    else if (event.key === 'Enter' && this.#current >= 0) this.#options.activate(this.#current);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #click(event: MouseEvent): void {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-row]') : null;
    // A reader who marks text in a row wants the text.
    if (row === null || window.getSelection()?.isCollapsed === false) return;
    const index = Number(row.dataset.row);
    this.select(index, { reveal: false });
    this.#options.activate(index);
  }
}
