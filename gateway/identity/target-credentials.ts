import { SallyportError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import { inspectPrivateKey, type PrivateKeyText } from './private-key-text.ts';
import { type Environment, readSecret } from './read-secret.ts';
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

export type { Environment } from './read-secret.ts';

/** Throws TARGET_CREDENTIAL_MISSING, which names the reference. */
export function readTargetCredential(target: CredentialedTarget, environment: Environment = process.env): TargetCredential {
  const { faults, credential } = resolve(target, environment);
  const [fault] = faults;
  if (fault === undefined) return credential;
  const message = `the ${fault.of} of the target ${target.name} cannot be used: ${fault.problem}`;
  throw new SallyportError('TARGET_CREDENTIAL_MISSING', message, { remedy: fault.mend });
}

/** The same without using it: for checking a configuration. */
export function faultsOfCredential(
  target: Omit<CredentialedTarget, 'name'>,
  environment: Environment = process.env,
): readonly CredentialFault[] {
  return resolve(target, environment).faults;
}

/** The credential is meant only when there are no faults. */
interface Resolution {
  readonly faults: readonly CredentialFault[];
  readonly credential: TargetCredential;
}

function resolve(target: Omit<CredentialedTarget, 'name'>, environment: Environment): Resolution {
  const { use, reference } = unwrap(target.credential);
  const faults: CredentialFault[] = [];
  const read = (of: CredentialFault['of'], from: SecretReference): string | undefined => {
    const result = readSecret(from, environment);
    if ('value' in result) return result.value;
    faults.push({ of, ...result });
    return undefined;
  };
  const main = read('credential', reference);
  const phrase = target.passphrase === undefined ? undefined : read('passphrase', target.passphrase);
  if (main === undefined) return { faults, credential: {} };
  const path = 'file' in reference ? reference.file : 'FILE';
  const found: PrivateKeyText = use === 'password' ? { kind: 'none' } : inspectPrivateKey(main, path);
  const fault = faultOfUse(found, use, describeReference(reference), target.passphrase !== undefined);
  if (fault !== undefined) faults.push(fault);
  if (found.kind !== 'key') return { faults, credential: { password: new Secret(withoutLineEnd(main)) } };
  const passphrase = phrase === undefined ? {} : { passphrase: new Secret(withoutLineEnd(phrase)) };
  return { faults, credential: { privateKey: new Secret(main.trim()), ...passphrase } };
}

type Use = 'password' | 'key' | 'either';

function unwrap(credential: CredentialReference): { use: Use; reference: SecretReference } {
  if ('password' in credential) return { use: 'password', reference: credential.password };
  if ('key' in credential) return { use: 'key', reference: credential.key };
  return { use: 'either', reference: credential };
}

/** What stands against using a secret as what it is meant to be. `named` says where it is kept. */
function faultOfUse(found: PrivateKeyText, use: Use, named: string, hasPassphrase: boolean): CredentialFault | undefined {
  const fault = (of: CredentialFault['of'], problem: string, mend: string): CredentialFault => ({ of, problem, mend });
  if (found.kind === 'unsupported') {
    const problem = `${named} holds a private key in a format that is not supported: ${found.format}`;
    return fault('credential', problem, `Convert it: ${found.convert}`);
  }
  if (found.kind === 'key') {
    if (!found.encrypted || hasPassphrase) return undefined;
    const mend = 'Add passphrase: { env: NAME } or { file: PATH }.';
    return fault('credential', `the private key in ${named} is encrypted, and the target has no passphrase`, mend);
  }
  if (use === 'key') return fault('credential', `${named} holds no private key`, 'Name the private key itself, not its .pub file.');
  if (!hasPassphrase) return undefined;
  return fault('passphrase', 'a passphrase is given, but the credential is no private key', 'Remove it, or name the private key.');
}

/** An editor ends the last line; the password does not have that. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
