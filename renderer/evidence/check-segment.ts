import type { BundlePageSegment } from '../../contract/bundle-page.ts';
import { toHex } from './encodings.ts';
import type { Seal } from './session-facts.ts';
import { sha256OfLong } from './sha256.ts';

export type SegmentVerdict =
  /** What its seal says, byte for byte. */
  | { state: 'intact' }
  /** The seal is older than the digest of the text: the compressed file has to be compared, which a page cannot read. */
  | { state: 'unchecked'; words: string }
  | { state: 'altered' | 'missing' | 'unsealed'; words: string };

/** Compares the bytes of a cast text with the record that sealed it. */
export async function checkSegment(bytes: Uint8Array<ArrayBuffer>, seal: Seal | undefined): Promise<SegmentVerdict> {
  if (seal === undefined) return { state: 'unsealed', words: 'No record in this bundle seals it.' };
  if (seal.text === undefined) {
    return {
      state: 'unchecked',
      words: 'Its seal is of the compressed file, which a page cannot read; verify.sh compares it.',
    };
  }
  if (bytes.length !== seal.text.bytes) {
    return {
      state: 'altered',
      words: `It has ${bytes.length.toLocaleString('en')} bytes and was sealed with ${seal.text.bytes.toLocaleString('en')}.`,
    };
  }
  const digest = toHex(await sha256OfLong(bytes));
  if (digest !== seal.text.sha256) return { state: 'altered', words: `Its SHA-256 is ${digest} and was sealed as ${seal.text.sha256}.` };
  if (linesIn(bytes) !== seal.text.lines) return { state: 'altered', words: 'It has another number of lines than its seal says.' };
  return { state: 'intact' };
}

/** What a player says in place of a part that is not there. */
export function absence(segment: BundlePageSegment): string {
  return segment.damage ?? 'It was not readable when the bundle was written.';
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}
