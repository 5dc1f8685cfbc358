import type { Attributes } from './terminal-internals.ts';

/** xterm.js's flag of protected characters (DECSCA). A dump has it, and on a plain screen it means error output. */
const PROTECTED = 0x20000000;

/** Whether a cell of a plain screen was printed by error output. */
export function isErrorCell({ bg }: Pick<Attributes, 'bg'>): boolean {
  return (bg & PROTECTED) !== 0;
}

export function markError(attributes: { bg: number }, error: boolean): void {
  attributes.bg = error ? attributes.bg | PROTECTED : attributes.bg & ~PROTECTED;
}
