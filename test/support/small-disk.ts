import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';
import type { Belongings } from './temp.ts';
import { until } from './wait.ts';

/** A file system of its own that is easily filled. */
export interface SmallDisk {
  path: string;
  free(): number;
  /** Takes space until only so many bytes are left. */
  fillUpTo(left: number): Promise<void>;
  /** Takes every byte there is, at once: before anybody who measures from time to time can notice. */
  fillToTheBrim(): void;
  /** Gives back all the space that was taken. */
  empty(): void;
}

/** Mounts a tmpfs of so many bytes; unmounted in the end. */
export async function mountSmallDisk(belongings: Belongings, bytes: number): Promise<SmallDisk> {
  const path = join(belongings.directory('disk'), 'mounted');
  mkdirSync(path);
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]);
  if (mounted.status !== 0) throw new Error(`a small file system can't be mounted (this needs root): ${mounted.stderr}`);
  belongings.add(async () => {
    const unmounted = await run('umount', ['-l', path]);
    if (unmounted.status !== 0) throw new Error(`umount ${path}: ${unmounted.stderr}`);
  });
  const ballast = join(path, 'ballast');
  const free = (): number => {
    const facts = statfsSync(path);
    return facts.bavail * facts.bsize;
  };
  return {
    path,
    free,
    fillUpTo: (left) =>
      // Others write meanwhile, so what was free a moment ago may not be.
      until('the space is taken', async () =>
        (await run('fallocate', ['-l', String(Math.max(1, free() - left)), ballast])).status === 0 ? true : undefined,
      ).then(() => undefined),
    fillToTheBrim: () => {
      const file = openSync(`${ballast}-brim`, 'a');
      try {
        for (let size = 1024 * 1024; size >= 4096; size /= 2) writeUntilFull(file, Buffer.alloc(size));
      } finally {
        closeSync(file);
      }
    },
    empty: () => {
      for (const file of [ballast, `${ballast}-brim`]) rmSync(file, { force: true });
    },
  };
}

function writeUntilFull(file: number, bytes: Buffer): void {
  try {
    while (writeSync(file, bytes) === bytes.length);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
  }
}
