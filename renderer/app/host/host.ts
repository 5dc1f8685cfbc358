import type { DesktopSettings } from '../../../contract/desktop-bridge.ts';
import type { RecordingTransport } from '../../../contract/replay/recording-transport.ts';
import type { LoginStatement, SignedStatement } from '../../../contract/signed-statements.ts';

/** What differs between a browser and the desktop app. Everything else is the same in both. */
export interface Host {
  readonly kind: 'browser' | 'desktop';
  readonly transport: HostTransport;
  readonly signer: Signer;
  readonly door: HostDoor;
  /** Fetches what stands at `path` of the gateway into a file of the person's choice. Rejects with a `Problem`-like answer's words. */
  save(name: string, path: string): Promise<void>;
  /** Outside the window; does nothing where the person has not allowed it. */
  notify(notice: Notice): void;
  /** A deep link or a file was opened while the app runs. Returns how to stop listening. */
  onOpened(listener: (opened: Opened) => void): () => void;
  copy(text: string): Promise<void>;
  /** A link that leads to this place of the app from anywhere. */
  linkTo(route: string): string;
  /** What only the desktop app has to be set. */
  readonly preferences?: Preferences;
}

export interface Preferences {
  read(): Promise<DesktopSettings>;
  /** What weakens the app is asked outside of the page; the answer is what is in force then. */
  change(change: Partial<DesktopSettings>): Promise<DesktopSettings>;
  /** How well keys and log-ins are kept on this device. */
  protection(): Promise<'protected' | 'unprotected' | 'unavailable'>;
}

export interface Notice {
  readonly title: string;
  readonly body: string;
  /** Where a click leads. */
  readonly route: string;
  /** One of the same replaces the one before. */
  readonly tag: string;
}

export type Opened = { readonly route: string } | { readonly bundle: BundleFile };

/** A bundle that is read piece by piece: it may be larger than memory. */
export interface BundleFile {
  readonly name: string;
  readonly size: number;
  read(at: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The same, where a worker can read it without going through the window. */
  readonly blob?: Blob;
  /** Nobody reads it any more. */
  close?(): Promise<void> | void;
}

export interface HostTransport extends Omit<RecordingTransport, 'connect'> {
  /** What stands at a path, as bytes: tiles of the ledger. Rejects for anything but an answer of 200. Undefined where it brings text alone. */
  bytes?(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Opens a WebSocket; binary messages come as bytes. `closed` is called once, also when it could not be opened. */
  connect(path: string, events: HostSocketEvents): { close(): void };
}

export interface HostSocketEvents {
  message(data: string | Uint8Array<ArrayBuffer>): void;
  closed(code: number, reason: string): void;
}

export interface SigningKey {
  /** As a line of an `authorized_keys` file, without a comment. */
  readonly line: string;
  /** `SHA256:` and unpadded base64. */
  readonly fingerprint: string;
}

export class NoSigningKey extends Error {
  constructor() {
    super('There is no signing key on this device yet.');
    this.name = 'NoSigningKey';
  }
}

/** The operator's key on this device. Its private part is never seen by the app. */
export interface Signer {
  /** Undefined: there is none on this device. */
  key(): Promise<SigningKey | undefined>;
  create(): Promise<SigningKey>;
  /** Armoured SSHSIG over the text of the statement. Throws NoSigningKey when there is none. */
  sign(statement: SignedStatement | LoginStatement): Promise<{ readonly key: string; readonly signature: string }>;
  forget(): Promise<void>;
}

export interface KnownGateway {
  readonly id: string;
  readonly name: string;
  readonly origin: string;
  /** SHA-256 of the pinned certificate; undefined where the browser looks after that. */
  readonly fingerprint: string | undefined;
  readonly current: boolean;
}

/** How people get in. What a browser cannot do is undefined there. */
export interface HostDoor {
  gateways(): Promise<readonly KnownGateway[]>;
  /** Where the browser goes for the identity provider, and comes back to `route`. */
  providerLogin(route: string): Promise<void>;
  /** A one-time code, for example of `sallyport console`; also a whole link with one in it. */
  codeLogin(code: string): Promise<void>;
  /** With the signing key of this device, where it is registered. */
  keyLogin(operator: string): Promise<void>;
  logOut(): Promise<void>;
  /** A code that came with the address the app was opened by. It is told once. */
  takeCode(): string | undefined;
  readonly desktop?: DesktopDoor;
}

export interface DesktopDoor {
  /** Looks at the certificate of a gateway that is not known yet. */
  look(
    address: string,
  ): Promise<{ readonly origin: string; readonly fingerprint: string; readonly subject: string; readonly validTo: string }>;
  /** Trusts exactly this certificate from now on, and uses the gateway. */
  trust(origin: string, fingerprint: string, name: string): Promise<void>;
  use(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** Undefined where this installation has no gateway of its own to start. */
  readonly startDemo?: () => Promise<void>;
}
