import { expect, test } from 'vitest';
import { countdown } from '../../../renderer/app/approvals/countdown.ts';
import { exactText, inFewWords } from '../../../renderer/app/approvals/exact-text.ts';

const expires = '2026-03-01T09:40:00.000000Z';
const before = (seconds: number) => Date.parse(expires) - seconds * 1000;

test.each([
  [462, '7:42', 'waits', '8 minutes left'],
  [3731, '1:02:11', 'waits', '63 minutes left'],
  [200_000, '2 d 7 h', 'waits', '55 hours left'],
  [31, '0:31', 'waits', 'a minute left'],
  [30, '0:30', 'urgent', 'less than half a minute left'],
  [0.2, '0:01', 'urgent', 'less than half a minute left'],
  [0, '0:00', 'over', 'its time is over'],
  [-5, '0:00', 'over', 'its time is over'],
])('%s seconds before its end', (seconds, text, state, spoken) => {
  expect(countdown(expires, before(seconds))).toEqual({ text, state, spoken });
});

test('every fact of a request is shown: the text, and all others', () => {
  expect(exactText({ action: 'ssh:exec', facts: { command: 'ls', commandBytes: 'bHM=', terminal: false } })).toEqual({
    heading: 'Runs this command',
    language: 'shell',
    text: 'ls',
    rest: [
      ['commandBytes', 'bHM='],
      ['terminal', 'false'],
    ],
  });
  expect(exactText({ action: 'ssh:write-file', facts: { operation: 'rename', path: '/a', to: '/b' } }).rest).toEqual([
    ['operation', 'rename'],
    ['to', '/b'],
  ]);
  // What should be text and is not is a fact like any other.
  expect(exactText({ action: 'ssh:exec', facts: { command: { words: ['ls'] } } })).toMatchObject({
    text: undefined,
    rest: [['command', '{"words":["ls"]}']],
  });
  expect(exactText({ action: 'connect', facts: {} })).toMatchObject({ heading: 'Connects to the target', text: undefined });
  expect(inFewWords({ action: 'ssh:exec', facts: { command: 'rm -rf /srv' } })).toBe('Runs rm -rf /srv');
});
