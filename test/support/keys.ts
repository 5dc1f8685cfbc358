import { createHash } from 'node:crypto';
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
  const publicLine = readFileSync(`${path}.pub`, 'utf8').trim();
  return { path, publicLine, fingerprint: fingerprintOf(publicLine.split(' ')[1] ?? '') };
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
  return fingerprintOf(line.split(' ')[2] ?? '');
}

/** What `ssh-keygen -l` prints for a public key in base64, without starting it once more for each of many keys. */
function fingerprintOf(key: string): string {
  return `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;
}

async function mustRun(command: string, args: readonly string[]): Promise<string> {
  const done = await run(command, args);
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')} exited ${done.status}: ${done.stderr}`);
  return done.stdout.toString();
}
