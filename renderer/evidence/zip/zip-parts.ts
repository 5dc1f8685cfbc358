import type { PartLoader } from '../bundle-data.ts';
import { DataFault, wordsOf } from '../data-fault.ts';
import { textOf } from '../inflate.ts';
import type { BundleZip } from './bundle-zip.ts';

/** Only names of this form are ever looked up: what a bundle says cannot have anything but its data read as such. */
const NAME = /^(?:bundle|(?:records|casts)\/[0-9a-f-]+(?:\/[0-9]+){0,2})$/;
/** Several times what the list of a hundred thousand sessions takes, and what any part of a recording packs to. */
const MOST_BYTES = 192 * 1024 * 1024;

/**
 * The data of a bundle's page, from the zip file. They are scripts, because a page from the file system can read nothing
 * else; here they are text of one form, and are never run.
 */
export class ZipParts implements PartLoader {
  readonly #zip: BundleZip;

  constructor(zip: BundleZip) {
    this.#zip = zip;
  }

  async load(name: string): Promise<unknown> {
    if (!NAME.test(name)) throw new DataFault(`“${name.slice(0, 100)}” is no name of a part of a bundle.`);
    const path = `data/page/${name}.js`;
    if (!this.#zip.has(path)) throw new DataFault(`The file page/${name}.js is missing.`);
    let script: string;
    try {
      script = textOf(await this.#zip.read(path, MOST_BYTES));
    } catch (thrown) {
      throw new DataFault(`The file page/${name}.js cannot be read: ${wordsOf(thrown)}.`, { cause: thrown });
    }
    const payload = payloadOf(script, name);
    if (payload === undefined) throw new DataFault(`The file page/${name}.js is damaged: it does not hold what its name says.`);
    return payload.value;
  }
}

/** Of `sallyport("NAME",JSON);` and a line feed, nothing more and nothing less. */
function payloadOf(script: string, name: string): { value: unknown } | undefined {
  const before = `sallyport(${JSON.stringify(name)},`;
  const behind = ');\n';
  if (!script.startsWith(before) || !script.endsWith(behind)) return undefined;
  const json = script.slice(before.length, script.length - behind.length);
  // Base64, which is most of a bundle, is what it looks like.
  if (/^"[A-Za-z0-9+/]*={0,2}"$/.test(json)) return { value: json.slice(1, -1) };
  try {
    return { value: JSON.parse(json) as unknown };
  } catch {
    return undefined;
  }
}
