import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Environment, readSecret } from '../identity/read-secret.ts';
import { describeReference, type SecretReference } from '../identity/secret-reference.ts';

/** What the section `ledger` says. */
export interface LedgerConfig {
  /** Which ledger this is, in its checkpoints; made up at the first start unless configured. */
  readonly origin?: string;
  /** What signs the checkpoints; `keys/ledger.key` in the data directory unless configured. */
  readonly key?: SecretReference;
  /** What signed them before, so that it can endorse the new key. `lost`: nobody has it any more. */
  readonly formerKey?: SecretReference | 'lost';
}

/** An Ed25519 private key in PEM, or what stands against using it. */
export function readLedgerKey(
  reference: SecretReference,
  environment: Environment = process.env,
): { readonly key: KeyObject } | { readonly problem: string; readonly mend: string } {
  const secret = readSecret(reference, environment);
  if ('problem' in secret) return secret;
  const make = 'Make one, and let only the user of the gateway read it: openssl genpkey -algorithm ed25519 -out FILE.';
  let key: KeyObject;
  try {
    key = createPrivateKey(secret.value);
  } catch {
    // The reason that OpenSSL gives is not told: it might repeat what it could not read.
    return secret.value.includes('ENCRYPTED')
      ? {
          problem: `${describeReference(reference)} holds an encrypted private key`,
          mend: 'Take the passphrase off, and let only the user of the gateway read it: openssl pkey -in FILE -out NEW.',
        }
      : { problem: `${describeReference(reference)} holds no private key in PEM`, mend: make };
  }
  if (key.asymmetricKeyType === 'ed25519') return { key };
  return { problem: `${describeReference(reference)} holds a key of type ${key.asymmetricKeyType ?? 'unknown'}, not ed25519`, mend: make };
}
