import type { Emulation } from './emulation.ts';

/** Whether two terminals are the same from here on, whatever is written to them. */
export function sameScreen(a: Emulation, b: Emulation): boolean {
  return a.dump() === b.dump();
}
