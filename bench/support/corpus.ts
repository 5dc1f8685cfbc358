import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file of known content, to be sent through. */
export interface Corpus {
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

const pieceBytes = 57 * 16_384;

/** Lines of 76 base64 characters of random bytes: text, and as hard to compress as text can be. */
export function textCorpus(directory: string, bytes: number): Corpus {
  return write(join(directory, `text-${bytes}`), bytes, () => {
    const lines = randomBytes(pieceBytes).toString('base64').match(/.{76}/g) ?? [];
    return Buffer.from(`${lines.join('\n')}\n`, 'latin1');
  });
}

export function binaryCorpus(directory: string, bytes: number): Corpus {
  return write(join(directory, `binary-${bytes}`), bytes, () => randomBytes(pieceBytes));
}

function write(path: string, bytes: number, piece: () => Buffer): Corpus {
  const hash = createHash('sha256');
  const file = openSync(path, 'wx', 0o600);
  try {
    for (let written = 0; written < bytes; ) {
      const next = piece().subarray(0, bytes - written);
      hash.update(next);
      written += writeSync(file, next);
    }
    // Otherwise the kernel writes it back in the middle of the first runs.
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return { path, bytes, sha256: hash.digest('hex') };
}
