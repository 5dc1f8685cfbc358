import ssh2, { type PublicKeyAuthContext } from 'ssh2';
import { identifyKey, methodOf } from '../../session/authenticate.ts';
import type { Authenticated } from '../../session/session.ts';
import type { SessionParts } from '../../session/session-parts.ts';
import { onlyKey } from './host-key.ts';

/** `would`: this key or certificate would do, and the client may sign with it. */
export type Judgement =
  | { readonly would: true }
  | { readonly who: Authenticated; readonly would?: never }
  | { readonly refused: string; readonly method: string; readonly key: string; readonly who?: never; readonly would?: never };

/** RFC 8332 section 3: ssh2 tells the hash where the client named the algorithm. */
const rsaSignatures: Readonly<Record<string, string>> = { sha256: 'rsa-sha2-256', sha512: 'rsa-sha2-512' };

/** Says what comes of a key or a certificate that a client offers, or has signed with. Whether SHA-1 is taken is up to `weakAlgorithms`. */
export function judgeOfferedKey(
  context: PublicKeyAuthContext,
  { user, source }: { readonly user: string; readonly source: string },
  weakAlgorithms: readonly string[],
  parts: SessionParts,
): Judgement {
  const { algo, data } = context.key;
  // A message that is cut off in the middle of them comes without, whatever ssh2's types say.
  if (typeof algo !== 'string' || !Buffer.isBuffer(data)) return { refused: 'the key is missing', method: 'publickey', key: '' };
  const offer = { protocol: 'ssh', user, source, algorithm: algo, blob: data };
  const method = methodOf(offer);
  const identified = identifyKey(offer, parts);
  if (identified.who === undefined) return { refused: identified.refused, method, key: identified.fingerprint };
  if (context.signature === undefined) {
    // Which keys would do is what a client may ask before it signs (RFC 4252 section 7). The answer has to name the
    // algorithm that was asked about: told of ssh-rsa, Dropbear signs with SHA-1.
    if (algo === 'ssh-rsa' && context.hashAlgo !== undefined) context.key.algo = rsaSignatures[context.hashAlgo] ?? algo;
    return { would: true };
  }
  const { who, faultOfSignature } = identified;
  if (faultOfSignature === undefined ? signatureHolds(context, weakAlgorithms) : certificateSignatureHolds(context, faultOfSignature))
    return { who };
  return { refused: 'the signature does not verify', method, key: who.actor.authentication?.key ?? '' };
}

function signatureHolds({ key, blob, signature, hashAlgo }: PublicKeyAuthContext, weakAlgorithms: readonly string[]): boolean {
  if (blob === undefined || signature === undefined) return false;
  // A plain ssh-rsa signature is SHA-1 (RFC 8332 section 1): off unless named.
  if (key.algo === 'ssh-rsa' && hashAlgo === undefined && !weakAlgorithms.includes('ssh-rsa')) return false;
  const parsed = onlyKey(ssh2.utils.parseKey(key.data));
  return !(parsed instanceof Error) && parsed.verify(blob, signature, hashAlgo) === true;
}

/**
 * ssh2 can't read certificates. It hands over the signature as the client sent it, with its kind in front: it would take off
 * only the name of the certificate's kind, which is never that of a signature.
 */
function certificateSignatureHolds(
  { blob, signature }: PublicKeyAuthContext,
  faultOfSignature: (signature: Buffer, signed: Buffer) => string | undefined,
): boolean {
  return blob !== undefined && signature !== undefined && faultOfSignature(signature, blob) === undefined;
}
