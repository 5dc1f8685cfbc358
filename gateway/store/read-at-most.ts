import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * A whole small file; undefined when there is none, `other` when what has its name is no file. Of a file that is larger
 * than `limit` the first `limit + 1` bytes, by which the caller knows it: what stands in a data directory cannot make a
 * reader hold more than that.
 */
export async function readAtMost(file: string, limit: number): Promise<Uint8Array | 'other' | undefined> {
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((thrown: unknown) =>
    isMissing(thrown) ? undefined : Promise.reject(thrown as Error),
  );
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return 'other';
    const bytes = Buffer.alloc(Math.min(stats.size, limit) + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await handle.close();
  }
}

export function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR');
}
