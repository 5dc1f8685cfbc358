import { UsedOnce } from '../base/used-once.ts';
import { FRESH_SECONDS, SKEW_SECONDS } from './oidc-token.ts';

/** More log-ins than this within the time that a token is fresh, and further ones have to wait. */
const MOST = 10_000;

/**
 * An ID token logs in once. Those that were used are remembered for as long as they could be used again; those of
 * before this memory began are refused, because a gateway that was restarted does not know which of them were used.
 * Every one here was signed by the provider, so strangers cannot fill it.
 */
export class UsedTokens {
  readonly #used: UsedOnce;
  readonly #since: number;

  constructor(nowMs: number, most: number = MOST) {
    this.#since = Math.floor(nowMs / 1000);
    this.#used = new UsedOnce(most);
  }

  /** Uses a token; says why it cannot be used. `issued` is its `iat`. */
  use(fingerprint: string, issued: number, nowMs: number): string | undefined {
    const now = Math.floor(nowMs / 1000);
    if (this.#used.has(fingerprint)) return 'the ID token was used before';
    if (issued < this.#since) return 'the ID token was issued before the gateway started: log in once more';
    // A second longer than it is fresh: the last moment counts as well.
    const outcome = this.#used.take(fingerprint, issued + FRESH_SECONDS + SKEW_SECONDS + 1, now);
    return outcome === 'full' ? 'too many people have logged in within minutes: wait a little' : undefined;
  }
}
