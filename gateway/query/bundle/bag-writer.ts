import type { EntryOptions, WrittenEntry, ZipWriter } from './zip-writer.ts';

const BAGIT = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n';

/** A BagIt 1.0 bag (RFC 8493) in a zip file: what stands under data/, and the files about it. */
export class BagWriter {
  readonly #zip: ZipWriter;
  readonly #manifest: WrittenEntry[] = [];

  constructor(zip: ZipWriter) {
    this.#zip = zip;
  }

  /** Bytes of the zip file so far. */
  get bytes(): number {
    return this.#zip.bytes;
  }

  /** `path` is below data/. */
  async add(path: string, content: AsyncIterable<Uint8Array | string>, options: EntryOptions = {}): Promise<void> {
    this.#manifest.push(await this.#zip.add(`data/${path}`, bytesOf(content), options));
  }

  async addText(path: string, text: string): Promise<void> {
    await this.add(path, only(text));
  }

  async addBytes(path: string, bytes: Uint8Array): Promise<void> {
    await this.add(path, only(bytes));
  }

  /** A file beside data/ that no manifest names. */
  async addBeside(name: string, content: string | Uint8Array): Promise<void> {
    await this.#zip.add(name, bytesOf(only(content)));
  }

  /** Writes the manifests and gives the SHA-256 of the tag manifest, through which all other files can be checked. */
  async finish(info: readonly (readonly [label: string, value: string])[]): Promise<string> {
    const payloadBytes = this.#manifest.reduce((sum, { bytes }) => sum + bytes, 0);
    const lines = [...info, ['Payload-Oxum', `${payloadBytes}.${this.#manifest.length}`] as const];
    const tags: WrittenEntry[] = [];
    const add = async (name: string, text: string) => tags.push(await this.#zip.add(name, bytesOf(only(text))));
    await add('bagit.txt', BAGIT);
    await add('bag-info.txt', lines.map(([label, value]) => `${label}: ${oneLine(value)}\n`).join(''));
    await add('manifest-sha256.txt', manifestOf(this.#manifest));
    const { sha256 } = await this.#zip.add('tagmanifest-sha256.txt', bytesOf(only(manifestOf(tags))));
    return sha256;
  }

  /** The file is then complete; it is neither synced nor closed. */
  close(): Promise<void> {
    return this.#zip.finish();
  }
}

function manifestOf(entries: readonly WrittenEntry[]): string {
  return entries.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
}

/** A value of bag-info.txt ends with its line, so text from outside must not bring another. */
function oneLine(value: string): string {
  return value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

async function* only<Content>(content: Content): AsyncGenerator<Content> {
  yield content;
}

const GATHER = 64 * 1024;

/** Text is gathered, so that a million lines are not a million small writes. */
async function* bytesOf(content: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  let text = '';
  for await (const piece of content) {
    if (typeof piece === 'string') {
      text += piece;
      if (text.length < GATHER) continue;
    }
    if (text !== '') yield Buffer.from(text, 'utf8');
    text = '';
    if (typeof piece !== 'string') yield piece;
  }
  if (text !== '') yield Buffer.from(text, 'utf8');
}
