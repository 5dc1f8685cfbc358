import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvHeader, csvLine } from '../../../gateway/query/audit/csv.ts';

const columns = [
  { name: 'first', says: '' },
  { name: 'second', says: '' },
];

const line = (first: string) => csvLine(columns, { first, second: 'x' });

/** What Python's own reader makes of it: not ours. */
function readBack(text: string): string[][] {
  const script = 'import csv,json,sys; print(json.dumps(list(csv.reader(sys.stdin.buffer.read().decode().splitlines(True), strict=True))))';
  return JSON.parse(execFileSync('/usr/bin/python3', ['-c', script], { input: text, encoding: 'utf8' })) as string[][];
}

describe('a cell of CSV', () => {
  it.each([
    '=1+1',
    '=cmd|/C calc!A0',
    '+1',
    '-1+1',
    '@SUM(A1)',
    '\t=1',
    ' =1',
    '\u00a0=1',
    '\u200b=1',
    '\ufeff=1',
    '＝1',
    '|calc',
    '%00',
    "'=1",
    '\n=1',
  ])('that a spreadsheet might run or hide is text: %j', (text) => {
    expect(line(text)).toMatch(/^"?'/);
  });

  it.each(['uptime', 'ls -la', '/bin/true', '127.0.0.1:22', '2026-03-01T00:00:00Z', 'a=b'])('that is harmless is as it is: %s', (text) => {
    expect(line(text)).toBe(`${text},x\r\n`);
  });

  it('shows controls instead of sending them to whoever prints the file', () => {
    expect(line('a\x1b[2Jb\u202ec\x00')).toBe('a\\x1b[2Jb\\u202ec\\x00,x\r\n');
  });

  it('survives quotes, commas and line ends, as another reader has it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'ü', '漢') }), { minLength: 1, maxLength: 4 }),
        (cells) => {
          const text = cells.map((cell) => csvLine(columns, { first: cell, second: cells })).join('');
          const rows = readBack(csvHeader(columns) + text);
          const marked = (cell: string) => (/^[\n]/.test(cell) ? `'${cell}` : cell);
          expect(rows).toEqual([['first', 'second'], ...cells.map((cell) => [marked(cell), marked(cells.join('; '))])]);
        },
      ),
      { numRuns: 20 },
    );
  });
});
