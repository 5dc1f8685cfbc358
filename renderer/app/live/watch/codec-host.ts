import type { CodecHost } from '../../../../contract/frame-codec.ts';

/** The CRC-32 of zlib (reflected, polynomial 0x04C11DB7), which no browser has. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The frame codec's needs, met by a browser. */
export const webCodecHost: CodecHost = {
  crc32: (bytes, previous) => {
    let value = ~previous;
    for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] as number);
    return ~value >>> 0;
  },
  encodeText: (text) => encoder.encode(text),
  decodeText: (bytes) => decoder.decode(bytes),
};
