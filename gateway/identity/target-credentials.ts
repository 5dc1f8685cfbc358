import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { SallyportError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import { inspectPrivateKey } from './private-key-text.ts';
import { type CredentialReference, describeReference, type SecretReference } from './secret-reference.ts';

/*
 * The only reader of target secrets. They are read anew for every connection, so that a rotated one is used at once,
 * and nothing keeps them. References are local and small; reading them is synchronous on purpose.
 */

/** What is read of a target. */
export interface CredentialedTarget {
  readonly name: string;
  readonly credential: CredentialReference;
  readonly passphrase?: SecretReference;
}

/** What to log in with: a password, or a private key with the passphrase that opens it. */
export interface TargetCredential {
  readonly password?: Secret;
  readonly privateKey?: Secret;
  readonly passphrase?: Secret;
}

/** Names the reference, never the value. */
export interface CredentialFault {
  readonly of: 'credential' | 'passphrase';
  readonly problem: string;
  readonly mend: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Far more than any key or token has. */
const MAX_SECRET_BYTES = 64 * 1024;

/** Throws TARGET_CREDENTIAL_MISSING, which names the reference. */
export function readTargetCredential(target: CredentialedTarget, environment: Environment = process.env): TargetCredential {
  const outcome = resolve(target, environment);
  if ('credential' in outcome) return outcome.credential;
  const [first] = outcome.faults;
  throw new SallyportError('TARGET_CREDENTIAL_MISSING', `the ${first.of} of the target ${target.name} cannot be used: ${first.problem}`, { remedy: first.mend });
}

/** The same without using it: for checking a configuration. */
export function faultsOfCredential(target: CredentialedTarget, environment: Environment = process.env): readonly CredentialFault[] {
  const outcome = resolve(target, environment);
  return 'faults' in outcome ? outcome.faults : [];
}

type Outcome = { readonly credential: TargetCredential } | { readonly faults: readonly [CredentialFault, ...CredentialFault[]] };

function resolve(target: CredentialedTarget, environment: Environment): Outcome {
  const { use, reference } = unwrap(target.credential);
  const main = readReference(reference, environment);
  const passphrase = target.passphrase === undefined ? undefined : readReference(target.passphrase, environment);
  const faults: CredentialFault[] = [];
  if ('problem' in main) faults.push({ of: 'credential', ...main });
  if (passphrase !== undefined && 'problem' in passphrase) faults.push({ of: 'passphrase', ...passphrase });
  if ('value' in main && use !== 'password') {
    const fault = faultOfKey(main.value, reference, use, target.passphrase !== undefined);
    if (fault !== undefined) faults.push(fault);
  }
  const [first, ...more] = faults;
  if (first !== undefined || 'problem' in main) return { faults: [first as CredentialFault, ...more] };
  const isKey = use === 'key' || (use === 'either' && inspectPrivateKey(main.value, '').kind === 'key');
  if (!isKey) return { credential: { password: new Secret(withoutLineEnd(main.value)) } };
  const privateKey = new Secret(main.value.trim());
  if (passphrase === undefined || 'problem' in passphrase) return { credential: { privateKey } };
  return { credential: { privateKey, passphrase: new Secret(withoutLineEnd(passphrase.value)) } };
}

function unwrap(credential: CredentialReference): { use: 'password' | 'key' | 'either'; reference: SecretReference } {
  if ('password' in credential) return { use: 'password', reference: credential.password };
  if ('key' in credential) return { use: 'key', reference: credential.key };
  return { use: 'either', reference: credential };
}

function faultOfKey(text: string, reference: SecretReference, use: 'key' | 'either', hasPassphrase: boolean): CredentialFault | undefined {
  const named = describeReference(reference);
  const found = inspectPrivateKey(text, 'file' in reference ? reference.file : 'FILE');
  switch (found.kind) {
    case 'none':
      if (use === 'key') return { of: 'credential', problem: `${named} holds no private key`, mend: 'Name the private key itself, not its .pub file.' };
      return hasPassphrase ? { of: 'passphrase', problem: `a passphrase is given, but ${named} holds no private key`, mend: 'Remove the passphrase, or name the private key.' } : undefined;
    case 'unsupported':
      return { of: 'credential', problem: `${named} holds a private key in a format that is not supported: ${found.format}`, mend: `Convert it: ${found.convert}` };
    case 'key':
      if (!found.encrypted || hasPassphrase) return undefined;
      return { of: 'credential', problem: `the private key in ${named} is encrypted, and the target has no passphrase`, mend: 'Add passphrase: { env: NAME } or { file: PATH }.' };
  }
}

type ReadSecret = { readonly value: string } | { readonly problem: string; readonly mend: string };

function readReference(reference: SecretReference, environment: Environment): ReadSecret {
  if ('file' in reference) return readSecretFile(reference.file);
  const value = environment[reference.env];
  if (value !== undefined && value !== '') return { value };
  return { problem: `${describeReference(reference)} is ${value === undefined ? 'not set' : 'empty'}`, mend: 'Set it in the environment of the gateway.' };
}

function readSecretFile(path: string): ReadSecret {
  let descriptor: number;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: `there is no file ${path}`, mend: 'Put it there, or correct the path, which is relative to the configuration file.' };
    return { problem: `the file ${path} cannot be opened (${code})`, mend: 'Let the user who runs the gateway read it.' };
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return { problem: `${path} is not a regular file`, mend: 'Name the file that holds the secret.' };
    // OpenSSH refuses such keys too. A group may read: that is how secrets are handed to a service.
    if ((stats.mode & 0o026) !== 0) return { problem: `the file ${path} can be read by everybody or changed by others`, mend: `Run: chmod 600 ${path}` };
    const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) read = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (length > MAX_SECRET_BYTES) return { problem: `the file ${path} has more than ${MAX_SECRET_BYTES} bytes`, mend: 'Name the file that holds the secret and nothing else.' };
    return textOf(buffer.subarray(0, length), path);
  } catch (error) {
    return { problem: `the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`, mend: 'Check the disk or the mount that it lies on.' };
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

/** An editor ends the last line; the password does not have that. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
