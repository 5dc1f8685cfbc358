/** The checksum of zip files (ISO 3309), four bytes at a time. */
const TABLES = Array.from({ length: 4 }, () => new Uint32Array(256));

function fillTables(): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    table(0)[byte] = value;
  }
  for (let byte = 0; byte < 256; byte += 1)
    for (let at = 1; at < 4; at += 1) {
      const before = entry(table(at - 1), byte);
      table(at)[byte] = (before >>> 8) ^ entry(table(0), before & 255);
    }
}

fillTables();

/** `before`: of what stood in front of these bytes. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const [one, two, three, four] = [table(0), table(1), table(2), table(3)];
  let sum = ~before;
  const whole = bytes.length - (bytes.length % 4);
  for (let at = 0; at < whole; at += 4) {
    sum ^= entry(bytes, at) | (entry(bytes, at + 1) << 8) | (entry(bytes, at + 2) << 16) | (entry(bytes, at + 3) << 24);
    sum = entry(four, sum & 255) ^ entry(three, (sum >>> 8) & 255) ^ entry(two, (sum >>> 16) & 255) ^ entry(one, sum >>> 24);
  }
  for (let at = whole; at < bytes.length; at += 1) sum = (sum >>> 8) ^ entry(one, (sum ^ entry(bytes, at)) & 255);
  return ~sum >>> 0;
}

function table(at: number): Uint32Array {
  return TABLES[at] as Uint32Array;
}

function entry(values: Uint8Array | Uint32Array, at: number): number {
  return values[at] as number;
}
