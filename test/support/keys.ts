import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

export type KeyType = 'ed25519' | 'rsa' | 'ecdsa';

/** A key pair in OpenSSH's format. */
export interface KeyPair {
  /** Path of the private key. */
  path: string;
  /** `ssh-ed25519 AAAA… comment` */
  publicLine: string;
  /** `SHA256:…` */
  fingerprint: string;
}

/** Makes a key pair with ssh-keygen, as a person would. */
export async function makeKey(directory: string, name: string, type: KeyType = 'ed25519'): Promise<KeyPair> {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  const size = type === 'rsa' ? ['-b', '3072'] : type === 'ecdsa' ? ['-b', '256'] : [];
  await mustRun('ssh-keygen', ['-q', '-t', type, ...size, '-N', '', '-C', name, '-f', path]);
  const fingerprint = (await mustRun('ssh-keygen', ['-l', '-E', 'sha256', '-f', `${path}.pub`])).split(' ')[1];
  if (fingerprint === undefined) throw new Error(`ssh-keygen gave no fingerprint for ${path}`);
  return { path, publicLine: readFileSync(`${path}.pub`, 'utf8').trim(), fingerprint };
}

const converted = new Map<string, Promise<string>>();

/** The same key in PuTTY's format; gives its path. */
export function forPutty(key: KeyPair): Promise<string> {
  const path = `${key.path}.ppk`;
  return once(path, () => mustRun('puttygen', [key.path, '-O', 'private', '-o', path]));
}

/** The same key in Dropbear's format; gives its path. */
export function forDropbear(key: KeyPair): Promise<string> {
  const path = `${key.path}.dropbear`;
  return once(path, () => mustRun('dropbearconvert', ['openssh', 'dropbear', key.path, path]));
}

/** Clients run at the same time, and a key must not be rewritten while one of them reads it. */
function once(path: string, convert: () => Promise<unknown>): Promise<string> {
  const known = converted.get(path);
  if (known !== undefined) return known;
  const conversion = convert().then(() => path);
  converted.set(path, conversion);
  return conversion;
}

/** Writes a known_hosts file from what the server at that address presents now; returns the host key's fingerprint. */
export async function learnHostKey(knownHosts: string, host: string, port: number): Promise<string> {
  const lines = await mustRun('ssh-keyscan', ['-T', '10', '-p', String(port), '-t', 'ed25519', host]);
  const line = lines.split('\n').find((each) => each !== '' && !each.startsWith('#'));
  if (line === undefined) throw new Error(`${host}:${port} showed no ed25519 host key`);
  writeFileSync(knownHosts, `${line}\n`, { flag: 'a' });
  const fingerprint = (await mustRun('ssh-keygen', ['-l', '-E', 'sha256', '-f', '-'], `${line}\n`)).split(' ')[1];
  if (fingerprint === undefined) throw new Error(`ssh-keygen gave no fingerprint for the host key of ${host}:${port}`);
  return fingerprint;
}

async function mustRun(command: string, args: readonly string[], input = ''): Promise<string> {
  const done = await run(command, args, { input });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')} exited ${done.status}: ${done.stderr}`);
  return done.stdout.toString();
}
