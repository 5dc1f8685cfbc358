import { Emulation } from './emulation.ts';
import { identicalScreen } from './same-screen.ts';

/** Enough for lines that are coloured cell by cell, on a screen that is not too wide. */
const MOST_DUMP = 8 * 1024 * 1024;

/**
 * A dump that was restored and found to be the same, lines above the screen and all; undefined where it is not, or would
 * be too long.
 */
export function verifiedDump(emulation: Emulation): string | undefined {
  const dump = emulation.dump(MOST_DUMP);
  const restored = new Emulation(emulation.cols, emulation.rows, { whole: emulation.whole, plain: emulation.plain });
  try {
    restored.restore(dump);
    return identicalScreen(emulation, restored) ? dump : undefined;
  } finally {
    restored.dispose();
  }
}
