/** Bytes of one channel's messages that may wait before the client is not read any more. */
const HIGH_WATER = 1024 * 1024;

/** What a client goes on to say on a channel while something before it waits for consent: kept in order. */
export class HeldMessages {
  readonly #withdrawn = new AbortController();
  #messages: Buffer[] = [];
  #bytes = 0;

  /** Aborts when nobody waits for the consent any more. */
  get signal(): AbortSignal {
    return this.#withdrawn.signal;
  }

  get full(): boolean {
    return this.#bytes >= HIGH_WATER;
  }

  add(message: Buffer): void {
    // A copy: what a transport hands over is its own until it reads again.
    this.#messages.push(Buffer.from(message));
    this.#bytes += message.length;
  }

  take(): Buffer[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return messages;
  }

  withdraw(reason: string): void {
    this.#withdrawn.abort(new Error(reason));
  }
}
