import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, syncDirectory } from './durable-file.ts';
import { isMissing } from './read-at-most.ts';

/** Where the key of the ledger is that nobody configured. */
export function ledgerKeyFile(dataDirectory: string): string {
  return join(dataDirectory, 'keys', 'ledger.key');
}

/** Makes that key, as `openssl genpkey -algorithm ed25519` does. It is durable before anything is signed with it. */
export async function makeLedgerKey(dataDirectory: string): Promise<void> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await replaceFile(ledgerKeyFile(dataDirectory), pem, 0o600);
  await syncDirectory(join(dataDirectory, 'keys'));
}

/**
 * Keeps the public side of the signing key at hand, wherever the key itself is: `keys/ledger.pub`, the verifier key in
 * one line, and `keys/ledger.pem`, for openssl.
 */
export async function publishLedgerKey(dataDirectory: string, verifierKey: string, key: KeyObject): Promise<void> {
  const publicKey = key.type === 'public' ? key : createPublicKey(key);
  const files = { 'ledger.pub': `${verifierKey}\n`, 'ledger.pem': publicKey.export({ type: 'spki', format: 'pem' }).toString() };
  const directory = join(dataDirectory, 'keys');
  for (const [name, text] of Object.entries(files)) {
    const file = join(directory, name);
    const there = await readFile(file, 'utf8').catch((thrown: unknown) =>
      isMissing(thrown) ? undefined : Promise.reject(thrown as Error),
    );
    if (there !== text) await replaceFile(file, text, 0o644);
  }
  await syncDirectory(directory);
}
