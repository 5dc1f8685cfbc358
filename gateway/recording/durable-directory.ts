import { open } from 'node:fs/promises';

interface Syncing {
  running: Promise<void>;
  next: Promise<void> | undefined;
}

const syncing = new Map<string, Syncing>();

/**
 * Makes the names in a directory durable: a file that was synced can still be lost with its name. Calls for one
 * directory that come while it is being synced share the sync after that, for the one that runs may have missed them.
 */
export function syncDirectory(path: string): Promise<void> {
  const known = syncing.get(path);
  if (known === undefined) return begin(path);
  known.next ??= known.running.catch(() => undefined).then(() => begin(path));
  return known.next;
}

function begin(path: string): Promise<void> {
  const running = sync(path);
  const mine: Syncing = { running, next: undefined };
  syncing.set(path, mine);
  const forget = () => {
    if (syncing.get(path) === mine && mine.next === undefined) syncing.delete(path);
  };
  running.then(forget, forget);
  return running;
}

async function sync(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
