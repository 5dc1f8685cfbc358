import { randomFillSync } from 'node:crypto';

/**
 * UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then a 12-bit fraction of the millisecond (method 3 of
 * section 6.2), then 62 random bits. Ids made in one process sort by the time they were made.
 */
export function uuidV7(wallMicros: number): string {
  const millis = Math.floor(wallMicros / 1000);
  const fraction = Math.floor(((wallMicros - millis * 1000) / 1000) * 4096);
  const bytes = takeRandom();
  bytes.writeUIntBE(millis, 0, 6);
  bytes[6] = 0x70 | (fraction >> 8);
  bytes[7] = fraction & 0xff;
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Asking the system for 16 bytes costs as much as asking for 4,096. No byte is used twice. */
const pool = Buffer.alloc(256 * 16);
let used = pool.length;

function takeRandom(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 16;
  return pool.subarray(used - 16, used);
}
