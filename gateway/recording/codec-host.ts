import { crc32 } from 'node:zlib';
import type { CodecHost } from '../../contract/frame-codec.ts';

/** The frame codec's needs, met by Node. */
export const nodeCodecHost: CodecHost = {
  crc32: (bytes, previous) => crc32(bytes, previous),
  encodeText: (text) => Buffer.from(text, 'utf8'),
  decodeText: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
};
