import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MOST_COLOURS = 256;
/** Bits of each colour that are told apart: fewer where there are more colours than a palette has room for. */
const PRECISIONS = [6, 5, 4, 3, 2];
const PALETTED = 3;

/** A picture with a palette (PNG, W3C 2003) of pixels that are 24 bits of RGB each. */
export function encodePng(width: number, height: number, pixels: Uint32Array): Buffer {
  const { palette, indexes } = paletted(pixels);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = PALETTED;
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) lines.set(indexes.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 0xff, colour & 0xff]));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(lines, { level: 6 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  crc.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, crc]);
}

function paletted(pixels: Uint32Array): { palette: number[]; indexes: Uint8Array } {
  const indexes = new Uint8Array(pixels.length);
  for (const bits of PRECISIONS) {
    const kept = ((0xff << (8 - bits)) & 0xff) * 0x010101;
    const palette: number[] = [];
    const known = new Map<number, number>();
    let at = 0;
    for (; at < pixels.length; at += 1) {
      const pixel = pixels[at] as number;
      let index = known.get(pixel & kept);
      if (index === undefined) {
        if (palette.length === MOST_COLOURS) break;
        index = palette.length;
        known.set(pixel & kept, index);
        palette.push(pixel);
      }
      indexes[at] = index;
    }
    if (at === pixels.length) return { palette, indexes };
  }
  throw new RangeError('two bits of each colour make 64 colours');
}
