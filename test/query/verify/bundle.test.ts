import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../contract/error-codes.ts';
import { SallyportError } from '../../../gateway/base/errors.ts';
import { BundleReader } from '../../../gateway/query/bundle/bundle-reader.ts';
import { ZipWriter } from '../../../gateway/query/bundle/zip-writer.ts';
import type { Finding } from '../../../gateway/query/verify/finding.ts';
import { verifyBundle } from '../../../gateway/query/verify/verify-bundle.ts';
import type { VerifyOptions } from '../../../gateway/query/verify/verify-data-directory.ts';
import { sallyport } from '../../support/gateway.ts';
import { Belongings } from '../../support/temp.ts';
import { type Evidence, filesBelow, flip, makeEvidence, sql } from './evidence.ts';

const belongings = new Belongings();
let evidence: Evidence;
/** Everything, and two sessions of many. */
let whole: string;
let part: string;
/** The two sessions: one whose recording has three segments, one with content kept whole. */
let sessions: string[];
beforeAll(async () => {
  evidence = await makeEvidence(belongings);
  const directory = belongings.directory('bundles');
  sessions = [
    ...new Set(
      filesBelow(join(evidence.data, 'recordings'))
        .filter((path) => /0003\.cast|\.bin\.zst/.test(path))
        .map((path) => path.split('/').at(-3) ?? ''),
    ),
  ];
  whole = join(directory, 'whole.zip');
  part = join(directory, 'part.zip');
  for (const [file, chosen] of [
    [whole, []],
    [part, sessions],
  ] as const) {
    const done = await sallyport(['export', ...chosen, '--data', evidence.data, '-o', file]);
    if (done.status !== 0) throw new Error(done.stderr);
  }
}, 180_000);
afterAll(() => belongings.release());

async function check(path: string, options: VerifyOptions = {}) {
  const findings: Finding[] = [];
  const outcome = await verifyBundle(path, options, (finding) => findings.push(finding));
  const faults = findings.filter(({ severity }) => severity === 'fault');
  return { findings, faults, outcome };
}

/** The findings, or the code of the error that it is refused with. */
async function verdict(path: string): Promise<Finding[] | ErrorCode> {
  try {
    return (await check(path)).faults;
  } catch (thrown) {
    if (thrown instanceof SallyportError) return thrown.code;
    throw thrown;
  }
}

async function openedUnchanged(path: string): Promise<boolean> {
  try {
    const reader = await BundleReader.openFile(path);
    try {
      return await reader.isUnchanged();
    } finally {
      await reader.close();
    }
  } catch (thrown) {
    if (thrown instanceof SallyportError && thrown.code === 'BUNDLE_INVALID') return false;
    throw thrown;
  }
}

/**
 * The bundle as somebody would make it who changes files and then makes every manifest and digest anew. Only the
 * attestation, which takes the key, stays what it was; `unsigned` leaves it out.
 */
async function remade(path: string, change: (files: Map<string, Buffer>) => void, options: { unsigned?: boolean } = {}): Promise<string> {
  const files = new Map<string, Buffer>();
  const reader = await BundleReader.openFile(path);
  for (const { name } of reader.entries()) files.set(name, await reader.read(name, 2 ** 30));
  await reader.close();
  change(files);
  const manifest = [...files].filter(([name]) => name.startsWith('data/'));
  const lines = (entries: [string, Buffer][]) =>
    Buffer.from(entries.map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`).join(''));
  files.set('manifest-sha256.txt', lines(manifest));
  const oxum = `Payload-Oxum: ${manifest.reduce((sum, [, bytes]) => sum + bytes.length, 0)}.${manifest.length}`;
  files.set('bag-info.txt', Buffer.from((files.get('bag-info.txt') ?? '').toString().replace(/Payload-Oxum: .*/, oxum)));
  const tags = ['bagit.txt', 'bag-info.txt', 'manifest-sha256.txt'];
  files.set('tagmanifest-sha256.txt', lines(tags.map((name): [string, Buffer] => [name, files.get(name) ?? Buffer.alloc(0)])));
  if (options.unsigned === true) for (const name of ['attestation.dsse.json', 'attestation.txt', 'attestation.sig']) files.delete(name);
  const copy = join(belongings.directory('remade'), 'bundle.zip');
  const file = await open(copy, 'w');
  const zip = new ZipWriter(file);
  for (const [name, bytes] of files) await zip.add(name, [bytes] as unknown as AsyncIterable<Uint8Array>);
  await zip.finish();
  await file.close();
  return copy;
}

describe('a bundle that nobody touched', () => {
  it('is intact, whole or of a few sessions', async () => {
    const [all, some] = await Promise.all([check(whole, { key: evidence.key }), check(part, { key: evidence.key })]);
    expect(all.faults).toEqual([]);
    expect(some.faults).toEqual([]);
    expect(all.outcome).toMatchObject({
      records: { sessions: 38, segments: 44 },
      ledger: { agrees: true, signed: true },
      key: { source: 'given' },
    });
    expect(some.outcome.records.sessions).toBe(2);
    expect(some.outcome.files).toBeGreaterThan(4);
  });

  it('verifies on the command line', async () => {
    const done = await sallyport(['verify', part]);
    expect(done.status, done.stderr).toBe(0);
    expect(done.stdout.toString()).toMatch(/each record here is one of the \d+ in the log/);
    const json = await sallyport(['verify', part, '--json']);
    expect(JSON.parse(json.stdout.toString().trim().split('\n').at(-1) ?? '')).toMatchObject({
      summary: { verdict: 'intact', kind: 'bundle' },
    });
  });

  it('is compared with a checkpoint kept outside, older or newer', async () => {
    const older = await check(whole, { checkpoint: evidence.older });
    expect(older.faults).toEqual([]);
    expect(older.outcome.compared?.continued).toBe(true);
    const newer = await check(whole, { checkpoint: join(evidence.data, 'ledger', 'checkpoint') });
    expect(newer.faults).toEqual([]);
    expect(newer.findings.filter(({ code }) => code === 'unproven').map(({ words }) => words)).toEqual([
      expect.stringContaining('newer than this bundle'),
    ]);
  });

  it('that is not one is refused, and so is a place to look for records beside it', async () => {
    const directory = belongings.directory('no-bundles');
    for (const [name, content] of [
      ['empty.zip', ''],
      ['text.zip', 'no zip at all\n'],
      ['cut.zip', readFileSync(part).subarray(0, -50)],
    ] as const) {
      writeFileSync(join(directory, name), content);
      const done = await sallyport(['verify', join(directory, name)]);
      expect(done.status).toBe(1);
      expect(done.stderr).toContain('sallyport: ');
    }
    expect((await sallyport(['verify', part, '--data', evidence.data])).status).toBe(2);
  });
});

describe('one changed byte in a bundle is found', () => {
  it('anywhere: 96, at 1,000 places', { timeout: 240_000 }, async () => {
    const bytes = readFileSync(part);
    const copy = join(belongings.directory('flipped'), 'bundle.zip');
    const unfound: number[] = [];
    for (let place = 0; place < 1000; place += 1) {
      const at = Math.floor((place * bytes.length) / 1000);
      writeFileSync(copy, flip(bytes, at, 1 << (place % 8)));
      // Every fiftieth all the way; of the others, what the verdict then follows from: refused, or not what was written.
      const found = place % 50 === 0 ? await verdict(copy) : await openedUnchanged(copy);
      if (found === true || (Array.isArray(found) && found.length === 0)) unfound.push(at);
    }
    expect(unfound).toEqual([]);
  });

  it('also where the digest of the file was made anew, unless all content is what it was', { timeout: 240_000 }, async () => {
    const bytes = readFileSync(part);
    const copy = join(belongings.directory('flipped'), 'bundle.zip');
    // What stands behind the digested bytes: the end record and, in its comment, the digest.
    const seal = bytes.lastIndexOf('SHA-256 ');
    const end = bytes.lastIndexOf('PK\u0005\u0006', seal, 'latin1');
    const original = await contentOf(part);
    const unfound: number[] = [];
    for (let place = 0; place < 150; place += 1) {
      const at = Math.floor((place * end) / 150) + (place % 3);
      const changed = flip(bytes, at, 1 << (place % 8));
      changed.write(createHash('sha256').update(changed.subarray(0, end)).digest('hex'), seal + 8, 'latin1');
      writeFileSync(copy, changed);
      const found = await verdict(copy);
      if (typeof found === 'string' || found.length > 0) continue;
      // Deflate has bits, and references into what repeats, that change nothing: then nothing was forged either.
      if ((await contentOf(copy)) !== original) unfound.push(at);
    }
    expect(unfound).toEqual([]);
  });
});

/** One digest of the names and contents of all files. */
async function contentOf(path: string): Promise<string> {
  const reader = await BundleReader.openFile(path);
  const digest = createHash('sha256');
  for (const { name } of reader.entries()) {
    digest.update(`${name}\0`);
    for await (const chunk of reader.open(name)) digest.update(chunk);
  }
  await reader.close();
  return digest.digest('hex');
}

describe('a bundle that was made anew', () => {
  const text = (files: Map<string, Buffer>, name: string, change: (text: string) => string) =>
    files.set(name, Buffer.from(change((files.get(name) ?? Buffer.alloc(0)).toString())));

  it.each<[string, (files: Map<string, Buffer>) => void, Partial<Finding>]>([
    [
      'with another recording',
      (files) => {
        const name = [...files.keys()].find((each) => each.endsWith('.cast')) ?? '';
        text(files, name, (cast) => cast.replace('29999', '99999'));
      },
      { code: 'altered', words: 'The text of this segment is not what was sealed' },
    ],
    [
      'with another record',
      (files) => {
        for (const name of ['data/ledger/records.ndjson', 'data/events.ndjson'])
          text(files, name, (lines) => lines.replaceAll('"status":0', '"status":1'));
      },
      { code: 'altered', words: 'The record is not the one that the ledger has the hash of' },
    ],
    [
      'without a record',
      (files) => {
        text(files, 'data/ledger/records.ndjson', (lines) => lines.slice(lines.indexOf('\n') + 1));
        text(files, 'data/ledger/indexes.txt', (lines) => lines.slice(lines.indexOf('\n') + 1));
        text(files, 'data/events.ndjson', (lines) => lines.slice(lines.indexOf('\n') + 1));
      },
      { code: 'inconsistent' },
    ],
    [
      'with records in another order',
      (files) => {
        text(files, 'data/ledger/records.ndjson', (lines) => lines.split('\n').slice(0, -1).toReversed().concat('').join('\n'));
      },
      { code: 'altered' },
    ],
    [
      'with another tile',
      (files) => {
        const name = [...files.keys()].find((each) => each.includes('/tile/0/')) ?? '';
        files.set(name, flip(files.get(name) ?? Buffer.alloc(0), 40));
      },
      { code: 'altered' },
    ],
    [
      'with another checkpoint',
      (files) => void text(files, 'data/ledger/checkpoint', (note) => note.replace(/\n\d+\n/, '\n12\n')),
      { code: 'forged' },
    ],
    [
      'with other words for its completeness',
      (files) => void text(files, 'data/query.json', (json) => json.replace(/"sessions":\d+/, '"sessions":1')),
      { code: 'inconsistent' },
    ],
    [
      'without a session in its table',
      (files) => void text(files, 'data/population.csv', (csv) => csv.replace(/\r\n[0-9a-f-]{36},yes.*\r\n/, '\r\n')),
      { code: 'inconsistent' },
    ],
    [
      'without a recording',
      (files) => {
        const name = [...files.keys()].find((each) => each.endsWith('.cast')) ?? '';
        files.delete(name);
      },
      { code: 'missing' },
    ],
    [
      'without content that was kept',
      (files) => {
        const name = [...files.keys()].find((each) => each.endsWith('.bin.zst')) ?? '';
        files.delete(name);
      },
      { code: 'missing' },
    ],
    [
      'with a planted recording',
      (files) => void files.set('data/recordings/01a20000-0000-7000-8000-000000000000-0.cast', Buffer.from('{"version":3}\n')),
      { code: 'added' },
    ],
    [
      'with a proof of something else',
      (files) => {
        const [one = '', two = ''] = [...files.keys()].filter((each) => each.endsWith('.tlog-proof'));
        files.set(one, files.get(two) ?? Buffer.alloc(0));
      },
      { code: 'inconsistent' },
    ],
    [
      'with another event beside a record',
      (files) => void text(files, 'data/events.ndjson', (lines) => lines.replace('"session.close"', '"session.open"')),
      { code: 'malformed' },
    ],
  ])('%s is found, with and without the attestation', async (_, change, expected) => {
    const unsigned = await remade(part, change, { unsigned: true });
    expect((await check(unsigned)).faults).toContainEqual(expect.objectContaining(expected));
    const signed = await remade(part, change);
    const { faults } = await check(signed);
    expect(faults).toContainEqual(expect.objectContaining({ where: { file: 'attestation.dsse.json' } }));
  });

  it('with nothing changed but its signature left out says so', async () => {
    const { faults, findings } = await check(await remade(part, () => undefined, { unsigned: true }));
    expect(faults).toEqual([]);
    expect(findings.map(({ words }) => words)).toContainEqual(expect.stringContaining('not signed as a whole'));
  });

  it('with a page of its own is found by the attestation, and by nothing else', async () => {
    const change = (files: Map<string, Buffer>) => void files.set('data/index.html', Buffer.from('<!doctype html>all is well'));
    expect((await check(await remade(part, change))).faults.map(({ where }) => where.file)).toEqual(['attestation.dsse.json']);
  });

  it('by a gateway with another key is found with the key got another way', async () => {
    const directory = belongings.directory('other');
    const other = await makeEvidence(belongings, {}, 2);
    const file = join(directory, 'other.zip');
    expect((await sallyport(['export', '--data', other.data, '-o', file])).status).toBe(0);
    expect((await check(file)).faults).toEqual([]);
    const { faults } = await check(file, { key: evidence.key });
    expect(faults.map(({ code }) => code)).toEqual(expect.arrayContaining(['inconsistent', 'forged']));
  });
});

describe('an absurd bundle', () => {
  it.each<[string, (files: Map<string, Buffer>) => void]>([
    ['a line without end', (files) => void files.set('data/ledger/records.ndjson', Buffer.alloc(40 * 1024 * 1024, 'a'))],
    ['a million indexes', (files) => void files.set('data/ledger/indexes.txt', Buffer.from('1\n'.repeat(1_000_000)))],
    ['an index beyond all numbers', (files) => void files.set('data/ledger/indexes.txt', Buffer.from('9'.repeat(40)))],
    [
      'a checkpoint of a size that cannot be',
      (files) => void files.set('data/ledger/checkpoint', Buffer.from('a\n9007199254740991\nAAAA\n\n— a b\n')),
    ],
    ['a table that is one quote', (files) => void files.set('data/population.csv', Buffer.from('"'.repeat(100_001)))],
    ['JSON as deep as it is long', (files) => void files.set('data/query.json', Buffer.from('['.repeat(1_000_000)))],
    ['a record as deep as it is long', (files) => void files.set('data/ledger/records.ndjson', Buffer.from(`${'['.repeat(60_000)}\n`))],
    [
      'a list of parts that names what is not there',
      (files) => void files.set('data/recordings/parts.txt', Buffer.from(`${sessions[0]} 0 1 999999999 sealed\n`)),
    ],
    [
      'nothing but a manifest',
      (files) => {
        for (const name of [...files.keys()]) if (name.startsWith('data/')) files.delete(name);
      },
    ],
  ])('with %s is refused in words, in bounded time and memory', async (_, change) => {
    const path = await remade(part, change, { unsigned: true });
    const before = process.memoryUsage.rss();
    const { faults } = await check(path);
    expect(faults.length).toBeGreaterThan(0);
    expect(process.memoryUsage.rss() - before).toBeLessThan(800 * 1024 * 1024);
    rmSync(path);
  });

  it('prints names from the bundle without obeying them', async () => {
    const path = await remade(part, text, { unsigned: true });
    const done = await sallyport(['verify', path]);
    expect(done.status).toBe(1);
    expect(done.stdout.toString()).not.toContain('\u001b');
    expect(statSync(path).size).toBeGreaterThan(0);
    function text(files: Map<string, Buffer>): void {
      const records = (files.get('data/ledger/records.ndjson') ?? Buffer.alloc(0)).toString();
      files.set('data/ledger/records.ndjson', Buffer.from(records.replace('"type":"', '"type":"\\u001b[31m')));
    }
  });

  it('of a database with two sessions is what the test is about', async () => {
    expect(sessions).toHaveLength(2);
    const [row] = await sql<{ n: number }>(evidence.data, 'SELECT count(*) AS n FROM sessions');
    expect(row?.n).toBe(38);
  });
});
