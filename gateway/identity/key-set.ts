import { createPublicKey } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { JSONWebKeySet } from 'jose';

export const MAX_KEY_SET_BYTES = 256 * 1024;
const MAX_KEYS = 100;

/** A JWK Set (RFC 7517 section 5) of public keys. `problem` has no full stop. */
export function readKeySet(path: string): { readonly set: JSONWebKeySet } | { readonly problem: string; readonly mend: string } {
  const mend = "Put the issuer's key set there, as it serves it at its jwks_uri.";
  let text: string;
  try {
    text = readAtMost(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : error instanceof Error ? error.message : 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: `there is no file ${path}`, mend };
    return { problem: `the file ${path} cannot be read (${code})`, mend: 'Let the user who runs the gateway read it.' };
  }
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    return { problem: `the file ${path} is not JSON`, mend };
  }
  const problem = problemOfKeySet(set);
  return problem === undefined ? { set: set as JSONWebKeySet } : { problem: `the file ${path} cannot be used: ${problem}`, mend };
}

function readAtMost(path: string): string {
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(descriptor).isFile()) throw new Error('it is not a regular file');
    const bytes = Buffer.alloc(MAX_KEY_SET_BYTES + 1);
    const length = readSync(descriptor, bytes, 0, bytes.length, 0);
    if (length > MAX_KEY_SET_BYTES) throw new Error(`it has more than ${MAX_KEY_SET_BYTES} bytes`);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Keys of kinds that are not known are passed over when a token names another; that there is a secret among them is a fault. */
export function problemOfKeySet(set: unknown): string | undefined {
  const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0) return 'it is not a JWK set with keys in it';
  if (keys.length > MAX_KEYS) return `it has more than ${MAX_KEYS} keys`;
  let usable = 0;
  for (const key of keys as readonly unknown[]) {
    if (typeof key !== 'object' || key === null) return 'something in it is not a key';
    if ('d' in key || 'k' in key) return 'it holds a private or secret key, and public ones belong there';
    if (isPublicKey(key)) usable += 1;
  }
  return usable === 0 ? 'none of its keys is RSA, EC or Ed25519' : undefined;
}

function isPublicKey(key: object): boolean {
  try {
    createPublicKey({ key: { ...key }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}
