import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkLength,
  FieldReader,
  MalformedMessage,
  readChannelData,
  readChannelOpen,
  readChannelOpenConfirmation,
  readChannelOpenFailure,
  readChannelRequest,
  readExtendedData,
  readGlobalRequest,
  readRecipient,
  textFact,
  withRecipient,
  writeMessage,
} from '../../../gateway/protocol/ssh/connection-messages.ts';

const number = fc.nat(0xffff_ffff);
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const text = fc.string({ maxLength: 60, unit: 'binary' }).map((string) => string.toWellFormed());

describe('messages', () => {
  it('read as what they were written from', () => {
    fc.assert(
      fc.property(text, number, number, number, bytes, fc.boolean(), (name, one, two, three, payload, flag) => {
        const open = readChannelOpen(writeMessage(90, name, one, two, three, payload));
        expect([open.type, open.sender, open.window, open.packet, open.fields.bytes()]).toEqual([name, one, two, three, payload]);
        open.fields.end();
        expect(readChannelOpenConfirmation(writeMessage(91, one, two, three, one))).toEqual({
          recipient: one,
          sender: two,
          window: three,
          packet: one,
        });
        expect(readChannelOpenFailure(writeMessage(92, one, two, name, ''))).toEqual({ recipient: one, reason: two, description: name });
        expect(readChannelData(writeMessage(94, one, payload))).toEqual(payload);
        expect(readExtendedData(writeMessage(95, one, two, payload))).toEqual({ type: two, data: payload });
        const asked = readChannelRequest(writeMessage(98, one, name, flag, payload));
        expect([asked.name, asked.wantReply, asked.fields.bytes()]).toEqual([name, flag, payload]);
        expect(readGlobalRequest(writeMessage(80, name, flag)).name).toBe(name);
        expect(readRecipient(withRecipient(writeMessage(98, one, name, flag), two))).toBe(two);
      }),
    );
  });

  const readers: [string, (message: Buffer) => unknown, Buffer][] = [
    ['a channel open', readChannelOpen, writeMessage(90, 'session', 1, 2, 3)],
    ['a confirmation', readChannelOpenConfirmation, writeMessage(91, 1, 2, 3, 4)],
    ['a refusal', readChannelOpenFailure, writeMessage(92, 1, 2, 'no', 'en')],
    ['data', readChannelData, writeMessage(94, 1, 'bytes')],
    ['extended data', readExtendedData, writeMessage(95, 1, 1, 'bytes')],
    ['a channel request', (message) => readChannelRequest(message).fields.bytes(), writeMessage(98, 1, 'exec', true, 'true')],
    ['a global request', (message) => readGlobalRequest(message).fields.uint32(), writeMessage(80, 'name', true, 7)],
    ['a recipient', readRecipient, writeMessage(97, 7)],
  ];
  for (const [what, read, message] of readers) {
    it(`are not believed when they are cut short: ${what}`, () => {
      read(message);
      for (let length = 1; length < message.length; length += 1)
        expect(() => read(Buffer.from(message.subarray(0, length)))).toThrow(MalformedMessage);
    });
  }

  it('are not believed when more follows than they have', () => {
    expect(() => readChannelOpenConfirmation(Buffer.concat([writeMessage(91, 1, 2, 3, 4), Buffer.from('x')]))).toThrow(MalformedMessage);
    expect(() => readChannelData(Buffer.concat([writeMessage(94, 1, 'x'), Buffer.from('x')]))).toThrow(MalformedMessage);
    expect(() => readExtendedData(Buffer.concat([writeMessage(95, 1, 1, 'x'), Buffer.from('x')]))).toThrow(MalformedMessage);
    expect(() => checkLength(writeMessage(97, 1), 9)).toThrow(MalformedMessage);
    expect(() => new FieldReader(Buffer.from([1, 2])).end()).toThrow(MalformedMessage);
  });

  it('from anybody are read or refused, and nothing else is thrown', () => {
    fc.assert(
      fc.property(bytes, (message) => {
        for (const [, read] of readers) {
          try {
            read(message);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(MalformedMessage);
          }
        }
      }),
    );
  });

  it('give texts by which their bytes can be told apart', () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        fc.pre(!one.equals(other));
        expect(textFact('path', one)).not.toEqual(textFact('path', other));
      }),
    );
    expect(textFact('path', Buffer.from('/tmp/ä'))).toEqual({ path: '/tmp/ä' });
  });
});
