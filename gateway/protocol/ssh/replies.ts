/**
 * Replies to requests have no number: the n-th reply answers the n-th request that wanted one (RFC 4254 sections 4 and
 * 5.4). Some requests are passed on and some are answered here, so what is answered here has to wait for its turn.
 */
export class ReplyOrder {
  readonly #send: (reply: Buffer) => void;
  #slots: Slot[] = [];
  #passed = 0;

  constructor(send: (reply: Buffer) => void) {
    this.#send = send;
  }

  get outstanding(): number {
    return this.#slots.length;
  }

  /** The request is passed on: the other side's reply will be `arrived`, and `seen` is told of it. */
  passedOn(seen?: (reply: Buffer) => void): void {
    this.#passed += 1;
    this.#slots.push({ reply: undefined, seen, passed: this.#passed });
  }

  /** The request keeps its place among the others, and whether it is passed on or answered here is decided later. */
  deferred(): { passedOn(): void; answered(reply: Buffer): void } {
    const slot: Slot = { reply: undefined, seen: undefined, passed: undefined };
    this.#slots.push(slot);
    return {
      passedOn: () => {
        this.#passed += 1;
        slot.passed = this.#passed;
      },
      answered: (reply) => {
        slot.reply = reply;
        this.#flush();
      },
    };
  }

  /** The request is answered here. */
  answered(reply: Buffer): void {
    this.#slots.push({ reply, seen: undefined, passed: undefined });
    this.#flush();
  }

  /** A reply from the other side. False when nothing was asked. */
  arrived(reply: Buffer): boolean {
    // The other side answers in the order in which it was asked, which is not that of the slots where one was deferred.
    let slot: Slot | undefined;
    for (const candidate of this.#slots) {
      if (candidate.reply !== undefined || candidate.passed === undefined) continue;
      if (slot === undefined || candidate.passed < (slot.passed ?? 0)) slot = candidate;
    }
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
  /** The how many-th that was passed on; undefined while it was not. */
  passed: number | undefined;
}
