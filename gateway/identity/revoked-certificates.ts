/** Serial numbers of the gateway's own certificates that are revoked and not expired by themselves. */
export class RevokedCertificates {
  readonly #serials: Set<string>;

  /** Those that were revoked before this start. */
  constructor(serials: Iterable<string>) {
    this.#serials = new Set(serials);
  }

  has(serial: string): boolean {
    return this.#serials.has(serial);
  }

  add(serial: string): void {
    this.#serials.add(serial);
  }
}
