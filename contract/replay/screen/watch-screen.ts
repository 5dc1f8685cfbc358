import type { Emulation } from './emulation.ts';
import type { Params, ScreenBuffer, TerminalCore } from './terminal-internals.ts';

/**
 * Is told what is about to happen to a screen, before it has happened: afterwards nobody could say what stood there.
 * Rows count from the top of the screen. Called very often: what does not concern the watcher must cost next to nothing.
 */
export interface ScreenWatcher {
  /** These code points, from the cursor on; `printed` follows. */
  printing(buffer: ScreenBuffer, data: Uint32Array, start: number, end: number): void;
  printed(buffer: ScreenBuffer): void;
  /** The scroll region moves up by one row, and its first row leaves. */
  scrolling(buffer: ScreenBuffer): void;
  /** Rows `top` to `bottom` move by so many rows: those that are pushed out are lost, and blank ones come. */
  shifting(buffer: ScreenBuffer, top: number, bottom: number, by: number): void;
  /** Columns `from` to `to`, without the latter. */
  erasing(buffer: ScreenBuffer, y: number, from: number, to: number): void;
  /** Blank cells come in (by > 0) or cells are taken out of a row, at the cursor. */
  pushing(buffer: ScreenBuffer, by: number): void;
  /** Everything on the screen may become something else. */
  rewriting(buffer: ScreenBuffer): void;
  /** The screen is given up: another takes its place, or a full reset comes. */
  leaving(buffer: ScreenBuffer): void;
}

/** Modes that switch to the alternate screen and back. */
const ALTERNATE = [47, 1047, 1049];

/** To be called once for an emulation, after it was restored if it is to be. There is no end to it: the emulation ends. */
export function watchScreen(emulation: Emulation, watcher: ScreenWatcher): void {
  const core = emulation.core;
  const active = () => core.buffers.active;
  watchPrinting(core, watcher);
  const service = core._bufferService;
  const scroll = service.scroll.bind(service);
  service.scroll = (attributes, wrapped) => {
    watcher.scrolling(active());
    scroll(attributes, wrapped);
  };

  const onCsi = (final: string, seen: (count: number, params: Params) => void, prefix?: string) =>
    core.registerCsiHandler({ final, ...(prefix === undefined ? {} : { prefix }) }, (params) => {
      seen(Math.max(1, params.params[0] as number), params);
      return false; // and on to xterm.js
    });
  for (const prefix of [undefined, '?']) {
    onCsi('J', (_count, { params }) => watchErasedScreen(core, watcher, params[0] as number), prefix);
    onCsi('K', (_count, { params }) => watchErasedLine(core, watcher, params[0] as number), prefix);
  }
  onCsi('X', (count) => watcher.erasing(active(), active().y, active().x, active().x + count));
  onCsi('@', (count) => watcher.pushing(active(), count));
  onCsi('P', (count) => watcher.pushing(active(), -count));
  onCsi('L', (count) => within(active()) && watcher.shifting(active(), active().y, active().scrollBottom, count));
  onCsi('M', (count) => within(active()) && watcher.shifting(active(), active().y, active().scrollBottom, -count));
  onCsi('S', (count) => watcher.shifting(active(), active().scrollTop, active().scrollBottom, -count));
  onCsi('T', (count) => watcher.shifting(active(), active().scrollTop, active().scrollBottom, count));
  const rewriting = () => {
    watcher.rewriting(active());
    return false;
  };
  for (const final of ['@', 'A']) core.registerCsiHandler({ intermediates: ' ', final }, rewriting);
  for (const final of ['}', '~']) core.registerCsiHandler({ intermediates: "'", final }, rewriting);
  core.registerEscHandler({ intermediates: '#', final: '8' }, rewriting);

  core.registerEscHandler({ final: 'M' }, () => {
    if (active().y === active().scrollTop) watcher.shifting(active(), active().scrollTop, active().scrollBottom, 1);
    return false;
  });
  core.registerEscHandler({ final: 'c' }, () => {
    const { normal, alt } = core.buffers;
    watcher.leaving(normal);
    if (active() === alt) watcher.leaving(alt);
    return false;
  });
  onCsi(
    'l',
    (_count, params) => {
      const leaves = active() === core.buffers.alt && ALTERNATE.some((mode) => params.params.indexOf(mode) !== -1);
      if (leaves) watcher.leaving(active());
    },
    '?',
  );
}

function watchPrinting(core: TerminalCore, watcher: ScreenWatcher): void {
  type Print = (data: Uint32Array, start: number, end: number) => void;
  let printing = false;
  const watched =
    (print: Print): Print =>
    (data, start, end) => {
      if (printing) {
        print(data, start, end);
        return;
      }
      printing = true;
      watcher.printing(core.buffers.active, data, start, end);
      try {
        print(data, start, end);
      } finally {
        printing = false;
      }
      watcher.printed(core.buffers.active);
    };
  // Whatever prints here by now, which may leave a part of it to xterm.js; and that alone, where something is repeated.
  const handler = core._inputHandler;
  handler._parser.setPrintHandler(watched(handler._parser._printHandler));
  handler.print = watched(handler.print.bind(handler));
}

function within({ y, scrollTop, scrollBottom }: ScreenBuffer): boolean {
  return y >= scrollTop && y <= scrollBottom;
}

function watchErasedLine({ buffers: { active }, cols }: TerminalCore, watcher: ScreenWatcher, which: number): void {
  if (which === 0) watcher.erasing(active, active.y, active.x, cols);
  else if (which === 1) watcher.erasing(active, active.y, 0, active.x + 1);
  else if (which === 2) watcher.erasing(active, active.y, 0, cols);
}

function watchErasedScreen({ buffers: { active }, cols, rows }: TerminalCore, watcher: ScreenWatcher, which: number): void {
  if (which > 2) return;
  if (which === 0) watcher.erasing(active, active.y, active.x, cols);
  if (which === 1) watcher.erasing(active, active.y, 0, active.x + 1);
  const first = which === 0 ? active.y + 1 : 0;
  const last = which === 1 ? active.y - 1 : rows - 1;
  for (let y = first; y <= last; y += 1) watcher.erasing(active, y, 0, cols);
}
