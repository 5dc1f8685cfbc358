import { Emulation } from './emulation.ts';
import { identicalScreen } from './same-screen.ts';

/** A dump that was restored and found to be the same; undefined where it is not. */
export function verifiedDump(emulation: Emulation): string | undefined {
  const dump = emulation.dump();
  const restored = new Emulation(emulation.cols, emulation.rows, { whole: emulation.whole, plain: emulation.plain });
  try {
    restored.restore(dump);
    return identicalScreen(emulation, restored) ? dump : undefined;
  } finally {
    restored.dispose();
  }
}
