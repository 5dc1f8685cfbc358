import { spareLine } from './quick-lines.ts';
import type { ScreenBuffer, ScreenLine, TerminalCore } from './terminal-internals.ts';

/**
 * A full reset, and leaving the alternate screen, make xterm.js build buffers anew: work for a screenful of cells and
 * thousands of lines, for two bytes of output. Here the ones that are there are emptied.
 */
export function quickenReset(core: TerminalCore): void {
  const { normal, alt } = core.buffers;
  const clear = alt.clear.bind(alt);
  alt.clear = () => {
    for (let row = 0; row < alt.lines.length; row += 1) spareLine(alt.lines.get(row) as ScreenLine);
    clear();
  };
  core._bufferService.reset = () => {
    core.buffers.activateNormalBuffer();
    empty(normal, core.rows);
    if (alt.lines.length > 0) alt.clear();
    empty(alt, core.rows);
    core._bufferService.isUserScrolling = false;
    core._inputHandler._dirtyRowTracker.markRangeDirty(0, core.rows - 1);
  };
}

function empty(buffer: ScreenBuffer, rows: number): void {
  const { lines } = buffer;
  if (lines.length > rows) lines.trimStart(lines.length - rows);
  const blank = buffer.getNullCell();
  for (let row = 0; row < lines.length; row += 1) {
    const line = lines.get(row) as ScreenLine;
    line.fill(blank);
    line.isWrapped = false;
  }
  Object.assign(buffer, { ybase: 0, ydisp: 0, x: 0, y: 0, scrollTop: 0, scrollBottom: rows - 1 });
  Object.assign(buffer, { savedX: 0, savedY: 0, savedCharset: undefined, tabs: {} });
  Object.assign(buffer.savedCurAttrData, { fg: 0, bg: 0 });
  buffer.setupTabStops();
}
