import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { BundleReader } from '../../../gateway/query/bundle/bundle-reader.ts';
import { ZipWriter } from '../../../gateway/query/bundle/zip-writer.ts';
import { run } from '../../support/run.ts';
import { Belongings } from '../../support/temp.ts';
import { hostileZips } from './hostile-zips.ts';

const belongings = new Belongings();
const directory = belongings.directory('container');
afterAll(() => belongings.release());

async function* once(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

/** A zip file with these contents, as the exporter writes it. */
async function written(name: string, contents: Record<string, string | Uint8Array>): Promise<string> {
  const path = join(directory, name);
  const file = await open(path, 'w');
  const writer = new ZipWriter(file);
  try {
    for (const [entry, content] of Object.entries(contents)) {
      const { sha256 } = await writer.add(entry, once(content), {
        packing: entry.endsWith('.zst') ? 'stored' : entry.endsWith('.js') ? 'base64' : 'text',
      });
      expect(sha256).toBe(createHash('sha256').update(content).digest('hex'));
    }
    await writer.finish();
  } finally {
    await file.close();
  }
  return path;
}

const contents = {
  'bagit.txt': 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n',
  'data/empty.txt': '',
  'data/recordings/a-0.cast': '[0.5,"o","hello"]\n'.repeat(20_000),
  'data/recordings/a-0.0001.cast.zst': randomBytes(70_000),
  'data/page/a.js': randomBytes(90_000).toString('base64'),
  'data/ledger/tile/0/x001/234.p/5': randomBytes(160),
};

async function refusal(path: string): Promise<string> {
  try {
    const reader = await BundleReader.openFile(path);
    try {
      for (const { name } of reader.entries()) for await (const _ of reader.open(name));
      if (!(await reader.isUnchanged())) return 'changed';
    } finally {
      await reader.close();
    }
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'BUNDLE_INVALID' });
    return (thrown as Error).message;
  }
  throw new Error(`${path} was read`);
}

describe('the container of a bundle', () => {
  test('gives back what was written', async () => {
    const reader = await BundleReader.openFile(await written('whole.zip', contents));
    expect([...reader.entries()].map(({ name }) => name)).toEqual(Object.keys(contents));
    for (const [name, content] of Object.entries(contents)) {
      expect(await reader.read(name, 1e6)).toEqual(Buffer.from(content));
    }
    expect(await reader.isUnchanged()).toBe(true);
    expect(reader.has('data/none')).toBe(false);
    await expect(reader.read('data/none', 10)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
    await expect(reader.read('data/recordings/a-0.cast', 1000)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
    await reader.close();
  });

  test('is read by unzip and by Python', async () => {
    const path = await written('stock.zip', contents);
    expect(await run('unzip', ['-t', path])).toMatchObject({ status: 0 });
    const script = `
import sys, zipfile, hashlib
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    print(*[i.filename + ' ' + hashlib.sha256(z.read(i)).hexdigest() for i in z.infolist()], sep='\\n')`;
    const { stdout } = await run('python3', ['-c', script, path]);
    const expected = Object.entries(contents).map(([name, content]) => `${name} ${createHash('sha256').update(content).digest('hex')}\n`);
    expect(stdout.toString()).toBe(expected.join(''));
  });

  test('with 70,000 entries is zip64, and read by all of them', async () => {
    const path = await written('many.zip', Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [`data/${index}`, `${index}`])));
    const reader = await BundleReader.openFile(path);
    expect([...reader.entries()]).toHaveLength(70_000);
    expect(String(await reader.read('data/69999', 10))).toBe('69999');
    await reader.close();
    expect(await run('unzip', ['-t', path])).toMatchObject({ status: 0 });
  });

  test('with any one byte changed is refused, whichever byte it is', async () => {
    const path = await written('flipped.zip', {
      'bagit.txt': 'BagIt-Version: 1.0\n',
      'data/a': 'aaaaaaaaaabbbbbbbbbb'.repeat(30),
      'data/b.zst': randomBytes(64),
    });
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      await writeFile(path, changed);
      expect(await refusal(path), `byte ${at}`).toBeTypeOf('string');
    }
  });

  test('cut off anywhere is refused', async () => {
    const path = await written('cut.zip', { 'data/a': 'a'.repeat(300), 'data/b': 'b' });
    const { size } = await stat(path);
    for (let length = size - 1; length >= 0; length -= 1) {
      await truncate(path, length);
      expect(await refusal(path)).toMatch(/not an intact bundle/);
    }
  });

  test('with something before or behind it is refused', async () => {
    const path = await written('garbage.zip', { 'data/a': 'a' });
    const whole = await readFile(path);
    await writeFile(path, Buffer.concat([Buffer.from('MZ'), whole]));
    expect(await refusal(path)).toMatch(/does not reach to its end/);
    await writeFile(path, Buffer.concat([whole, Buffer.from('\n')]));
    expect(await refusal(path)).toMatch(/does not end as a bundle does/);
  });

  test('cannot be written with a name twice, whatever its case', async () => {
    await expect(written('twice.zip', { 'data/a': '', 'data/A': '' })).rejects.toThrow(RangeError);
    await expect(written('out.zip', { '../a': '' })).rejects.toThrow(RangeError);
  });
});

describe('a zip file made to do harm', () => {
  test.each(hostileZips)('that %s is refused', async (_, words, make) => {
    const path = join(directory, 'hostile.zip');
    await writeFile(path, make());
    const before = process.memoryUsage.rss();
    const began = performance.now();
    expect(await refusal(path)).toMatch(words);
    // What they claim would take hours and gigabytes; the rest is room for a busy machine.
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * 1024 * 1024);
  });

  test('that is a pipe, a folder or not there is refused at once', async () => {
    const pipe = join(directory, 'pipe');
    await run('mkfifo', [pipe]);
    for (const path of [pipe, directory, join(directory, 'none.zip')]) expect(await refusal(path)).toMatch(/not an intact bundle/);
  });

  test('with control characters in its path leaves the terminal alone', async () => {
    await expect(BundleReader.openFile(join(directory, '\u001b[2J.zip'))).rejects.toThrow(/\\x1b\[2J/);
  });
});

describe('a bundle that was mangled in any way', () => {
  /** Takes some bytes out, puts some in, moves some: at places and in amounts that chance decides. */
  const mangling = fc.record({
    kind: fc.constantFrom('cut', 'insert', 'overwrite', 'double', 'swap'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    to: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1, max: 400 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    sealedAnew: fc.boolean(),
  });

  test('104 is refused, or has the same contents; it never crashes, hangs or fills the memory', async () => {
    const path = await written('mangled.zip', contents);
    const whole = await readFile(path);
    const end = whole.length - 94;
    await fc.assert(
      fc.asyncProperty(mangling, async ({ kind, at, to, length, bytes, sealedAnew }) => {
        const from = Math.floor(at * (sealedAnew ? end : whole.length - 1));
        const until = Math.min(sealedAnew ? end : whole.length, from + length);
        const other = Math.floor(to * end);
        const part = whole.subarray(from, until);
        const pieces = {
          cut: [whole.subarray(0, from), whole.subarray(until)],
          insert: [whole.subarray(0, from), bytes, whole.subarray(from)],
          overwrite: [
            whole.subarray(0, from),
            bytes.subarray(0, until - from),
            whole.subarray(from + Math.min(bytes.length, until - from)),
          ],
          double: [whole.subarray(0, until), part, whole.subarray(until)],
          swap:
            from <= other
              ? [whole.subarray(0, from), whole.subarray(until, Math.max(until, other)), part, whole.subarray(Math.max(until, other))]
              : [whole],
        }[kind];
        const changed = Buffer.concat(pieces);
        if (sealedAnew) {
          const sealedBytes = changed.length - 94;
          if (sealedBytes < 0) return;
          changed.write(createHash('sha256').update(changed.subarray(0, sealedBytes)).digest('hex'), changed.length - 64, 'latin1');
        }
        await writeFile(path, changed);
        const began = performance.now();
        const read = await contentsOf(path);
        expect(performance.now() - began).toBeLessThan(20_000);
        if (read !== undefined)
          expect(read).toEqual(Object.entries(contents).map(([name, content]) => [name, Buffer.from(content).toString('latin1')]));
      }),
      { numRuns: 400 },
    );
  });

  /** Undefined when the bundle is refused, or not the one that was sealed. */
  async function contentsOf(path: string): Promise<[string, string][] | undefined> {
    let reader: BundleReader | undefined;
    try {
      reader = await BundleReader.openFile(path);
      const read: [string, string][] = [];
      for (const { name } of reader.entries()) read.push([name, (await reader.read(name, 1e7)).toString('latin1')]);
      return (await reader.isUnchanged()) ? read : undefined;
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'BUNDLE_INVALID' });
      return undefined;
    } finally {
      await reader?.close();
    }
  }
});
