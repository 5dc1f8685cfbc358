import { createHash, timingSafeEqual } from 'node:crypto';
import type { Principal } from './principal.ts';
import { fingerprintOf } from './ssh-public-key.ts';

/** A public key that a client offers, and the name that it gives. Who somebody is comes from the key alone. */
export interface OfferedSshKey {
  readonly principals: ReadonlyMap<string, Principal>;
  /** What the client gave as its user name: it says where to, and is never a reason to refuse here. */
  readonly user: string;
  /** As the client names it: `ssh-ed25519`, and for RSA the name of the key or of a signature of it. */
  readonly keyAlgorithm: string;
  /** The key in the wire format of RFC 4253 section 6.6. */
  readonly keyBlob: Uint8Array;
}

/**
 * `refused` is for the record and the log. What the client is told must not depend on it: a stranger, a wrong key and a
 * disabled principal look alike from outside.
 */
export type SshIdentification =
  | { readonly principal: Principal; readonly fingerprint: string }
  | { readonly refused: string; readonly fingerprint: string; readonly principal?: undefined };

interface ListedKey {
  readonly digest: Buffer;
  readonly algorithm: string;
  readonly principal: Principal;
}

/** RFC 8332 section 3: signatures of an `ssh-rsa` key have names of their own. */
const namesOfRsa = ['ssh-rsa', 'rsa-sha2-256', 'rsa-sha2-512'];

// A configuration never changes in place, so that its keys are gathered once.
const gathered = new WeakMap<ReadonlyMap<string, Principal>, readonly ListedKey[]>();

/** Whose key this is. The signature, that the client also holds its private half, is the listener's to verify. */
export function identifySshKey({ principals, keyAlgorithm, keyBlob }: OfferedSshKey): SshIdentification {
  const fingerprint = fingerprintOf(keyBlob);
  const offered = digestOf(keyBlob);
  // Every listed key is compared, in constant time and whatever was found before: neither how much of a key is right
  // nor whose it is can be read from the time.
  let owner: ListedKey | undefined;
  for (const listed of listedKeys(principals)) {
    if (timingSafeEqual(listed.digest, offered)) owner = listed;
  }
  if (owner === undefined) return { refused: 'no principal has this key', fingerprint };
  const names = owner.algorithm === 'ssh-rsa' ? namesOfRsa : [owner.algorithm];
  if (!names.includes(keyAlgorithm)) return { refused: 'the name of the algorithm does not fit the key', fingerprint };
  const refused = reasonAgainst(owner.principal, principals);
  return refused === undefined ? { principal: owner.principal, fingerprint } : { refused, fingerprint };
}

/** Why a known principal may not enter; an agent may not when the human for whom it acts may not. */
export function reasonAgainst(principal: Principal, principals: ReadonlyMap<string, Principal>): string | undefined {
  if (principal.disabled) return `${principal.name} is disabled`;
  if (principal.kind === 'human') return undefined;
  const human = principal.onBehalfOf === undefined ? undefined : principals.get(principal.onBehalfOf);
  if (human === undefined || human.kind !== 'human') return `${principal.name} acts for nobody who is known`;
  return human.disabled ? `${principal.name} acts for ${human.name}, who is disabled` : undefined;
}

function listedKeys(principals: ReadonlyMap<string, Principal>): readonly ListedKey[] {
  const known = gathered.get(principals);
  if (known !== undefined) return known;
  const keys = [...principals.values()].flatMap((principal) =>
    principal.sshKeys.map(({ blob, algorithm }) => ({ digest: digestOf(blob), algorithm, principal })),
  );
  gathered.set(principals, keys);
  return keys;
}

/** Equal lengths make the comparison independent of the length of a key. */
function digestOf(blob: Uint8Array): Buffer {
  return createHash('sha256').update(blob).digest();
}
