import { BG } from './packed-cells.ts';
import type { Attributes } from './terminal-internals.ts';

/** Whether a cell of a plain screen was printed by error output. The mark is that of protected characters (DECSCA): dumps have it. */
export function isErrorCell({ bg }: Pick<Attributes, 'bg'>): boolean {
  return (bg & BG.protected) !== 0;
}

export function markError(attributes: { bg: number }, error: boolean): void {
  attributes.bg = error ? attributes.bg | BG.protected : attributes.bg & ~BG.protected;
}
