import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { KeyInfo } from '../../contract/desktop-bridge.ts';
import { armour, ed25519KeyBlob, ed25519SignatureBlob, keyFingerprint, keyLine, signedData } from '../../contract/sshsig.ts';
import { DesktopError } from '../base/desktop-error.ts';
import { KeptFile } from './kept-file.ts';
import type { Secrets } from './secrets.ts';

interface LoadedKey {
  readonly info: KeyInfo;
  readonly blob: Uint8Array;
  readonly private: KeyObject;
}

/** The operator's Ed25519 key on this device. It is on the disk only sealed, and leaves this class only as signatures. */
export class SigningKey {
  readonly #file: KeptFile;
  readonly #secrets: Secrets;
  #loaded: LoadedKey | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, secrets: Secrets) {
    this.#file = new KeptFile(path);
    this.#secrets = secrets;
  }

  /** Undefined when there is none yet. Throws KEY_STORE_UNAVAILABLE, and FILE_FAILED. */
  async info(): Promise<KeyInfo | undefined> {
    return (await this.#inTurn(() => this.#load()))?.info;
  }

  /** The key that there is, or else a new one. */
  create(): Promise<KeyInfo> {
    return this.#inTurn(async () => {
      const there = await this.#load();
      if (there !== undefined) return there.info;
      const { privateKey } = generateKeyPairSync('ed25519');
      await this.#file.write(await this.#secrets.seal(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()));
      this.#loaded = loaded(privateKey);
      return this.#loaded.info;
    });
  }

  /** Armoured SSHSIG over this text. Throws NOT_FOUND when there is no key. */
  async sign(text: string, namespace: string): Promise<{ readonly key: string; readonly signature: string }> {
    const key = await this.#inTurn(() => this.#load());
    if (key === undefined)
      throw new DesktopError('NOT_FOUND', 'This device has no signing key', { remedy: 'make one in Settings, and register it there' });
    const data = signedData(namespace, createHash('sha512').update(text, 'utf8').digest());
    const signature = armour(key.blob, namespace, ed25519SignatureBlob(sign(null, data, key.private)));
    return { key: key.info.line, signature };
  }

  forget(): Promise<void> {
    return this.#inTurn(async () => {
      this.#loaded = undefined;
      await this.#file.remove();
    });
  }

  async #load(): Promise<LoadedKey | undefined> {
    if (this.#loaded !== undefined) return this.#loaded;
    const sealed = await this.#file.read();
    if (sealed === undefined) return undefined;
    const pem = await this.#secrets.open(sealed);
    try {
      this.#loaded = loaded(createPrivateKey(pem));
    } catch (cause) {
      throw new DesktopError('KEY_STORE_UNAVAILABLE', `${this.#file.path} holds no signing key of this app`, {
        remedy: 'forget the key in Settings and make a new one',
        cause,
      });
    }
    return this.#loaded;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function loaded(privateKey: KeyObject): LoadedKey {
  const { crv, x } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (crv !== 'Ed25519' || x === undefined) throw new TypeError('it is not an Ed25519 key');
  const blob = ed25519KeyBlob(Buffer.from(x, 'base64url'));
  const info = { line: keyLine(blob), fingerprint: keyFingerprint(createHash('sha256').update(blob).digest()) };
  return { info, blob, private: privateKey };
}
