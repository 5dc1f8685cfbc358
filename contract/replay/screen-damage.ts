import type { Emulation } from './screen/emulation.ts';

/** What of the screen is to be drawn again. */
export interface ScreenDamage {
  /** It is another emulation, and all of it is new. */
  readonly replaced: boolean;
  readonly resized: boolean;
  /** The title is another one. */
  readonly title: boolean;
  /** First and last row that changed; undefined for none. */
  readonly rows: { readonly from: number; readonly to: number } | undefined;
}

/** What whoever draws knows of the screen. */
interface Drawn {
  readonly emulation: Emulation | undefined;
  readonly cols: number;
  readonly rows: number;
  readonly title: string;
  readonly cursor: { readonly x: number; readonly y: number; readonly hidden: boolean };
}

/** Says what has changed on a screen since it was asked last, also when another emulation has taken its place. */
export class ScreenChanges {
  #drawn: Drawn = { emulation: undefined, cols: 0, rows: 0, title: '', cursor: { x: 0, y: 0, hidden: false } };

  take(screen: Emulation, title = ''): ScreenDamage {
    const { cols, rows } = screen;
    const drawn = this.#drawn;
    const { x, y } = screen.core.buffers.active;
    const cursor = { x, y, hidden: screen.core.coreService.isCursorHidden };
    this.#drawn = { emulation: screen, cols, rows, title, cursor };
    const dirty = screen.takeDirty();
    const replaced = drawn.emulation !== screen;
    const resized = drawn.cols !== cols || drawn.rows !== rows;
    return { replaced, resized, title: drawn.title !== title, rows: changedRows() };

    function changedRows(): ScreenDamage['rows'] {
      if (replaced || resized) return { from: 0, to: rows - 1 };
      if (x === drawn.cursor.x && y === drawn.cursor.y && cursor.hidden === drawn.cursor.hidden) return dirty;
      const touched = [y, drawn.cursor.y, ...(dirty === undefined ? [] : [dirty.from, dirty.to])];
      return { from: Math.min(...touched), to: Math.max(...touched) };
    }
  }
}
