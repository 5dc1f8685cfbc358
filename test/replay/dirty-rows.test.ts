import { expect, it } from 'vitest';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { emptyCell } from '../../contract/replay/screen/terminal-internals.ts';
import { randomLines } from './random-lines.ts';
import { randomNumbers, randomOutput } from './random-output.ts';

/** Every row of the screen as it is drawn. */
function rowsOf({ core, cols, rows }: Emulation): string[] {
  const { lines, ybase } = core.buffers.active;
  const cell = emptyCell();
  return Array.from({ length: rows }, (_, row) => {
    const line = lines.get(ybase + row);
    let drawn = '';
    for (let x = 0; x < cols; x += 1) {
      line?.loadCell(x, cell);
      drawn += `${cell.getChars()}|${cell.fg}|${cell.bg};`;
    }
    return drawn;
  });
}

it('rows that change are told, whichever way output changes them', () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const random = randomNumbers(seed);
    const emulation = new Emulation(2 + random(30), 1 + random(12), { plain: seed % 5 === 0 });
    for (let step = 0; step < 30; step += 1) {
      const before = rowsOf(emulation);
      emulation.takeDirty();
      const output =
        step % 2 === 0 ? randomOutput(seed * 100 + step, 1 + random(40)) : randomLines(seed * 100 + step, emulation.cols, 1 + random(4));
      emulation.show(output);
      const dirty = emulation.takeDirty();
      const untold = rowsOf(emulation).flatMap((row, y) =>
        row === before[y] || (dirty !== undefined && y >= dirty.from && y <= dirty.to) ? [] : [y],
      );
      expect(untold, `seed ${seed}, step ${step}, ${JSON.stringify(output)}, told ${JSON.stringify(dirty)}`).toEqual([]);
    }
  }
});
