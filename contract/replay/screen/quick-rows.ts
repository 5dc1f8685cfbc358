import type { Attributes, Params, ScreenBuffer, ScreenLine, TerminalCore } from './terminal-internals.ts';

/**
 * Sequences that move rows up or down within the screen, which xterm.js does row by row and with a new line for each. Here
 * the rows that go are those that come, blank. What is done is the same.
 */
export function quickenRows(core: TerminalCore): void {
  const handler = core._inputHandler;
  const active = () => core.buffers.active;
  const within = ({ y, scrollTop, scrollBottom }: ScreenBuffer) => y >= scrollTop && y <= scrollBottom;
  const shift = (rows: Rows, attributes: Attributes | undefined): void => {
    moveRows(active(), rows, attributes);
    handler._dirtyRowTracker.markRangeDirty(rows.from, rows.to);
  };
  const insertOrDelete =
    (step: 1 | -1) =>
    ({ params }: Params): boolean => {
      handler._restrictCursor();
      const buffer = active();
      if (!within(buffer)) return true;
      shift({ from: buffer.y, to: buffer.scrollBottom, count: (params[0] as number) || 1, step }, handler._eraseAttrData());
      buffer.x = 0;
      return true;
    };
  const scroll =
    (step: 1 | -1) =>
    ({ params }: Params): boolean => {
      const { scrollTop, scrollBottom } = active();
      const rows = { from: scrollTop, to: scrollBottom, count: (params[0] as number) || 1, step };
      shift(rows, step === -1 ? handler._eraseAttrData() : undefined);
      return true;
    };
  core.registerCsiHandler({ final: 'L' }, insertOrDelete(1));
  core.registerCsiHandler({ final: 'M' }, insertOrDelete(-1));
  core.registerCsiHandler({ final: 'S' }, scroll(-1));
  core.registerCsiHandler({ final: 'T' }, scroll(1));
  core.registerEscHandler({ final: 'M' }, () => {
    handler._restrictCursor();
    const buffer = active();
    if (buffer.y !== buffer.scrollTop) return false;
    shift({ from: buffer.scrollTop, to: buffer.scrollBottom, count: 1, step: 1 }, handler._eraseAttrData());
    return true;
  });
  const service = core._bufferService;
  const scrollAll = service.scroll;
  service.scroll = (attributes, isWrapped = false) => {
    const buffer = active();
    // Lines leave the screen for what is above it only from its top.
    if (buffer.scrollTop === 0) {
      scrollAll.call(service, attributes, isWrapped);
      // xterm.js leaves it to whoever listens for scrolling to draw everything again.
      handler._dirtyRowTracker.markRangeDirty(0, buffer.scrollBottom);
      return;
    }
    const { scrollTop, scrollBottom, ybase } = buffer;
    shift({ from: scrollTop, to: scrollBottom, count: 1, step: -1 }, attributes);
    (buffer.lines.get(ybase + scrollBottom) as ScreenLine).isWrapped = isWrapped;
  };
}

interface Rows {
  /** Of the screen, first and last. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Down or up. */
  readonly step: 1 | -1;
}

function moveRows(buffer: ScreenBuffer, { from, to, count, step }: Rows, attributes: Attributes | undefined): void {
  const { lines, ybase } = buffer;
  const height = to - from + 1;
  const going = Math.min(count, height);
  const before: ScreenLine[] = [];
  for (let row = from; row <= to; row += 1) before.push(lines.get(ybase + row) as ScreenLine);
  const blank = buffer.getNullCell(attributes);
  for (let index = 0; index < height; index += 1) {
    const line = before[index] as ScreenLine;
    const at = index + step * going;
    const stays = at >= 0 && at < height;
    if (!stays) {
      line.fill(blank);
      line.isWrapped = false;
    }
    lines.set(ybase + from + ((at + height) % height), line);
  }
}
