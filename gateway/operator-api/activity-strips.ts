/** Sessions whose strips are kept: a few megabytes. */
const MOST_KEPT = 20_000;

/** What was read of sessions' activity, until it is read of so many others that the first asked for goes. */
export class ActivityStrips {
  readonly #strips = new Map<string, { readonly as: string; readonly strip: Uint8Array }>();

  /** `as`: how far the session was when it was read. */
  get(session: string, as: string): number[] | undefined {
    const kept = this.#strips.get(session);
    if (kept?.as !== as) return undefined;
    this.#strips.delete(session);
    this.#strips.set(session, kept);
    return [...kept.strip];
  }

  set(session: string, as: string, strip: readonly number[]): void {
    this.#strips.delete(session);
    this.#strips.set(session, { as, strip: Uint8Array.from(strip) });
    if (this.#strips.size <= MOST_KEPT) return;
    const [oldest] = this.#strips.keys();
    if (oldest !== undefined) this.#strips.delete(oldest);
  }
}
