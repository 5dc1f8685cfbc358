import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../../contract/record.ts';
import { canonicalBytes } from '../../../gateway/ledger/canonical-json.ts';
import { GrowingTree } from '../../../gateway/ledger/growing-tree.ts';
import { leafHash, perfectRoot } from '../../../gateway/ledger/merkle.ts';
import { TILE_WIDTH } from '../../../gateway/ledger/tiles.ts';
import { DisplacedRecords } from '../../../gateway/query/verify/displaced-records.ts';
import { hashFile } from '../../../gateway/query/verify/hash-file.ts';
import { IndexSet } from '../../../gateway/query/verify/index-set.ts';
import { RecordChecks } from '../../../gateway/query/verify/record-checks.ts';
import { readRecord } from '../../../gateway/query/verify/record-form.ts';
import { settle } from '../../../gateway/query/verify/tile-block.ts';
import { TileTower } from '../../../gateway/query/verify/tile-tower.ts';
import { Belongings } from '../../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const record: AuditRecord<'auth.refused'> = {
  id: '01a20688-9250-7672-a140-73d694578ac8',
  time: '2026-03-01T09:30:00.123456Z',
  nonce: '0123456789abcdef0123456789abcdef',
  type: 'auth.refused',
  outcome: 'denied',
  actor: { principal: 'unknown', kind: 'unknown', source: '127.0.0.1:1' },
  target: { name: 'g', kind: 'gateway' },
  body: { protocol: 'ssh', method: 'publickey', user: 'a "quoted" \\ ü \u2028 name', reason: 'no principal has this key' },
};
const good = canonicalBytes(record);
const text = good.toString();

describe('the form of a record', () => {
  it('is taken when it is canonical, whatever texts are in it', () => {
    expect(readRecord(good)).toEqual({ state: 'record', record });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (user) => {
        const bytes = canonicalBytes({ ...record, body: { ...record.body, user } });
        expect(readRecord(bytes).state).toBe('record');
      }),
    );
  });

  it('is taken with members that look like numbers, which RFC 8785 sorts as text', () => {
    const facts = { 10: 'a', 9: 'b', a: { 2: [], 10: {} } };
    const decided = {
      ...record,
      type: 'action.decided',
      body: { channel: 0, action: 'x', digest: '00'.repeat(32), facts, decision: { verdict: 'deny', policies: [], policySet: '' } },
    };
    expect(readRecord(canonicalBytes(decided)).state).toBe('record');
  });

  it.each([
    ['a space', text.replace(':', ': ')],
    ['a line feed at its end', `${text}\n`],
    ['members in another order', text.replace('"kind":"unknown","principal":"unknown"', '"principal":"unknown","kind":"unknown"')],
    ['a member twice', text.replace('"outcome":"denied"', '"outcome":"denied","outcome":"denied"')],
    ['a member twice with another value', text.replace('"outcome":"denied"', '"outcome":"success","outcome":"denied"')],
    ['an escape where none is needed', text.replace('publickey', '\\u0070ublickey')],
    ['a slash that is escaped', text.replace('ssh', 's\\/h')],
    ['half a surrogate pair', text.replace('publickey', '\\ud800')],
    ['an unknown member', text.replace('"body":{', '"body":{"a":1,')],
    ['a type of the wrong kind', text.replace('"auth.refused"', '7')],
    ['__proto__ as a member', text.replace('"actor":{', '"__proto__":{},"actor":{')],
    ['a number that is written otherwise', text.replace('"principal":"unknown"', '"principal":1.0')],
    ['nothing', ''],
    ['null', 'null'],
    ['brackets without end', '['.repeat(65_000)],
  ])('is refused with %s', (_, changed) => {
    expect(changed).not.toBe(text);
    expect(readRecord(Buffer.from(changed)).state).toBe('malformed');
  });

  it('is refused when it is not UTF-8, or longer than a record may be', () => {
    expect(readRecord(Buffer.concat([good.subarray(0, 30), Buffer.of(0xff), good.subarray(30)]))).toMatchObject({ why: 'it is not UTF-8' });
    expect(readRecord(canonicalBytes({ ...record, body: { ...record.body, user: 'x'.repeat(70_000) } }))).toMatchObject({
      state: 'malformed',
    });
  });

  it('never takes two different texts for one record, nor fails on any: 104', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: good.length - 1 }),
        fc.uint8Array({ maxLength: 4 }),
        fc.integer({ min: 0, max: 3 }),
        (at, put, cut) => {
          const changed = Buffer.concat([good.subarray(0, at), put, good.subarray(at + cut)]);
          const form = readRecord(changed);
          if (form.state === 'record') expect(canonicalBytes(form.record).equals(changed)).toBe(true);
        },
      ),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readRecord(bytes).state).toBe('malformed');
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(readRecord(Buffer.from(json)).state).toBe('malformed');
      }),
      { numRuns: 500 },
    );
  });
});

describe('checking records', () => {
  it('goes on after whatever stands where a record should be: 104', () => {
    const anything = fc.oneof(
      fc.constant(good),
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      fc
        .record({
          type: fc.constantFrom('session.open', 'session.close', 'erased', 'hold.set', 'segment.sealed', 'made.up'),
          body: fc.dictionary(fc.string(), fc.jsonValue()),
        })
        .map((some) => canonicalBytes({ ...record, session: record.id, ...some })),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 20 }), (records) => {
        const checks = new RecordChecks();
        const batch = { indexes: records.map((_, at) => at), lengths: records.map(({ length }) => length), bytes: Buffer.concat(records) };
        const { findings } = checks.take(batch);
        const bad = records.filter((each) => readRecord(each).state === 'malformed').length;
        expect(findings.filter(({ code }) => code === 'malformed').length).toBeGreaterThanOrEqual(bad);
        checks.finish();
        expect(checks.totals().records).toBe(records.length);
      }),
    );
  });

  const erased = (records: [number, number][], more: Partial<AuditRecord<'erased'>['body']> = {}): AuditRecord<'erased'> => ({
    ...record,
    type: 'erased',
    outcome: 'success',
    session: record.id,
    body: { basis: 'retention', reason: '400 days are over', files: [], records, part: 1, parts: 1, ...more },
  });
  const check = (records: (AuditRecord | undefined)[]) => {
    const bytes = records.map((each) => (each === undefined ? undefined : canonicalBytes(each)));
    const checks = new RecordChecks();
    const { findings } = checks.take({
      indexes: records.map((_, at) => at),
      lengths: bytes.map((each) => each?.length ?? -1),
      bytes: Buffer.concat(bytes.flatMap((each) => each ?? [])),
    });
    return [...findings, ...checks.finish().findings]
      .filter(({ severity }) => severity === 'fault')
      .map(({ code, where }) => [code, where.index]);
  };

  it('an erasure is no fault when a record says what was erased, and a fault in every other way', () => {
    expect(check([undefined, undefined, erased([[0, 1]])])).toEqual([]);
    expect(check([undefined, undefined, erased([[0, 0]])])).toEqual([['missing', 1]]);
    expect(check([undefined, record, erased([[0, 1]])])).toEqual([['inconsistent', 1]]);
    expect(check([undefined, erased([[0, 5]])])).toEqual([
      ['malformed', 1],
      ['missing', 0],
    ]);
    expect(
      check([
        undefined,
        undefined,
        erased([
          [1, 1],
          [0, 0],
        ]),
      ]).map(([code]) => code),
    ).toContain('malformed');
    expect(check([undefined, erased([[0, 0]], { part: 1, parts: 2 })])).toEqual([['missing', 1]]);
    expect(check([undefined, erased([[0, 0]], { part: 2, parts: 2 })])).toEqual([['inconsistent', 1]]);
  });

  it('an erasure on request needs two signatures that verify', () => {
    expect(check([undefined, erased([[0, 0]], { basis: 'request' })])).toEqual([['unsigned', 1]]);
    const signatures = ['a', 'b'].map((principal) => ({ principal, key: 'k', signature: 'none' }));
    const codes = check([undefined, erased([[0, 0]], { basis: 'request', request: { document: 'd', signatures } })]).map(([code]) => code);
    expect(codes).toEqual(['forged', 'forged', 'unsigned']);
  });

  it('an erasure under a hold is a fault, and after it was cleared it is none', () => {
    const hold = '01a20688-9250-7672-a140-73d694578ac9';
    const set: AuditRecord<'hold.set'> = { ...record, type: 'hold.set', body: { hold, scope: { session: record.id }, reason: 'a case' } };
    const cleared: AuditRecord<'hold.cleared'> = { ...record, type: 'hold.cleared', body: { hold, reason: 'closed' } };
    expect(check([undefined, set, erased([[0, 0]])])).toEqual([['inconsistent', 2]]);
    expect(check([undefined, set, cleared, erased([[0, 0]])])).toEqual([]);
    expect(check([cleared])).toEqual([['inconsistent', 0]]);
  });

  it('keys follow each other', () => {
    const created: AuditRecord<'ledger.created'> = { ...record, type: 'ledger.created', body: { origin: 'o', key: 'one', taken: 0 } };
    const rotated = (previous: string, next: string): AuditRecord<'key.rotated'> => ({
      ...record,
      type: 'key.rotated',
      body: { origin: 'o', previous, next, endorsed: true },
    });
    expect(check([created, rotated('one', 'two'), rotated('two', 'three')])).toEqual([]);
    expect(check([created, rotated('other', 'two')])).toEqual([['inconsistent', 1]]);
    expect(check([created, created])).toEqual([['inconsistent', 1]]);
  });
});

describe('a set of indexes', () => {
  it('is what a plain set is, over borders of its pieces too', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 140_000 }), fc.integer({ min: 0, max: 70_000 })), { maxLength: 4 });
    fc.assert(
      fc.property(runs, runs, (mine, theirs) => {
        const [one, other] = [new IndexSet(), new IndexSet()];
        const [plain, otherPlain] = [new Set<number>(), new Set<number>()];
        for (const [set, model, list] of [
          [one, plain, mine],
          [other, otherPlain, theirs],
        ] as const)
          for (const [first, length] of list) {
            set.addRange(first, first + length);
            for (let index = first; index <= first + length; index += 1) model.add(index);
          }
        const spread = (found: Iterable<{ first: number; last: number }>) => {
          let sum = 0;
          for (const { first, last } of found) sum += last - first + 1;
          return sum;
        };
        expect(spread(one.without(other))).toBe([...plain].filter((index) => !otherPlain.has(index)).length);
        expect(spread(one.and(other))).toBe([...plain].filter((index) => otherPlain.has(index)).length);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the tree', () => {
  it('has the root that the gateway gives it, of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1500 }), (size) => {
        const tree = new GrowingTree();
        const tower = new TileTower(() => undefined);
        let leaves: Uint8Array[] = [];
        for (let index = 0; index < size; index += 1) {
          const entry = createHash('sha256').update(String(index)).digest();
          tree.append(entry);
          leaves.push(leafHash(entry));
          if (leaves.length < TILE_WIDTH) continue;
          tower.push(perfectRoot(Buffer.concat(leaves)));
          leaves = [];
        }
        expect(Buffer.from(tower.rootWith(Buffer.concat(leaves))).equals(tree.root())).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('finds the true hashes of a tile whichever of records, tile and entries were edited, as long as one or the tile above was not', () => {
    const truth = Array.from({ length: TILE_WIDTH }, (_, at) => createHash('sha256').update(`leaf ${at}`).digest());
    const claim = perfectRoot(Buffer.concat(truth));
    const edits = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 40 });
    const edited = (places: number[], salt: string) =>
      truth.map((leaf, at) =>
        places.includes(at)
          ? createHash('sha256')
              .update(salt + at)
              .digest()
          : leaf,
      );
    fc.assert(
      fc.property(edits, edits, (first, second) => {
        const settled = settle({ records: edited(first, 'a'), tile: edited(second, 'b'), entries: truth, claim }, TILE_WIDTH);
        expect(Buffer.concat(settled).equals(Buffer.concat(truth))).toBe(true);
        const apart = second.filter((at) => !first.includes(at));
        const voted = settle({ records: edited(first, 'a'), tile: edited(apart, 'b'), entries: truth, claim: undefined }, TILE_WIDTH);
        expect(Buffer.concat(voted).equals(Buffer.concat(truth))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe('records out of place', () => {
  it('are each told as moved, missing or added, whatever was done to their order', () => {
    const leafOf = (name: number) => createHash('sha256').update(`record ${name}`).digest();
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 80 }), { maxLength: 40 }),
        fc.array(fc.integer({ min: 0, max: 80 }), { maxLength: 40 }),
        (a, b) => {
          const [recorded, standing] = [[...new Set(a)], [...new Set(b)]];
          const displaced = new DisplacedRecords();
          for (let index = 0; index < Math.max(recorded.length, standing.length); index += 1) {
            const [was, is] = [recorded[index], standing[index]];
            if (was === is) continue;
            if (is !== undefined) displaced.standing(index, leafOf(is));
            if (was !== undefined) displaced.missed(index, leafOf(was));
          }
          const found = [...displaced.findings(Number.POSITIVE_INFINITY)];
          const count = (code: string) =>
            found.filter((each) => each.code === code).reduce((sum, { where: { index = 0, last = index } }) => sum + last - index + 1, 0);
          const gone = recorded.filter((name) => !standing.includes(name)).length;
          const moved = recorded.filter((name, index) => standing.includes(name) && standing.indexOf(name) !== index).length;
          expect(count('missing') + count('altered')).toBe(gone);
          expect(count('reordered')).toBe(moved);
          expect(count('added') + count('altered')).toBe(standing.filter((name) => !recorded.includes(name)).length);
        },
      ),
    );
  });
});

describe('the text of a segment', () => {
  it('is what its frames hold, however they are cut, and nothing when they are broken: 104', async () => {
    const path = join(belongings.directory('segment'), 'segment.zst');
    const frames = fc.array(fc.string({ maxLength: 3000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(frames, fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 7 }))), async (pieces, change) => {
        const content = Buffer.from(pieces.join('\n'));
        let packed = Buffer.concat(
          pieces.map((piece, at) => zstdCompressSync(at === 0 ? piece : `\n${piece}`, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })),
        );
        if (change !== null) {
          packed = Buffer.from(packed);
          const at = change[0] % packed.length;
          packed[at] = (packed[at] as number) ^ (1 << change[1]);
        }
        writeFileSync(path, packed);
        const { file, text: found } = await hashFile(path, { atMost: content.length });
        expect(file.bytes).toBe(packed.length);
        if (change === null)
          expect(found).toEqual({
            bytes: content.length,
            lines: content.toString('latin1').split('\n').length - 1,
            sha256: createHash('sha256').update(content).digest('hex'),
          });
      }),
      { numRuns: 200 },
    );
  });
});
