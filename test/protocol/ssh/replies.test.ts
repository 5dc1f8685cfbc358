import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplyOrder } from '../../../gateway/protocol/ssh/replies.ts';

describe('replies', () => {
  it('go out in the order of the requests, whoever answers them and whenever', () => {
    const step = fc.constantFrom('passed on', 'answered', 'arrived');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const sent: string[] = [];
        const order = new ReplyOrder((reply) => sent.push(reply.toString()));
        const expected: string[] = [];
        let passedOn = 0;
        let arrived = 0;
        for (const [index, what] of steps.entries()) {
          if (what === 'passed on') {
            expected.push(`target ${passedOn}`);
            passedOn += 1;
            order.passedOn();
          } else if (what === 'answered') {
            expected.push(`gateway ${index}`);
            order.answered(Buffer.from(`gateway ${index}`));
          } else {
            expect(order.arrived(Buffer.from(`target ${arrived}`))).toBe(arrived < passedOn);
            if (arrived < passedOn) arrived += 1;
          }
          expect(sent).toEqual(expected.slice(0, sent.length));
        }
        for (; arrived < passedOn; arrived += 1) order.arrived(Buffer.from(`target ${arrived}`));
        expect(sent).toEqual(expected);
        expect(order.outstanding).toBe(0);
      }),
    );
  });
});
