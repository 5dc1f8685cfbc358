import { open } from 'node:fs/promises';

/** Makes the names in a directory durable: a file that was synced can still be lost with its name. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
