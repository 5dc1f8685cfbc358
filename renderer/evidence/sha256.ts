import { toHex } from './encodings.ts';

/**
 * SHA-256 (FIPS 180-4) without waiting: a ledger is hundreds of thousands of short inputs, and the browser's own digest
 * answers each of them in a turn of its own. Long inputs go to the browser where it has one (`sha256OfLong`).
 */
const CONSTANTS = new Int32Array(64);
const INITIAL = new Int32Array(8);

/** The first 32 bits of the fractional parts of the roots of the first primes (sections 4.2.2 and 5.3.3). */
function fillConstants(): void {
  let found = 0;
  for (let candidate = 2; found < 64; candidate += 1) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) prime = false;
    if (!prime) continue;
    if (found < 8) INITIAL[found] = fraction(Math.sqrt(candidate));
    CONSTANTS[found] = fraction(Math.cbrt(candidate));
    found += 1;
  }
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}

fillConstants();

const schedule = new Int32Array(64);

export function sha256(input: Uint8Array): Uint8Array {
  const state = Int32Array.from(INITIAL);
  const whole = input.length - (input.length % 64);
  compressAll(state, input, whole);
  return finished(state, input.subarray(whole), input.length);
}

/** The same of what comes piece by piece: a file larger than memory, which the browser's own digest wants as a whole. */
export class Sha256Stream {
  readonly #state = Int32Array.from(INITIAL);
  readonly #rest = new Uint8Array(64);
  #held = 0;
  #length = 0;

  push(input: Uint8Array): void {
    this.#length += input.length;
    let from = 0;
    if (this.#held > 0) {
      from = Math.min(64 - this.#held, input.length);
      this.#rest.set(input.subarray(0, from), this.#held);
      this.#held += from;
      if (this.#held < 64) return;
      compressAll(this.#state, this.#rest, 64);
    }
    const rest = input.subarray(from);
    const whole = rest.length - (rest.length % 64);
    compressAll(this.#state, rest, whole);
    this.#rest.set(rest.subarray(whole));
    this.#held = rest.length - whole;
  }

  /** Once, and nothing is pushed after it. */
  hex(): string {
    return toHex(finished(this.#state, this.#rest.subarray(0, this.#held), this.#length));
  }
}

function finished(state: Int32Array, rest: Uint8Array, length: number): Uint8Array {
  const tail = new Uint8Array(rest.length < 56 ? 64 : 128);
  tail.set(rest);
  tail[rest.length] = 0x80;
  const tailView = new DataView(tail.buffer);
  tailView.setUint32(tail.length - 8, Math.floor(length / 2 ** 29));
  tailView.setUint32(tail.length - 4, (length * 8) % 2 ** 32);
  compressAll(state, tail, tail.length);
  const digest = new Uint8Array(32);
  const digestView = new DataView(digest.buffer);
  for (const [index, word] of state.entries()) digestView.setInt32(index * 4, word);
  return digest;
}

/** `length`: a multiple of 64. */
function compressAll(state: Int32Array, input: Uint8Array, length: number): void {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  for (let at = 0; at < length; at += 64) compress(state, view, at);
}

/** WebCrypto as browsers and Node have it. */
export type Subtle = typeof globalThis.crypto.subtle;

/** For inputs of megabytes. Falls back where the browser has no WebCrypto for pages that were opened from a file. */
export async function sha256OfLong(input: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const subtle: Subtle | undefined = globalThis.crypto?.subtle;
  return subtle === undefined ? sha256(input) : new Uint8Array(await subtle.digest('SHA-256', input));
}

/** One block of 64 bytes (section 6.2.2). `at` is an index of these arrays only within their bounds. */
function compress(state: Int32Array, view: DataView, at: number): void {
  const w = schedule;
  for (let t = 0; t < 16; t += 1) w[t] = view.getInt32(at + t * 4);
  for (let t = 16; t < 64; t += 1) {
    const early = word(w, t - 15);
    const late = word(w, t - 2);
    const small0 = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const small1 = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    w[t] = (((small1 + word(w, t - 7)) | 0) + ((small0 + word(w, t - 16)) | 0)) | 0;
  }
  let a = word(state, 0);
  let b = word(state, 1);
  let c = word(state, 2);
  let d = word(state, 3);
  let e = word(state, 4);
  let f = word(state, 5);
  let g = word(state, 6);
  let h = word(state, 7);
  for (let t = 0; t < 64; t += 1) {
    const big1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const choice = (e & f) ^ (~e & g);
    const one = (((h + big1) | 0) + ((choice + word(CONSTANTS, t)) | 0) + word(w, t)) | 0;
    const big0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + big0 + majority) | 0;
  }
  state[0] = (word(state, 0) + a) | 0;
  state[1] = (word(state, 1) + b) | 0;
  state[2] = (word(state, 2) + c) | 0;
  state[3] = (word(state, 3) + d) | 0;
  state[4] = (word(state, 4) + e) | 0;
  state[5] = (word(state, 5) + f) | 0;
  state[6] = (word(state, 6) + g) | 0;
  state[7] = (word(state, 7) + h) | 0;
}

function word(words: Int32Array, index: number): number {
  return words[index] as number;
}

function rotated(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}
