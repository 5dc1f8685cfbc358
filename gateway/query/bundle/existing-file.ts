import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join, normalize } from 'node:path';

/** How a file below the data directory differs from what is on record of it; undefined when it does not. */
export async function existingFile(
  dataDirectory: string,
  file: string,
  sealed: { bytes: number; sha256: string },
): Promise<string | undefined> {
  const path = normalize(file);
  // Not only within the data directory: the keys are there too.
  if (!path.startsWith('recordings/')) return 'its path leads out of the recordings';
  const digest = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(join(dataDirectory, path)) as AsyncIterable<Buffer>) {
      digest.update(chunk);
      bytes += chunk.length;
    }
  } catch (thrown) {
    const missing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    return missing ? 'it is missing' : thrown instanceof Error ? thrown.message : String(thrown);
  }
  if (bytes !== sealed.bytes) return `it has ${bytes} bytes and was sealed with ${sealed.bytes}`;
  return digest.digest('hex') === sealed.sha256 ? undefined : 'its SHA-256 is not the one it was sealed with';
}
