import { SallyportError } from '../base/errors.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { HASH_BYTES, leafHash } from './merkle.ts';
import { verifyInclusion } from './proofs.ts';
import { openNote, type VerifierKey } from './signed-note.ts';
import { decodeBase64, encodeBase64 } from './strict-base64.ts';

/** A proof in one small text file that an entry is in a log: C2SP tlog-proof (c2sp.org/tlog-proof). */
export interface TlogProof {
  readonly index: number;
  /** From the leaf's sibling up to the root's child. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note, exactly as the log wrote it. */
  readonly checkpoint: string;
  /** Not authenticated by anything. */
  readonly extra?: Uint8Array;
}

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';

/** The height of the tallest tree there can be. */
const MAX_HASHES = 63;
const MAX_BYTES = 512 * 1024;

export function formatTlogProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  const lines = [
    FIRST_LINE,
    ...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]),
    `index ${index}`,
    ...hashes.map((hash) => encodeBase64(hash)),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** Throws LEDGER_NOTE_INVALID. The checkpoint in it is not looked at. */
export function parseTlogProof(text: string): TlogProof {
  if (text.length > MAX_BYTES) throw invalidProof(`it is larger than ${MAX_BYTES} bytes`);
  const boundary = text.indexOf('\n\n');
  if (boundary < 0) throw invalidProof('it has no checkpoint');
  const lines = text.slice(0, boundary).split('\n');
  if (lines.shift() !== FIRST_LINE) throw invalidProof(`it does not begin with ${FIRST_LINE}`);
  const extra = lines[0]?.startsWith('extra ') === true ? decodeBase64((lines.shift() as string).slice('extra '.length)) : null;
  if (extra === undefined) throw invalidProof('its extra data is not base64');
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (index === undefined || !Number.isSafeInteger(Number(index))) throw invalidProof('it names no index');
  if (lines.length > MAX_HASHES) throw invalidProof(`it has ${lines.length} hashes, more than any tree is high`);
  const hashes = lines.map((line) => {
    const hash = decodeBase64(line);
    if (hash?.length !== HASH_BYTES) throw invalidProof('a line of it is no SHA-256 in base64');
    return hash;
  });
  return { index: Number(index), hashes, checkpoint: text.slice(boundary + 2), ...(extra === null ? {} : { extra }) };
}

/**
 * The checkpoint under which the entry is proven to stand, at the proof's index. Throws LEDGER_NOTE_INVALID,
 * LEDGER_SIGNATURE_INVALID, or LEDGER_DAMAGED when the hashes do not lead from the entry to the root.
 */
export function verifyTlogProof(text: string, entry: Uint8Array, keys: readonly VerifierKey[]): Checkpoint & { index: number } {
  const { index, hashes, checkpoint } = parseTlogProof(text);
  const head = parseCheckpoint(openNote(checkpoint, keys).text);
  if (verifyInclusion(leafHash(entry), index, head.size, hashes, head.root)) return { ...head, index };
  throw new SallyportError(
    'LEDGER_DAMAGED',
    `The proof does not show that entry ${index} is in the ledger ${head.origin} at ${head.size} entries`,
    {
      remedy: 'the entry, the proof or the checkpoint was changed, or they do not belong together',
    },
  );
}

function invalidProof(why: string): SallyportError {
  return new SallyportError('LEDGER_NOTE_INVALID', `This is no proof of a ledger: ${why}`, {
    remedy: 'use a .tlog-proof file exactly as it was written',
  });
}
