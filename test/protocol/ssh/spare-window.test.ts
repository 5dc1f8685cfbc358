import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageType, readChannelOpen, writeMessage } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { SPARE_BYTES, SpareWindow } from '../../../gateway/protocol/ssh/spare-window.ts';

const open = (window: number, packet = 32_768): Buffer => writeMessage(MessageType.CHANNEL_OPEN, 'session', 3, window, packet);
const adjust = (bytes: number): Buffer => writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, 70, bytes);

describe('room for what the gateway has to say', () => {
  it('is not told to the target', () => {
    const { onward, spare } = SpareWindow.reserve(open(2_097_152), 100);
    expect(readChannelOpen(onward)).toMatchObject({ type: 'session', sender: 3, window: 2_097_152 - SPARE_BYTES - 100, packet: 32_768 });
    expect(spare.room).toBe(SPARE_BYTES + 100);
  });

  it.each([
    ['a small window', open(4096)],
    ['small packets', open(2_097_152, 1024)],
  ])('is not taken from a client with %s', (_what, message) => {
    const { onward, spare } = SpareWindow.reserve(message, 0);
    expect(onward).toBe(message);
    expect(spare.take(1)).toBe(false);
    expect(spare.adjusted(adjust(10))).toEqual(adjust(10));
  });

  it('never lets gateway and target together send more than the client takes', () => {
    const step = fc.oneof(
      fc.record({ say: fc.integer({ min: 1, max: 3000 }) }),
      fc.record({ output: fc.integer({ min: 1, max: 200_000 }) }),
      fc.record({ read: fc.integer({ min: 1, max: 200_000 }) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.array(step, { maxLength: 200 }), (extra, steps) => {
        const { onward, spare } = SpareWindow.reserve(open(131_072), extra);
        let client = 131_072;
        let target = readChannelOpen(onward).window;
        let unread = 0;
        for (const each of steps) {
          if ('say' in each && spare.take(each.say)) {
            client -= each.say;
            unread += each.say;
          } else if ('output' in each) {
            const sent = Math.min(each.output, target);
            target -= sent;
            client -= sent;
            unread += sent;
          } else if ('read' in each) {
            const read = Math.min(each.read, unread);
            if (read === 0) continue;
            unread -= read;
            client += read;
            target += spare.adjusted(adjust(read))?.readUInt32BE(5) ?? 0;
          }
          expect(client).toBeGreaterThanOrEqual(0);
          expect(client).toBeGreaterThanOrEqual(target + spare.room);
        }
        // Once everything is read, the room is there again, and the target has the rest.
        if (unread > 0) target += spare.adjusted(adjust(unread))?.readUInt32BE(5) ?? 0;
        expect(spare.room).toBeGreaterThanOrEqual(SPARE_BYTES);
        expect(target + spare.room).toBe(131_072);
      }),
    );
  });
});
