import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as gatewayFormat from '../../gateway/query/bundle/zip-format.ts';
import { ZipWriter } from '../../gateway/query/bundle/zip-writer.ts';
import { Sha256Stream } from '../../renderer/evidence/sha256.ts';
import { BundleZip, EntryFault } from '../../renderer/evidence/zip/bundle-zip.ts';
import { crc32 } from '../../renderer/evidence/zip/crc32.ts';
import { WindowedSource } from '../../renderer/evidence/zip/windowed-source.ts';
import { type ByteSource, NotABundle } from '../../renderer/evidence/zip/zip-directory.ts';
import * as format from '../../renderer/evidence/zip/zip-format.ts';
import { forged, hostileZips } from '../query/bundle/hostile-zips.ts';
import { Belongings } from '../support/temp.ts';
import { sourceOf } from './opened-bundle.ts';

const belongings = new Belongings();
const directory = belongings.directory('zips');
afterAll(() => belongings.release());

const contents: Record<string, string | Uint8Array> = {
  'bagit.txt': 'BagIt-Version: 1.0\n',
  'data/empty.txt': '',
  'data/recordings/a-0.cast': '[0.5,"o","hello"]\n'.repeat(120_000),
  'data/recordings/a-0.0001.i.bin.zst': randomBytes(70_000),
  'data/page/a.js': randomBytes(90_000).toString('base64'),
  'data/ledger/tile/0/x001/234.p/5': randomBytes(160),
};

/** As the exporter writes it. */
async function written(entries: Record<string, string | Uint8Array>): Promise<Buffer> {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'written.zip');
  const file = await open(path, 'w');
  const writer = new ZipWriter(file);
  for (const [name, content] of Object.entries(entries)) {
    const packing = name.endsWith('.zst') ? 'stored' : name.endsWith('.js') ? 'base64' : 'text';
    await writer.add(name, once(Buffer.from(content)), { packing });
  }
  await writer.finish();
  await file.close();
  return readFileSync(path);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Why it is refused, whole or in one of its entries, or that its digest is another. */
async function refusal(source: ByteSource): Promise<string> {
  try {
    const zip = await BundleZip.open(source);
    for (const name of zip.entries.keys()) for await (const _ of zip.open(name));
    if (!(await zip.isUnchanged(() => undefined))) return 'changed';
  } catch (thrown) {
    if (thrown instanceof NotABundle || thrown instanceof EntryFault) return thrown.message;
    throw thrown;
  }
  throw new Error('it was read');
}

/** How the gateway words it, and how the browser does, where they differ. */
function inOtherWords(words: RegExp): RegExp {
  const others: [RegExp, RegExp][] = [
    [/the header before/, /what stands in front of it/],
    [/other bytes follow/, /does not unpack|bytes instead of/],
    [/was changed/, /does not unpack/],
    [/not an intact bundle/, /contradicts itself|longer than the file|would unpack|not written by/],
    [/does not end as a bundle does/, /another kind of file|does not end as a bundle does/],
  ];
  return others.find(([theirs]) => words.source.includes(theirs.source))?.[1] ?? words;
}

describe('the zip file of a bundle, in the browser', () => {
  it('gives back what was written, in pieces and from a window', async () => {
    const bytes = await written(contents);
    for (const source of [sourceOf(bytes), new WindowedSource(sourceOf(bytes))]) {
      const zip = await BundleZip.open(source);
      expect([...zip.entries.keys()]).toEqual(Object.keys(contents));
      for (const [name, content] of Object.entries(contents)) {
        expect(Buffer.compare(await zip.read(name, 1e7), Buffer.from(content)), name).toBe(0);
      }
      expect(await zip.isUnchanged(() => undefined)).toBe(true);
      await expect(zip.read('data/none', 10)).rejects.toThrow('it is missing');
      await expect(zip.read('data/page/a.js', 1000)).rejects.toThrow('more than the 1000');
    }
  });

  it('with 70,000 entries is zip64', async () => {
    let offset = 0;
    const entries = Array.from({ length: 70_000 }, (_, index) => {
      const packed = Buffer.from(`${index}`);
      const entry = {
        name: `data/${index}`,
        stored: true,
        crc32: zlibCrc32(packed),
        bytes: packed.length,
        packedBytes: packed.length,
        offset,
      };
      offset += format.lengthInFile(entry);
      return { entry, packed };
    });
    const zip = await BundleZip.open(sourceOf(forged(entries)));
    expect(zip.entries.size).toBe(70_000);
    expect(Buffer.from(await zip.read('data/69999', 10)).toString()).toBe('69999');
    expect(await zip.isUnchanged(() => undefined)).toBe(true);
  });

  it('has the very structures that the gateway writes', () => {
    const number = fc.oneof(fc.nat(0xffffffff), fc.integer({ min: 0xfffffff0, max: 2 ** 34 }), fc.nat(1000));
    const entry = fc.record({
      name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,30}$/),
      stored: fc.boolean(),
      crc32: fc.nat(0xffffffff),
      bytes: number,
      packedBytes: number,
      offset: number,
    });
    fc.assert(
      fc.property(entry, fc.record({ entries: fc.nat(100_000), bytes: number, offset: number }), (one, list) => {
        const digest = 'ab'.repeat(32);
        for (const [mine, theirs] of [
          [format.localHeader(one), gatewayFormat.localHeader(one)],
          [format.dataDescriptor(one), gatewayFormat.dataDescriptor(one)],
          [format.centralHeader(one), gatewayFormat.centralHeader(one)],
          [format.zip64End(list), gatewayFormat.zip64End(list)],
          [format.endRecord(list, digest), gatewayFormat.endRecord(list, digest)],
        ] as const)
          expect(Buffer.compare(mine, theirs)).toBe(0);
        expect(format.readCentralHeader(format.centralHeader(one))).toEqual(
          gatewayFormat.readCentralHeader(gatewayFormat.centralHeader(one)),
        );
        expect(format.lengthInFile(one)).toBe(gatewayFormat.lengthInFile(one));
      }),
    );
  });

  it('has the checksums of everybody else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(3000), (bytes, cut) => {
        const [one, other] = [bytes.subarray(0, cut), bytes.subarray(cut)];
        expect(crc32(other, crc32(one))).toBe(zlibCrc32(bytes));
        const stream = new Sha256Stream();
        for (const piece of [one, other]) stream.push(piece);
        expect(stream.hex()).toBe(createHash('sha256').update(bytes).digest('hex'));
      }),
    );
  });

  it('with any one byte changed is refused, whichever byte it is', async () => {
    const whole = await written({ 'bagit.txt': 'BagIt\n', 'data/a': 'aaaaaaaaaabbbbbbbbbb'.repeat(30), 'data/b.zst': randomBytes(40) });
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect(await refusal(sourceOf(changed)), `byte ${at}`).toBeTypeOf('string');
    }
  });

  it('cut off anywhere, or with something before or behind it, is refused and told from other files', async () => {
    const whole = await written({ 'data/a': 'a'.repeat(300), 'data/b': 'b' });
    for (let length = whole.length - 1; length >= 0; length -= 1) expect(await refusal(sourceOf(whole.subarray(0, length)))).not.toBe('');
    expect(await refusal(sourceOf(whole.subarray(0, 200)))).toMatch(/cut off/);
    expect(await refusal(sourceOf(Buffer.concat([whole, Buffer.from('\n')])))).toMatch(/something was added to it/);
    expect(await refusal(sourceOf(Buffer.concat([Buffer.from('MZ'), whole])))).toMatch(/does not reach to its end/);
    const stock = Buffer.from('504b0506000000000000000000000000000000000000', 'hex');
    expect(await refusal(sourceOf(Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(300), stock])))).toMatch(
      /not one that sallyport export/,
    );
    expect(await refusal(sourceOf(Buffer.from('%PDF-1.7'.repeat(50))))).toMatch(/another kind of file/);
  });

  it.each(hostileZips)('that %s is refused at once', async (_, words, make) => {
    const before = process.memoryUsage.rss();
    const began = performance.now();
    expect(await refusal(sourceOf(make()))).toMatch(inOtherWords(words));
    expect(performance.now() - began).toBeLessThan(2000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('that becomes shorter while it is read is refused', async () => {
    const whole = await written({ 'data/a': 'a'.repeat(1000) });
    const zip = await BundleZip.open({ size: whole.length, read: async (at, length) => Uint8Array.from(whole.subarray(at, at + length)) });
    await zip.read('data/a', 2000);
    let left = whole.length;
    const shrinking = await BundleZip.open({
      size: whole.length,
      read: async (at, length) => Uint8Array.from(whole.subarray(at, Math.min(left, at + length))),
    });
    left = 10;
    await expect(shrinking.read('data/a', 2000)).rejects.toThrow(NotABundle);
  });
});
