/** Work that is done one after the other, in the order in which it was asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined); // That it failed is told to whoever asked for it.
    return mine;
  }

  /** Resolves when everything that was asked for by now is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
