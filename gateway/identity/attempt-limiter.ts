import { networkOf } from '../base/ip-address.ts';

export interface AttemptLimits {
  /** Failures that lock a source out; 0 never does. */
  readonly failures: number;
  /** Seconds within which they count. */
  readonly withinSeconds: number;
  /** Seconds for which the source is locked out. */
  readonly forSeconds: number;
  /** Sources that are remembered, of those failing and of those locked out each. */
  readonly sources?: number;
}

const DEFAULT_SOURCES = 16_384;

/**
 * Locks a source out that failed too often. Times are milliseconds of a clock that never goes back.
 *
 * Memory is bounded whatever comes: when there are more sources than are remembered, the one that has been quiet for
 * longest is forgotten, and the lock that would end first. Who can spread attempts over that many networks gains
 * attempts at guessing a public key's private half, which is nothing.
 */
export class AttemptLimiter {
  readonly #limits: Required<AttemptLimits>;
  /** Moments of the latest failures, oldest first. The map is in the order of the latest failure. */
  readonly #failing = new Map<string, number[]>();
  /** When each lock ends. All last equally long, so the map is in the order of ending. */
  readonly #locked = new Map<string, number>();

  constructor(limits: AttemptLimits) {
    this.#limits = { sources: DEFAULT_SOURCES, ...limits };
  }

  /** Whether an attempt of this source is looked at at all. */
  allows(source: string, nowMs: number): boolean {
    const network = networkOf(source);
    const until = this.#locked.get(network);
    if (until === undefined) return true;
    if (nowMs < until) return false;
    this.#locked.delete(network);
    return true;
  }

  /** An attempt was refused. True when this one locked the source out, which is worth a line in the log. */
  failed(source: string, nowMs: number): boolean {
    const { failures, withinSeconds, forSeconds, sources } = this.#limits;
    const network = networkOf(source);
    if (failures === 0 || !this.allows(source, nowMs)) return false;
    const recent = (this.#failing.get(network) ?? []).filter((moment) => nowMs - moment < withinSeconds * 1000);
    recent.push(nowMs);
    this.#failing.delete(network);
    if (recent.length < failures) {
      this.#failing.set(network, recent);
      forgetBeyond(this.#failing, sources);
      return false;
    }
    this.#locked.set(network, nowMs + forSeconds * 1000);
    forgetBeyond(this.#locked, sources);
    return true;
  }

  /** Somebody who is known came in from there: what failed before was a mistake. A lock stays. */
  succeeded(source: string): void {
    this.#failing.delete(networkOf(source));
  }

  /** Sources remembered now, of both sorts. */
  get remembered(): number {
    return this.#failing.size + this.#locked.size;
  }
}

/** Removes the oldest entries. */
function forgetBeyond(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}
