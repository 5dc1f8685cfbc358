import { Readable } from 'node:stream';
import { createDeflateRaw } from 'node:zlib';

/** A script of the offline page whose payload is a value (contract/bundle-page.ts). */
export function valueScript(name: string, value: unknown): string {
  return `sallyport(${JSON.stringify(name)},${scriptJson(value)});\n`;
}

/** JSON that can stand in a script in any page: nothing in it ends the script element or a line. */
function scriptJson(value: unknown): string {
  const escapes: Readonly<Record<string, string>> = { '<': '\\u003c', '\u2028': '\\u2028', '\u2029': '\\u2029' };
  return JSON.stringify(value).replace(/[<\u2028\u2029]/g, (character) => escapes[character] as string);
}

/** As in zip-writer.ts: speed counts for recordings of any length. */
const LEVEL = 3;

/** A script whose payload is text, as the base64 of raw deflate. Memory: a few chunks. */
export async function* textScript(name: string, text: AsyncIterable<string>): AsyncGenerator<string> {
  yield `sallyport(${JSON.stringify(name)},"`;
  const source = Readable.from(text, { objectMode: true, highWaterMark: 16 });
  const deflate = createDeflateRaw({ level: LEVEL });
  source.on('error', (error) => deflate.destroy(error));
  source.pipe(deflate);
  let rest = Buffer.alloc(0);
  for await (const chunk of deflate as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 3);
    yield bytes.toString('base64', 0, whole);
    rest = Buffer.from(bytes.subarray(whole));
  }
  yield `${rest.toString('base64')}");\n`;
}
