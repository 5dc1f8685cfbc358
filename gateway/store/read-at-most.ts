import { open } from 'node:fs/promises';

/**
 * A whole small file; undefined when there is none. Of a file that is larger than `limit` the first `limit + 1` bytes,
 * by which the caller knows it: what stands in a data directory cannot make a reader hold more than that.
 */
export async function readAtMost(file: string, limit: number): Promise<Uint8Array | undefined> {
  const handle = await open(file, 'r').catch((thrown: unknown) => (isMissing(thrown) ? undefined : Promise.reject(thrown as Error)));
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.min(size, limit) + 1);
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
