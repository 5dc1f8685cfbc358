import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Bytes that this process holds, on the heap and in buffers, once all garbage is gone. How much garbage lies about, and so
 * what is resident, depends on the collector's mood, on the machine's load and on what ran before.
 */
export function heldBytes(): number {
  collect ??= collector();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What makes a program tell of its memory, see there. */
export const tellingModule = join(import.meta.dirname, 'telling-held.ts');

/** Before a program's name, for `toldHeld` of what it says on standard error. A heap that needs more than 96 MiB ends it. */
export const tellingHeld = [
  '--max-semi-space-size=4',
  '--max-old-space-size=96',
  '--disable-warning=ExperimentalWarning',
  '--import',
  tellingModule,
];

/** The most that the program ever held, looked at every now and then, and the most that ever was resident. */
export function toldHeld(stderr: string): { held: number; resident: number } {
  const [, held, resident] = /^held (\d+) resident (\d+)$/m.exec(stderr) ?? [];
  if (held === undefined) throw new Error(`it said nothing of its memory: ${stderr}`);
  return { held: Number(held), resident: Number(resident) };
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as NodeJS.GCFunction;
  // The last resort goes on until nothing more comes of it, and waits for the buffers too.
  return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
