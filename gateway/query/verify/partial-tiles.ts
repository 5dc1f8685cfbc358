import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TILE_WIDTH, tilePath, tileWidth } from '../../ledger/tiles.ts';
import { openLedgerFiles } from '../../store/ledger-files.ts';
import { fault, type Report } from './finding.ts';

/**
 * Tiles at the right edge exist in several widths, for those who follow the log at older checkpoints. Each has to be the
 * beginning of the widest, which has been compared with the records. Some hundred small files at most.
 */
export async function comparePartialTiles(directory: string, size: number, report: Report): Promise<void> {
  const files = openLedgerFiles(directory);
  for (let level = 0; tileWidth(level, 0, size) > 0; level += 1) {
    for (const kind of level === 0 ? (['entries', 0] as const) : [level]) {
      const index = Math.floor(size / TILE_WIDTH ** (level + 1));
      const width = tileWidth(kind, index, size);
      if (width === 0) continue;
      const widest = await files.find({ level: kind, index, width }).catch(() => undefined);
      if (widest === undefined) continue; // Told where the tree was followed.
      const folder = `${tilePath(kind, index, TILE_WIDTH)}.p`;
      const names = await readdir(join(directory, 'ledger', folder)).catch(() => []);
      for (const name of names) {
        const partial = /^[1-9][0-9]{0,2}$/.test(name) ? Number(name) : 0;
        if (partial === 0 || partial >= width) continue;
        const found = await files.find({ level: kind, index, width: partial }).catch(() => undefined);
        if (found !== undefined && Buffer.compare(found, widest.subarray(0, found.length)) === 0) continue;
        report(fault('altered', { file: `ledger/${folder}/${name}` }, 'The tile was changed: it is not the beginning of the wider ones'));
      }
    }
  }
}
