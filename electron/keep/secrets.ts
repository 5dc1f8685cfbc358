import { DesktopError, messageOf } from '../base/desktop-error.ts';

/** The system's key store, as Electron's `safeStorage` is one. */
export interface SafeStorage {
  isAsyncEncryptionAvailable(): Promise<boolean>;
  encryptStringAsync(text: string): Promise<Buffer>;
  decryptStringAsync(sealed: Buffer): Promise<{ readonly result: string; readonly shouldReEncrypt: boolean }>;
  /** Only on Linux. */
  getSelectedStorageBackend?(): string;
  setUsePlainTextEncryption?(allowed: boolean): void;
}

export type Protection = 'protected' | 'unprotected' | 'unavailable';

/** Linux without a key store: a password that everybody knows. */
const OPEN_BACKENDS: readonly string[] = ['basic_text', 'unknown'];

/** Seals secrets with the system's key store, and refuses to where that is only a show unless the person wants it so. */
export class Secrets {
  readonly #storage: SafeStorage;
  readonly #allowUnprotected: () => boolean;

  constructor(storage: SafeStorage, allowUnprotected: () => boolean) {
    this.#storage = storage;
    this.#allowUnprotected = allowUnprotected;
  }

  async protection(): Promise<Protection> {
    const backend = this.#storage.getSelectedStorageBackend?.();
    if (backend === undefined || !OPEN_BACKENDS.includes(backend))
      return (await this.#storage.isAsyncEncryptionAvailable()) ? 'protected' : 'unavailable';
    if (!this.#allowUnprotected()) return 'unavailable';
    this.#storage.setUsePlainTextEncryption?.(true);
    return (await this.#storage.isAsyncEncryptionAvailable()) ? 'unprotected' : 'unavailable';
  }

  /** Throws KEY_STORE_UNAVAILABLE. */
  async seal(text: string): Promise<Buffer> {
    await this.#requireAvailable();
    try {
      return await this.#storage.encryptStringAsync(text);
    } catch (thrown) {
      throw unavailable(`it could not seal anything: ${messageOf(thrown)}`, thrown);
    }
  }

  /** Throws KEY_STORE_UNAVAILABLE, also for what another key store has sealed. */
  async open(sealed: Buffer): Promise<string> {
    await this.#requireAvailable();
    try {
      return (await this.#storage.decryptStringAsync(sealed)).result;
    } catch (thrown) {
      throw unavailable(`it does not open what was sealed on this device: ${messageOf(thrown)}`, thrown);
    }
  }

  async #requireAvailable(): Promise<void> {
    if ((await this.protection()) === 'unavailable') throw unavailable('there is none, or it is locked');
  }
}

function unavailable(why: string, cause?: unknown): DesktopError {
  return new DesktopError('KEY_STORE_UNAVAILABLE', `The key store of this system cannot be used: ${why}`, {
    remedy:
      'unlock it and try again; on Linux install GNOME Keyring or KWallet, or allow in Settings that keys are kept without protection',
    ...(cause === undefined ? {} : { cause }),
  });
}
