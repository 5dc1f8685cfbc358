import { FRESH_SECONDS, SKEW_SECONDS } from './oidc-token.ts';

/** More log-ins than this within the time that a token is fresh, and further ones have to wait. */
const MOST = 10_000;

/**
 * An ID token logs in once. Those that were used are remembered for as long as they could be used again; those of
 * before this memory began are refused, because a gateway that was restarted does not know which of them were used.
 * Every one here was signed by the provider, so strangers cannot fill it.
 */
export class UsedTokens {
  /** Fingerprint → second until which it is remembered. In the order of use, which is nearly that of ending. */
  readonly #used = new Map<string, number>();
  readonly #since: number;
  readonly #most: number;

  constructor(nowMs: number, most: number = MOST) {
    this.#since = Math.floor(nowMs / 1000);
    this.#most = most;
  }

  /** Uses a token; says why it cannot be used. `issued` is its `iat`. */
  use(fingerprint: string, issued: number, nowMs: number): string | undefined {
    const now = Math.floor(nowMs / 1000);
    if (this.#used.has(fingerprint)) return 'the ID token was used before';
    if (issued < this.#since) return 'the ID token was issued before the gateway started: log in once more';
    this.#forget(now);
    if (this.#used.size >= this.#most) return 'too many people have logged in within minutes: wait a little';
    this.#used.set(fingerprint, issued + FRESH_SECONDS + SKEW_SECONDS);
    return undefined;
  }

  /** An entry that ends early but stands behind one that ends late stays a little longer; that is all. */
  #forget(now: number): void {
    for (const [fingerprint, until] of this.#used) {
      if (until >= now) return;
      this.#used.delete(fingerprint);
    }
  }
}
