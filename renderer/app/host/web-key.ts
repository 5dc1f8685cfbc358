import { type LoginStatement, loginText, type SignedStatement, statementText } from '../../../contract/signed-statements.ts';
import {
  armour,
  ecdsaKeyBlob,
  ecdsaSignatureBlob,
  ed25519KeyBlob,
  ed25519SignatureBlob,
  keyFingerprint,
  keyLine,
  signedData,
} from '../../../contract/sshsig.ts';
import { NoSigningKey, type Signer, type SigningKey } from './host.ts';

const DATABASE = 'sallyport';
const STORE = 'keys';
const SLOT = 'signing';
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' } as const;

type Algorithm = 'Ed25519' | 'ECDSA';

/**
 * A key of WebCrypto that cannot be exported, kept in the browser's own database: pages of this origin can have it sign,
 * and nobody can copy it. Ed25519 where the browser has it (Chrome 137, Firefox 129, Safari 17), else ECDSA with P-256.
 */
export class WebKey implements Signer {
  async key(): Promise<SigningKey | undefined> {
    const pair = await storedPair();
    return pair === undefined ? undefined : describe(pair);
  }

  async create(): Promise<SigningKey> {
    const pair = (await storedPair()) ?? (await generatePair());
    await inStore('readwrite', (store) => store.put(pair, SLOT));
    return describe(pair);
  }

  async sign(statement: SignedStatement | LoginStatement): Promise<{ key: string; signature: string }> {
    const pair = await storedPair();
    if (pair === undefined) throw new NoSigningKey();
    const { namespace, text } = statement.kind === 'login' ? loginText(statement) : statementText(statement);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-512', new TextEncoder().encode(text)));
    const data = signedData(namespace, digest);
    const blob = await publicBlob(pair);
    if (algorithmOf(pair) === 'Ed25519') {
      const raw = new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, data));
      return { key: keyLine(blob), signature: armour(blob, namespace, ed25519SignatureBlob(raw)) };
    }
    const raw = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, data));
    return { key: keyLine(blob), signature: armour(blob, namespace, ecdsaSignatureBlob(raw)) };
  }

  async forget(): Promise<void> {
    await inStore('readwrite', (store) => store.delete(SLOT));
  }
}

async function generatePair(): Promise<CryptoKeyPair> {
  try {
    return await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  } catch (thrown) {
    if (!(thrown instanceof DOMException && thrown.name === 'NotSupportedError')) throw thrown;
    return crypto.subtle.generateKey(ECDSA, false, ['sign', 'verify']);
  }
}

function algorithmOf({ privateKey }: CryptoKeyPair): Algorithm {
  return privateKey.algorithm.name === 'ECDSA' ? 'ECDSA' : 'Ed25519';
}

async function publicBlob(pair: CryptoKeyPair): Promise<Uint8Array<ArrayBuffer>> {
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return algorithmOf(pair) === 'ECDSA' ? ecdsaKeyBlob(raw) : ed25519KeyBlob(raw);
}

async function describe(pair: CryptoKeyPair): Promise<SigningKey> {
  const blob = await publicBlob(pair);
  return { line: keyLine(blob), fingerprint: keyFingerprint(new Uint8Array(await crypto.subtle.digest('SHA-256', blob))) };
}

async function storedPair(): Promise<CryptoKeyPair | undefined> {
  return (await inStore('readonly', (store) => store.get(SLOT))) as CryptoKeyPair | undefined;
}

async function inStore(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const database = await openDatabase();
  try {
    const transaction = database.transaction(STORE, mode);
    const request = ask(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener('complete', () => resolve());
      transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('The browser could not keep the key.')));
    });
    return request.result;
  } finally {
    database.close();
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE));
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('The browser keeps nothing for this page.')));
  });
}
