import type { BundlePageSegment } from '../../contract/bundle-page.ts';
import { DataFault, wordsOf } from './data-fault.ts';
import { inflate, textOf } from './inflate.ts';

/** Where the parts of a bundle's page come from, by their names (contract/bundle-page.ts). Throws DataFault. */
export interface PartLoader {
  load(name: string): Promise<unknown>;
}

/** A record's exact canonical JSON, and where in the ledger it stands. */
export interface RecordLine {
  index: number;
  text: string;
}

/** The parts of a bundle that are read when they are needed. Everything throws DataFault. */
export class BundleData {
  readonly #loader: PartLoader;
  /** The records of the last few scripts: the records of one session mostly stand in one. */
  readonly #records = new Map<string, Promise<RecordLine[]>>();

  constructor(loader: PartLoader) {
    this.#loader = loader;
  }

  records(script: string): Promise<RecordLine[]> {
    let lines = this.#records.get(script);
    this.#records.delete(script);
    lines ??= this.#readRecords(script);
    this.#records.set(script, lines);
    for (const name of this.#records.keys()) if (this.#records.size > 8) this.#records.delete(name);
    return lines;
  }

  /** The bytes of one segment's cast text. */
  async castText(segment: BundlePageSegment): Promise<Uint8Array<ArrayBuffer>> {
    if (segment.script === null) throw new DataFault(segment.damage ?? 'It was not readable when the bundle was written.');
    return this.#unpacked(segment.script);
  }

  async #readRecords(script: string): Promise<RecordLine[]> {
    const text = textOf(await this.#unpacked(script));
    const lines: RecordLine[] = [];
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const tab = line.indexOf('\t');
      const index = line.slice(0, tab);
      if (tab < 1 || !/^(?:0|[1-9]\d{0,15})$/.test(index)) throw new DataFault(`The file page/${script}.js has a line that is no record.`);
      lines.push({ index: Number(index), text: line.slice(tab + 1) });
    }
    return lines;
  }

  async #unpacked(script: string): Promise<Uint8Array<ArrayBuffer>> {
    const payload = await this.#loader.load(script);
    try {
      return await inflate(payload);
    } catch (thrown) {
      throw new DataFault(`The file page/${script}.js is damaged. ${wordsOf(thrown)}`);
    }
  }
}
