import { createHash } from 'node:crypto';

/** `i` is what the client sent, `o` and `e` are the target's output and error output. */
export type Stream = 'i' | 'o' | 'e';

export interface CastEvent {
  /** Seconds since the recording began. */
  at: number;
  code: string;
  data: string;
  /** The object of a `+` event. */
  ours?: { readonly t: string; readonly [member: string]: unknown };
}

/** A stretch of a stream: its very bytes, or only their digest. */
export type Piece = { bytes: Buffer } | { offset: number; length: number; sha256: string };

/** An asciicast v3 as its lines say it. */
export interface Cast {
  header: { readonly version: number; readonly [member: string]: unknown };
  events: readonly CastEvent[];
}

/** Parses asciicast v3 strictly: a header, then `[interval, code, string]` a line. */
export function parseCast(text: string): Cast {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('a cast ends with a line feed');
  const header = JSON.parse(lines.shift() ?? '') as Cast['header'];
  if (header.version !== 3) throw new Error(`not asciicast v3: version is ${header.version}`);
  let at = 0;
  const events = lines.map((line, index) => {
    const event: unknown = JSON.parse(line);
    if (!Array.isArray(event) || event.length !== 3) throw new Error(`line ${index + 2} is no event: ${line}`);
    const [interval, code, data] = event as [unknown, unknown, unknown];
    if (typeof interval !== 'number' || interval < 0 || typeof code !== 'string' || code.length !== 1 || typeof data !== 'string')
      throw new Error(`line ${index + 2} is no event: ${line}`);
    at += interval;
    return code === '+' ? { at, code, data, ours: JSON.parse(data) as NonNullable<CastEvent['ours']> } : { at, code, data };
  });
  return { header, events };
}

/**
 * What was sent in either direction, from the cast alone: an `o` or `i` event's UTF-8 bytes, unless a `raw` stands
 * beside it and gives them exactly; `fd` says which output the next `o` belongs to; `bulk` stands for bytes that only
 * their digest is kept of.
 */
export function rebuild(cast: Cast): Record<Stream, Piece[]> {
  const pieces: Record<Stream, Piece[]> = { i: [], o: [], e: [] };
  let output: Stream = 'o';
  cast.events.forEach((event, index) => {
    if (event.code === 'o' || event.code === 'i') {
      const stream = event.code === 'i' ? 'i' : output;
      const next = cast.events[index + 1]?.ours;
      pieces[stream].push({ bytes: next?.t === 'raw' ? Buffer.from(String(next.b64), 'base64') : Buffer.from(event.data) });
    } else if (event.ours?.t === 'fd') {
      output = event.ours.fd === 2 ? 'e' : 'o';
    } else if (event.ours?.t === 'bulk') {
      const { s: stream, offset, bytes, sha256 } = event.ours;
      pieces[stream as Stream].push({ offset: Number(offset), length: Number(bytes), sha256: String(sha256) });
    }
  });
  return pieces;
}

/** The exact bytes of a stream; throws when some of them are kept by digest only. */
export function exactBytes(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => {
      if (!('bytes' in piece)) throw new Error(`${piece.length} bytes from offset ${piece.offset} are recorded by their digest only`);
      return piece.bytes;
    }),
  );
}

/**
 * Undefined when the stream holds exactly what `source` gives, else where and how it differs. `source` is asked for the
 * next so many bytes, in order, so that streams longer than memory can be compared.
 */
export function difference(
  pieces: readonly Piece[],
  source: { length: number; take(length: number): Iterable<Buffer> },
): string | undefined {
  let offset = 0;
  for (const piece of pieces) {
    const length = 'bytes' in piece ? piece.bytes.length : piece.length;
    if ('offset' in piece && piece.offset !== offset) return `a digest is for offset ${piece.offset} where ${offset} comes next`;
    if (offset + length > source.length) return `${offset + length} bytes are recorded, ${source.length} were sent`;
    const recorded = 'bytes' in piece ? createHash('sha256').update(piece.bytes).digest('hex') : piece.sha256;
    const sent = createHash('sha256');
    for (const chunk of source.take(length)) sent.update(chunk);
    if (recorded !== sent.digest('hex')) return `the ${length} bytes from offset ${offset} differ from what was sent`;
    offset += length;
  }
  return offset === source.length ? undefined : `${offset} bytes are recorded, ${source.length} were sent`;
}

/** Bytes in memory as the source of a comparison. */
export function fromBytes(bytes: Uint8Array): { length: number; take(length: number): Iterable<Buffer> } {
  let offset = 0;
  return {
    length: bytes.length,
    take: (length) => {
      const part = Buffer.from(bytes.subarray(offset, offset + length));
      offset += length;
      return [part];
    },
  };
}
