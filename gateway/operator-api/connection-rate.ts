import { networkOf } from '../base/ip-address.ts';

/** Sources that are remembered. Beyond this the one that has been quiet for longest starts afresh. */
const MAX_SOURCES = 4096;

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds on the monotonic clock. */
  at: number;
}

/**
 * How many connections one source, and all of them together, may open in a time. Each handshake takes the main thread a
 * moment in which it relays for nobody; so a flood of them costs the flood, and not the sessions.
 */
export class ConnectionRate {
  readonly #perSource: Rate;
  readonly #together: Rate;
  readonly #all: Bucket;
  readonly #sources = new Map<string, Bucket>();

  constructor(perSource: Rate, together: Rate) {
    this.#perSource = perSource;
    this.#together = together;
    this.#all = { tokens: together.burst, at: 0 };
  }

  allows(address: string, now: number): boolean {
    const source = networkOf(address);
    const bucket = this.#sources.get(source) ?? { tokens: this.#perSource.burst, at: now };
    this.#sources.delete(source);
    this.#sources.set(source, bucket);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > MAX_SOURCES && oldest !== undefined) this.#sources.delete(oldest);
    // What a source is refused does not count against the others.
    return take(bucket, this.#perSource, now) && take(this.#all, this.#together, now);
  }
}

function take(bucket: Bucket, { perSecond, burst }: Rate, now: number): boolean {
  bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}
