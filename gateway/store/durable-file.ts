import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Puts a file in its place, whole or not at all, whatever happens meanwhile. Two may not write the same file at once.
 * That the name itself survives a loss of power, too, is up to `syncDirectory`.
 */
export async function replaceFile(file: string, bytes: Uint8Array | string, mode: number): Promise<void> {
  const beside = `${file}.tmp`;
  try {
    const handle = await open(beside, 'w', mode); // One that a killed process left is overwritten.
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (thrown) {
    await rm(beside, { force: true });
    throw thrown;
  }
}

/** Makes the folder with those above it, each of them durable. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

/** Makes names in a folder durable: new ones, changed ones and deletions. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
