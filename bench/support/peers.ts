import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';

const sshdPath = '/usr/sbin/sshd';

/** Makes sure that a real OpenSSH server is here: installs the Debian package where that is allowed, and says so where it is not. */
export async function requireOpenSsh(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new Error('the OpenSSH peers are started with keys of their own for root: run this benchmark as root');
  if (await exists(sshdPath)) return;
  if (!(await exists('/usr/bin/apt-get'))) throw new Error(`there is no OpenSSH server at ${sshdPath} and no apt-get to install one`);
  process.stderr.write('installing the Debian package openssh-server, the peer of this row\n');
  const install = ['install', '-y', '--no-install-recommends', 'openssh-server'];
  await promisify(execFile)('apt-get', install, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
