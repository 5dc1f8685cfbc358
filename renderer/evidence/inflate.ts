import { DataFault } from './data-fault.ts';
import { decodeBase64 } from './encodings.ts';

/** Far more than a part of a bundle has; a payload that grows beyond is a bomb and is let go. */
const MOST_BYTES = 256 * 1024 * 1024;

/** The bytes of a payload: base64 of raw deflate (RFC 1951). Throws DataFault. */
export async function inflate(payload: unknown): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof payload !== 'string') throw new DataFault('It does not hold text.');
  const compressed = decodeBase64(payload);
  if (compressed === undefined) throw new DataFault('It is not base64.');
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      length += step.value.length;
      if (length > MOST_BYTES) {
        await reader.cancel();
        throw new DataFault('It unpacks to more than any part of a recording has.');
      }
      parts.push(step.value);
    }
  } catch (thrown) {
    if (thrown instanceof DataFault) throw thrown;
    throw new DataFault('It does not unpack.', { cause: thrown });
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Throws DataFault for bytes that are not UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new DataFault('It is not UTF-8.');
  }
}
