import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { SallyportError } from '../base/errors.ts';

/** Where a gateway is asked by commands on its own machine. */
export const CONTROL_SOCKET = 'control.sock';

/** sockaddr_un has 108 bytes for the path and its end (unix(7)). */
const LONGEST_PATH = 107;

/**
 * Gives `use` a path to `name` in `directory` that the system takes for a Unix socket. A longer one goes through the
 * open directory, whose name in /proc is short (proc(5)).
 */
export async function withSocketPath<Result>(directory: string, name: string, use: (path: string) => Promise<Result>): Promise<Result> {
  const path = join(directory, name);
  if (Buffer.byteLength(path) <= LONGEST_PATH) return use(path);
  const handle = await open(directory, 'r');
  try {
    const short = `/proc/self/fd/${handle.fd}`;
    await lstat(short).catch((error: unknown) => {
      throw new SallyportError('DATA_DIRECTORY_INVALID', `The path of the data directory ${directory} is too long for a socket`, {
        remedy: `keep it below ${LONGEST_PATH - CONTROL_SOCKET.length - 32} bytes on this system`,
        cause: error,
      });
    });
    return await use(join(short, name));
  } finally {
    await handle.close();
  }
}
