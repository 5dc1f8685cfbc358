/**
 * SHA-256 (FIPS 180-4) without waiting: a ledger is hundreds of thousands of short inputs, and the browser's own digest
 * answers each of them in a turn of its own. Long inputs go to the browser where it has one (`sha256OfLong`).
 */
const CONSTANTS = new Uint32Array(64);
const INITIAL = new Uint32Array(8);

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

const schedule = new Uint32Array(64);

export function sha256(input: Uint8Array): Uint8Array {
  const state = Uint32Array.from(INITIAL);
  const whole = input.length - (input.length % 64);
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  for (let at = 0; at < whole; at += 64) compress(state, view, at);

  const rest = input.length - whole;
  const tail = new Uint8Array(rest < 56 ? 64 : 128);
  tail.set(input.subarray(whole));
  tail[rest] = 0x80;
  const tailView = new DataView(tail.buffer);
  tailView.setUint32(tail.length - 8, Math.floor(input.length / 2 ** 29));
  tailView.setUint32(tail.length - 4, (input.length * 8) % 2 ** 32);
  for (let at = 0; at < tail.length; at += 64) compress(state, tailView, at);

  const digest = new Uint8Array(32);
  const digestView = new DataView(digest.buffer);
  for (const [index, word] of state.entries()) digestView.setUint32(index * 4, word);
  return digest;
}

/** WebCrypto as browsers and Node have it. */
export type Subtle = typeof globalThis.crypto.subtle;

/** For inputs of megabytes. Falls back where the browser has no WebCrypto for pages that were opened from a file. */
export async function sha256OfLong(input: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const subtle: Subtle | undefined = globalThis.crypto?.subtle;
  return subtle === undefined ? sha256(input) : new Uint8Array(await subtle.digest('SHA-256', input));
}

/** One block of 64 bytes (section 6.2.2). `at` is an index of these arrays only within their bounds. */
function compress(state: Uint32Array, view: DataView, at: number): void {
  const w = schedule;
  for (let t = 0; t < 16; t += 1) w[t] = view.getUint32(at + t * 4);
  for (let t = 16; t < 64; t += 1) {
    const early = word(w, t - 15);
    const late = word(w, t - 2);
    const small0 = (rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3)) >>> 0;
    const small1 = (rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10)) >>> 0;
    w[t] = small1 + word(w, t - 7) + small0 + word(w, t - 16);
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
    const one = (h + big1 + choice + word(CONSTANTS, t) + word(w, t)) | 0;
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
  state[0] = word(state, 0) + a;
  state[1] = word(state, 1) + b;
  state[2] = word(state, 2) + c;
  state[3] = word(state, 3) + d;
  state[4] = word(state, 4) + e;
  state[5] = word(state, 5) + f;
  state[6] = word(state, 6) + g;
  state[7] = word(state, 7) + h;
}

function word(words: Uint32Array, index: number): number {
  return words[index] as number;
}

function rotated(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}
