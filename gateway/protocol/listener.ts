/** What every protocol's listener looks like from outside. */
export interface Listener {
  readonly protocol: string;
  /** `host:port` as bound, the port being the real one. */
  readonly address: string;
  /** SHA-256 of the certificate that it shows, where it has one. */
  readonly fingerprint?: string;
  /** Accepts nothing new from now on; what is connected goes on. */
  close(): Promise<void>;
}
