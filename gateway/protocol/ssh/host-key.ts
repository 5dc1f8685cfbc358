import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2, { type ParsedKey } from 'ssh2';
import { SallyportError } from '../../base/errors.ts';
import { makeEd25519Key } from './ed25519-key.ts';
import { fingerprintOf } from './target-connection.ts';

export interface HostKey {
  /** OpenSSH private key. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, as known_hosts has it. */
  readonly publicKey: string;
  readonly fingerprint: string;
}

/**
 * The gateway's one stable host key, made at the first start. Two starts at the same moment end up with the same key:
 * it is written whole beside its place, and whoever comes second uses what is there.
 */
export async function loadOrMakeHostKey(dataDirectory: string): Promise<HostKey> {
  const directory = join(dataDirectory, 'keys');
  const path = join(directory, 'ssh_host_ed25519_key');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const existing = await readIfThere(path);
  if (existing !== undefined) return parse(existing, path);
  const { privateKey: made } = makeEd25519Key('sallyport');
  const beside = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(beside, made, { mode: 0o600, flag: 'wx' });
  try {
    await link(beside, path);
    await chmod(path, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(beside);
  }
  return parse(await readFile(path, 'utf8'), path);
}

/** The key of a gateway that has run. Makes none: the gateway's user has to own it. */
export async function readHostKey(dataDirectory: string): Promise<HostKey> {
  const path = join(dataDirectory, 'keys', 'ssh_host_ed25519_key');
  let existing: string | undefined;
  try {
    existing = await readIfThere(path);
  } catch (error) {
    throw new SallyportError('DATA_DIRECTORY_INVALID', `The gateway's host key ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
      remedy: 'run this as the user of the gateway',
    });
  }
  if (existing !== undefined) return parse(existing, path);
  throw new SallyportError('DATA_DIRECTORY_INVALID', `The data directory ${dataDirectory} has no host key yet`, {
    remedy: 'start the gateway once with sallyport serve, which makes it; or name its data directory with --data',
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(privateKey: string, path: string): HostKey {
  const key = onlyKey(ssh2.utils.parseKey(privateKey));
  if (key instanceof Error || !key.isPrivateKey()) {
    throw new SallyportError('DATA_DIRECTORY_INVALID', `the gateway's host key ${path} is not a private key`, {
      remedy: 'restore it from a copy of the data directory; clients have pinned it',
    });
  }
  const blob = key.getPublicSSH();
  return { privateKey, publicKey: `${key.type} ${blob.toString('base64')}`, fingerprint: fingerprintOf(blob) };
}

/** For some files ssh2 gives a list, which its types do not say. */
export function onlyKey(parsed: ParsedKey | Error): ParsedKey | Error {
  if (!Array.isArray(parsed)) return parsed;
  const keys = parsed as readonly ParsedKey[];
  return keys[0] ?? new Error('there is no key');
}
