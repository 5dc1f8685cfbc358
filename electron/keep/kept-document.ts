import type { z } from 'zod';
import { KeptFile } from './kept-file.ts';

/** JSON of one form in a file of this app. What is there and cannot be used is set aside, and said. */
export class KeptDocument<T> {
  readonly #file: KeptFile;
  readonly #schema: z.ZodType<T>;
  #value: T;

  private constructor(file: KeptFile, schema: z.ZodType<T>, value: T) {
    this.#file = file;
    this.#schema = schema;
    this.#value = value;
  }

  /** `tell` is told, for the person, when what was kept could not be used and `otherwise` stands in its place. */
  static async open<T>(path: string, schema: z.ZodType<T>, otherwise: T, tell: (what: string) => void): Promise<KeptDocument<T>> {
    const file = new KeptFile(path);
    const bytes = await file.read();
    if (bytes === undefined) return new KeptDocument(file, schema, otherwise);
    const read = schema.safeParse(parsed(bytes.toString('utf8')));
    if (read.success) return new KeptDocument(file, schema, read.data);
    const aside = await file.setAside();
    tell(`${path} could not be used and is now ${aside}; what it said is as at the first start`);
    return new KeptDocument(file, schema, otherwise);
  }

  get value(): T {
    return this.#value;
  }

  /** In force at once, also when it cannot be written, which is thrown as FILE_FAILED. */
  async set(value: T): Promise<void> {
    this.#value = this.#schema.parse(value);
    await this.#file.write(`${JSON.stringify(this.#value, null, 2)}\n`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Fits no schema.
  }
}
