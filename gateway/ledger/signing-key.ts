import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SallyportError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';

/** Reads an Ed25519 private key in PKCS#8 PEM. `source` names where it comes from. Throws LEDGER_KEY_INVALID. */
export function parseSigningKey(pem: Secret, source: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem.reveal(), format: 'pem' });
  } catch {
    // The reason of OpenSSL is not told: it may repeat what it could not read.
    throw invalidKey(source, 'holds no private key in PEM that can be read without a passphrase');
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw invalidKey(source, `holds a key of type ${key.asymmetricKeyType ?? 'unknown'}, not ed25519`);
  return key;
}

/** A new key, as `openssl genpkey -algorithm ed25519` makes it. */
export function makeSigningKey(): { key: KeyObject; pem: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { key: privateKey, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

export function invalidKey(source: string, what: string): SallyportError {
  return new SallyportError('LEDGER_KEY_INVALID', `The ledger's signing key: ${source} ${what}`, {
    remedy: 'make one with: openssl genpkey -algorithm ed25519',
  });
}
