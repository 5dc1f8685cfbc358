import { type Dirent, existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Lock {
  packages: Record<string, { dev?: boolean }>;
}

/** Bytes on disk of what a production installation has: packages that are not for development only, and our own code. */
export function installSize(root: string): { bytes: number; parts: string } {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  let runtime = 0;
  let packages = 0;
  let count = 0;
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    // Optional packages of other platforms are in the lock file and not on the disk.
    if (path === '' || dev === true || !existsSync(join(root, path))) continue;
    count += 1;
    const bytes = directoryBytes(join(root, path));
    if (/(^|\/)node_modules\/node-(linux|darwin|win)-\w+$/.test(path)) runtime += bytes;
    else packages += bytes;
  }
  const built = existsSync(join(root, 'dist'));
  const code = built ? directoryBytes(join(root, 'dist')) : directoryBytes(join(root, 'gateway')) + directoryBytes(join(root, 'contract'));
  return {
    bytes: runtime + packages + code,
    parts: `${count} packages; the pinned Node ${mebibytes(runtime)}, other packages ${mebibytes(packages)}, ${built ? 'dist' : 'our sources (dist is not built)'} ${mebibytes(code)}`,
  };
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Allocated bytes below a directory, without packages nested in it: the lock file lists those by themselves. */
function directoryBytes(directory: string): number {
  const size = (entry: Dirent): number => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? 0 : directoryBytes(path);
    return lstatSync(path).blocks * 512;
  };
  return readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => sum + size(entry), 0);
}
