import { SallyportError } from '../base/errors.ts';
import { HASH_BYTES } from './merkle.ts';
import { decodeBase64, encodeBase64 } from './strict-base64.ts';

/** The text of a checkpoint, the signed head of a log: C2SP tlog-checkpoint (c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  /** Which log this is. */
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  readonly root: Uint8Array;
  /** Further lines, opaque. Sallyport writes none. */
  readonly extensions: readonly string[];
}

export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, String(size), encodeBase64(root), ...extensions].map((line) => `${line}\n`).join('');
}

/** `text` is a note's text, without its signatures. Throws LEDGER_NOTE_INVALID unless this is exactly a checkpoint's. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const end = lines.pop();
  const [origin = '', size = '', root = '', ...extensions] = lines;
  if (end !== '') throw invalidCheckpoint('its last line does not end');
  if (lines.length < 3 || lines.includes('')) throw invalidCheckpoint('it does not consist of an origin, a size and a root');
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw invalidCheckpoint('its size is no number of entries');
  const hash = decodeBase64(root);
  if (hash?.length !== HASH_BYTES) throw invalidCheckpoint('its root is no SHA-256 in base64');
  return { origin, size: Number(size), root: hash, extensions };
}

function invalidCheckpoint(why: string): SallyportError {
  return new SallyportError('LEDGER_NOTE_INVALID', `This is no checkpoint: ${why}`, {
    remedy: 'use a checkpoint exactly as the gateway wrote it, every byte of it',
  });
}
