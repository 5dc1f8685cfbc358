/** Something in the bundle that the page cannot use, in words for whoever opened it. */
export class DataFault extends Error {}

export function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
