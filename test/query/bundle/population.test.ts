import { describe, expect, it } from 'vitest';
import type { SessionRow } from '../../../contract/session.ts';
import { populationCsv } from '../../../gateway/query/bundle/population.ts';

function row(over: Partial<SessionRow>): SessionRow {
  return {
    id: '01a205e1-e790-7000-8000-000000000000',
    started: '2026-03-01T09:30:00.123456Z',
    ended: null,
    state: 'live',
    principal: 'deploy-bot',
    principalKind: 'agent',
    onBehalfOf: 'engineer@example.com',
    target: 'web-1',
    protocol: 'ssh',
    source: '10.0.0.1:1',
    channels: 1,
    bytesIn: 2,
    bytesOut: 3,
    reason: null,
    ...over,
  };
}

function csv(over: Partial<SessionRow>, note = ''): string[] {
  const lines = [...populationCsv([{ session: row(over), firstIndex: 4, lastIndex: 9, records: 6, note }], [])];
  for (const line of lines) expect(line.endsWith('\r\n')).toBe(true);
  return lines;
}

describe('the population of a bundle', () => {
  it('names its columns, and has a line for each session', () => {
    const [header = '', line = ''] = csv({});
    expect(header.split(',')).toHaveLength(line.split(',').length);
    expect(line).toBe(
      '01a205e1-e790-7000-8000-000000000000,yes,live,2026-03-01T09:30:00.123456Z,,deploy-bot,agent,engineer@example.com,web-1,ssh,10.0.0.1:1,1,2,3,,4,9,6,\r\n',
    );
  });

  it('quotes what CSV needs quoted', () => {
    expect(csv({ target: 'a,b', reason: 'said "no"\r\nand left' })[1]).toContain(',"a,b",');
    expect(csv({ reason: 'said "no"\r\nand left' })[1]).toContain(',"said ""no""\r\nand left",');
  });

  it.each(['=HYPERLINK("http://x")', '+1', '-1', '@SUM(A1)', '\tx', '\r=1', '\n=1', '|calc', '%0a'])(
    'makes %j no formula for a spreadsheet',
    (principal) => {
      const line = csv({ principal })[1] ?? '';
      const field = line.slice(line.indexOf(',,') + 2, line.indexOf(',agent,'));
      expect(field).toMatch(/^"?'/);
      expect(field.replaceAll('""', '"')).toContain(principal);
    },
  );

  it('names sessions that were left out, and why', () => {
    const [, line] = [...populationCsv([], [{ session: 'x', reason: '=left, out' }])];
    expect(line).toBe(`x,no,,,,,,,,,,,,,,,,,"'=left, out"\r\n`);
  });
});
