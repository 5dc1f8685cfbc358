import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AheadBudget, ContentDigest } from '../../../gateway/protocol/ssh/content-digest.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('the digest of a file in pieces', () => {
  it('is that of the file, in whatever order the pieces come', () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(pieces, fc.nat(1_000_000), fc.infiniteStream(fc.nat()), (parts, start, order) => {
        const content = Buffer.concat(parts);
        let at = start;
        const placed = parts.map((part) => {
          const offset = at;
          at += part.length;
          return { offset, bytes: Buffer.from(part) };
        });
        const digest = new ContentDigest();
        while (placed.length > 0) {
          const [next] = placed.splice((order.next().value ?? 0) % placed.length, 1);
          if (next !== undefined) digest.add(next.offset, next.bytes, start);
        }
        expect(digest.summary()).toEqual({ offset: start, bytes: content.length, sha256: sha256(content), sequential: true });
      }),
    );
  });

  it('is over the pieces as they came, and says so, when they overlap or leave a gap', () => {
    const digest = new ContentDigest();
    digest.add(0, Buffer.from('abc'));
    digest.add(1, Buffer.from('xyz'));
    expect(digest.summary()).toEqual({ offset: 0, bytes: 6, sha256: sha256(Buffer.from('abcxyz')), sequential: false });
    const gap = new ContentDigest();
    gap.add(0, Buffer.from('abc'));
    gap.add(10, Buffer.from('xyz'));
    expect(gap.summary()).toMatchObject({ bytes: 6, sequential: false });
  });

  it('of nothing is none', () => {
    expect(new ContentDigest().summary()).toBeUndefined();
  });

  it('keeps no more ahead than all files of a channel may together', () => {
    const budget = new AheadBudget();
    const whole = budget.left;
    const digests = Array.from({ length: 100 }, () => new ContentDigest(budget));
    for (const digest of digests) {
      digest.add(0, Buffer.alloc(1));
      for (let piece = 0; piece < 4; piece += 1) digest.add(1000 + piece * 100_000, Buffer.alloc(100_000));
    }
    expect(budget.left).toBeGreaterThanOrEqual(0);
    expect(whole - budget.left).toBeLessThanOrEqual(8 * 1024 * 1024);
    for (const digest of digests) expect(digest.summary()?.bytes).toBe(400_001);
    expect(budget.left).toBe(whole);
  });
});
