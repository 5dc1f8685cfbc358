import { createHash } from 'node:crypto';
import { SallyportError } from '../base/errors.ts';
import { faultOfSignature } from '../base/ssh-key-signature.ts';
import { SshWire, sshString } from '../base/ssh-wire.ts';
import { decodeBase64 } from './strict-base64.ts';

/*
 * Files that `ssh-keygen -Y sign` writes (OpenSSH, PROTOCOL.sshsig): an SSH key's signature over a file, for one purpose,
 * which is its namespace.
 */

const MAGIC = Buffer.from('SSHSIG');
const VERSION = 1;
const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
/** An RSA key of 16384 bits and its signature stay far below this. */
const MAX_CHARACTERS = 16_384;

/** Who signed: the key in wire format, and as a line of an `authorized_keys` or `allowed_signers` file has it. */
export interface SshSigner {
  readonly blob: Buffer;
  readonly line: string;
}

/**
 * The key that signed `message` for the purpose `namespace`. Whose key that is, the caller has to find out. Throws
 * SIGNATURE_INVALID for anything that `ssh-keygen -Y verify` would not take, and for hashes other than SHA-2.
 */
export function verifySshSignature(armored: string, message: Uint8Array, namespace: string): SshSigner {
  const { blob, namespace: signedFor, reserved, hash, signature } = fieldsOf(armored);
  if (signedFor !== namespace) throw invalid(`it was made for ${JSON.stringify(signedFor.slice(0, 40))} and not for "${namespace}"`);
  if (reserved.length > 0) throw invalid('a field in it is in use that has no meaning yet');
  if (hash !== 'sha512' && hash !== 'sha256') throw invalid('it uses a hash that is not accepted: sha512 and sha256 are');
  const digest = createHash(hash).update(message).digest();
  const signed = Buffer.concat([MAGIC, sshString(namespace), sshString(reserved), sshString(hash), sshString(digest)]);
  const fault = faultOfSignature(blob, signature, signed);
  if (fault !== undefined) throw invalid(fault);
  return { blob, line: lineOf(blob) };
}

/** The key that a signature says has made it, as a line. Nothing is verified. Throws SIGNATURE_INVALID. */
export function signatureKey(armored: string): string {
  return lineOf(fieldsOf(armored).blob);
}

function fieldsOf(armored: string) {
  const fields = new SshWire(unarmored(armored));
  const magic = fields.raw(MAGIC.length);
  const version = fields.uint32();
  const blob = fields.string();
  const namespace = fields.string()?.toString('utf8');
  const reserved = fields.string();
  const hash = fields.string()?.toString('latin1');
  const signature = fields.string();
  if (magic?.equals(MAGIC) !== true || version === undefined) throw invalid('it is not a signature of ssh-keygen');
  if (version !== VERSION) throw invalid(`it has version ${version}, and only version ${VERSION} is known`);
  if (blob === undefined || namespace === undefined || reserved === undefined || hash === undefined || signature === undefined)
    throw invalid('it is cut off');
  if (!fields.ended) throw invalid('something follows it');
  return { blob, namespace, reserved, hash, signature };
}

function lineOf(blob: Buffer): string {
  const type = new SshWire(blob).string()?.toString('latin1') ?? '';
  return `${type} ${blob.toString('base64')}`;
}

function unarmored(armored: string): Buffer {
  if (armored.length > MAX_CHARACTERS) throw invalid('it is too long');
  const lines = armored.replaceAll('\r\n', '\n').replace(/\n+$/, '').split('\n');
  if (lines.at(0) !== BEGIN || lines.at(-1) !== END || lines.length < 3) throw invalid(`it is not one block from "${BEGIN}" to "${END}"`);
  return decodeBase64(lines.slice(1, -1).join('')) ?? notBase64();
}

function notBase64(): never {
  throw invalid('what stands in it is not base64');
}

function invalid(what: string): SallyportError {
  return new SallyportError('SIGNATURE_INVALID', `The signature is not good: ${what}`, {
    remedy: 'sign the file that is meant, unchanged, with ssh-keygen -Y sign',
  });
}
