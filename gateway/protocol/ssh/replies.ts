/**
 * Replies to requests have no number: the n-th reply answers the n-th request that wanted one (RFC 4254 sections 4 and
 * 5.4). Some requests are passed on and some are answered here, so what is answered here has to wait for its turn.
 */
export class ReplyOrder {
  readonly #send: (reply: Buffer) => void;
  #slots: Slot[] = [];

  constructor(send: (reply: Buffer) => void) {
    this.#send = send;
  }

  get outstanding(): number {
    return this.#slots.length;
  }

  /** The request is passed on: the other side's reply will be `arrived`, and `seen` is told of it. */
  passedOn(seen?: (reply: Buffer) => void): void {
    this.#slots.push({ reply: undefined, seen });
  }

  /** The request is answered here. */
  answered(reply: Buffer): void {
    this.#slots.push({ reply, seen: undefined });
    this.#flush();
  }

  /** A reply from the other side. False when nothing was asked. */
  arrived(reply: Buffer): boolean {
    const slot = this.#slots.find((candidate) => candidate.reply === undefined);
    if (slot === undefined) return false;
    slot.reply = reply;
    slot.seen?.(reply);
    this.#flush();
    return true;
  }

  #flush(): void {
    for (let first = this.#slots[0]; first?.reply !== undefined; first = this.#slots[0]) {
      this.#slots.shift();
      this.#send(first.reply);
    }
  }
}

interface Slot {
  reply: Buffer | undefined;
  seen: ((reply: Buffer) => void) | undefined;
}
