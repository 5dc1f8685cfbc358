import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { reviewSubject } from '../../../contract/signed-statements.ts';
import { Watched, watchedNanos } from '../../../gateway/query/review/read-session-review.ts';
import { readRecordedPart } from '../../../gateway/query/review/recorded-part.ts';
import { Stretches } from '../../../gateway/query/review/stretches.ts';
import type { SegmentPlace } from '../../../gateway/store/segments-table.ts';
import { watched as seen } from '../../support/review-records.ts';

it('stretches are what their parts are together, whatever their order', () => {
  const part = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 12 })).map(([from, length]): [number, number] => [from, from + length]);
  fc.assert(
    fc.property(fc.array(part, { maxLength: 25 }), part, (parts, asked) => {
      const stretches = new Stretches(1000);
      const seen = new Set<number>();
      for (const [from, to] of parts) {
        expect(stretches.add(from, to)).toBe(true);
        for (let moment = from; moment < to; moment += 1) seen.add(moment);
      }
      expect(stretches.nanos).toBe(seen.size);
      let before = -1;
      for (const [from, to] of stretches.all) {
        expect(from).toBeGreaterThan(before);
        expect(to).toBeGreaterThan(from);
        before = to;
      }
      const all = Array.from({ length: asked[1] - asked[0] }, (_, index) => asked[0] + index).every((moment) => seen.has(moment));
      expect(stretches.covers(...asked)).toBe(all);
    }),
  );
});

it('no more of them are held than may be, and what touches one of them still finds room', () => {
  const stretches = new Stretches(2);
  expect([stretches.add(0, 1), stretches.add(10, 11), stretches.add(20, 21)]).toEqual([true, true, false]);
  expect(stretches.add(1, 10)).toBe(true);
  expect(stretches.all).toEqual([[0, 11]]);
  expect([stretches.add(30, 31, false), stretches.add(11, 12, false)]).toEqual([false, true]);
});

it('the subject of a review is the one of the contract, of however many segments', async () => {
  const session = '01951234-0000-7000-8000-000000000001';
  const rows = Array.from({ length: 1203 }, (_, index) => ({
    channel: Math.floor(index / 600),
    segment: (index % 600) + 1,
    sha256: index.toString(16).padStart(64, '0'),
    to: (index % 600) * 1000,
  }));
  const pageOfSession = async (_: string, after: SegmentPlace | undefined, limit: number) => {
    const at =
      after === undefined ? 0 : rows.findIndex(({ channel, segment }) => channel === after.channel && segment === after.segment) + 1;
    return rows.slice(at, at + limit);
  };
  for (const some of [rows, []]) {
    const { subject, durations } = await readRecordedPart(
      { segments: { pageOfSession: some.length === 0 ? async () => [] : pageOfSession } },
      session,
    );
    expect(subject).toBe(createHash('sha256').update(reviewSubject(session, some)).digest('hex'));
    expect([...durations]).toEqual(
      some.length === 0
        ? []
        : [
            [0, 599_000],
            [1, 599_000],
            [2, 2000],
          ],
    );
  }
});

it('who reports very many parts of a session is told of with so many, and takes nothing from others', () => {
  const watched = new Watched(new Map(Array.from({ length: 5 }, (_, channel) => [channel, 1e9])));
  const view = (reviewer: string, channel: number, from: number): void => {
    const record = seen('01951234-0000-7000-8000-000000000001', reviewer, from, from + 1);
    watched.take({ ...record, body: { ...record.body, channel }, id: '', time: '', nonce: '' });
  };
  for (let count = 0; count < 5000; count += 1) view('mallory', count % 5, count * 10);
  view('alice', 0, 5);
  const told = [...(watched.byOperator.get('mallory')?.values() ?? [])].reduce((sum, { all }) => sum + all.length, 0);
  expect(told).toBe(500);
  expect(watchedNanos(watched.byOperator.get('alice'))).toBe(1);
});
