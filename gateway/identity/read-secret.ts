import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { describeReference, type SecretReference } from './secret-reference.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Far more than any key or token has. */
const MAX_SECRET_BYTES = 64 * 1024;

/** The text of the secret, or what stands against using it; neither names its value. */
export type ReadSecret = { readonly value: string } | { readonly problem: string; readonly mend: string };

export function readSecret(reference: SecretReference, environment: Environment = process.env): ReadSecret {
  if ('file' in reference) return readSecretFile(reference.file);
  const value = environment[reference.env];
  if (value !== undefined && value !== '') return { value };
  return {
    problem: `${describeReference(reference)} is ${value === undefined ? 'not set' : 'empty'}`,
    mend: 'Set it in the environment of the gateway.',
  };
}

function readSecretFile(path: string): ReadSecret {
  let descriptor: number;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return {
        problem: `there is no file ${path}`,
        mend: 'Put it there, or correct the path, which is relative to the configuration file.',
      };
    return { problem: `the file ${path} cannot be opened (${code})`, mend: 'Let the user who runs the gateway read it.' };
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return { problem: `${path} is not a regular file`, mend: 'Name the file that holds the secret.' };
    // OpenSSH refuses such keys too. A group may read: that is how secrets are handed to a service.
    if ((stats.mode & 0o026) !== 0)
      return { problem: `the file ${path} can be read by everybody or changed by others`, mend: `Run: chmod 600 ${path}` };
    const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (length > MAX_SECRET_BYTES)
      return {
        problem: `the file ${path} has more than ${MAX_SECRET_BYTES} bytes`,
        mend: 'Name the file that holds the secret and nothing else.',
      };
    return textOf(buffer.subarray(0, length), path);
  } catch (error) {
    return {
      problem: `the file ${path} cannot be read (${codeOf(error)})`,
      mend: 'Check the disk or the mount that it lies on.',
    };
  } finally {
    closeSync(descriptor);
  }
}

function textOf(bytes: Uint8Array, path: string): ReadSecret {
  let value: string;
  try {
    value = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { problem: `the file ${path} is not text`, mend: 'Name a file with a password or a private key in it.' };
  }
  if (value.trim() === '') return { problem: `the file ${path} is empty`, mend: 'Put the secret in it.' };
  return { value };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
