import type { Actor } from '../../contract/record.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Principal } from '../identity/principal.ts';
import { verifySshSignature } from '../ledger/ssh-signature.ts';
import { ERASE_NAMESPACE, refused } from './erase-request.ts';

export interface GivenSignature {
  /** The public key as a line, of whoever the caller says has signed. */
  readonly key: string;
  /** As `ssh-keygen -Y sign` wrote it. */
  readonly signature: string;
}

export interface SignedBy {
  readonly principal: Actor['principal'];
  readonly key: string;
  readonly signature: string;
}

const NEEDED = 2;

/**
 * Whose signatures these are. Throws ERASE_REFUSED unless they are of at least two different humans who are admins by
 * the configuration in force: all of them, so that no signature is in the record that proves nothing.
 */
export function requestSigners(document: string, given: readonly GivenSignature[], principals: ReadonlyMap<string, Principal>): SignedBy[] {
  const signers = new Map<string, SignedBy>();
  for (const [index, { key, signature }] of given.entries()) {
    const which = `signature ${index + 1}`;
    const signed = verified(document, signature, which);
    if (withoutComment(key) !== signed.line) throw refused(`${which} was not made with the key that is said to have made it`);
    const principal = ownerOf(signed.blob, principals);
    if (principal === undefined) throw refused(`${which} was made with a key that belongs to nobody in the configuration`);
    if (principal.disabled) throw refused(`${which} is of ${principal.name}, who is disabled`);
    if (principal.kind !== 'human' || !principal.operator.includes('admin'))
      throw refused(`${which} is of ${principal.name}, who is not a human with the operator role admin`);
    if (signers.has(principal.name)) throw refused(`${principal.name} signed twice, and two different people have to`);
    signers.set(principal.name, { principal: principal.name, key: signed.line, signature });
  }
  if (signers.size < NEEDED)
    throw refused(`two different admins have to sign it, and ${signers.size} did`, 'have somebody else sign it as well');
  return [...signers.values()];
}

function verified(document: string, signature: string, which: string) {
  try {
    return verifySshSignature(signature, Buffer.from(document, 'utf8'), ERASE_NAMESPACE);
  } catch (thrown) {
    const { message, remedy } = asSallyportError(thrown);
    throw new SallyportError('SIGNATURE_INVALID', `${which}: ${message}`, { cause: thrown, ...(remedy === undefined ? {} : { remedy }) });
  }
}

function ownerOf(blob: Buffer, principals: ReadonlyMap<string, Principal>): Principal | undefined {
  for (const principal of principals.values()) if (principal.sshKeys.some((key) => key.blob.equals(blob))) return principal;
  return undefined;
}

function withoutComment(line: string): string {
  return line
    .trim()
    .split(/[ \t]+/)
    .slice(0, 2)
    .join(' ');
}
