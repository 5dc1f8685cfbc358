import { describe, expect, it } from 'vitest';
import { cellText, columnTitle, isSession, isTime, tableColumns } from '../../renderer/app/evidence/audit-columns.ts';
import { periodOf, periods } from '../../renderer/app/evidence/audit-period.ts';
import { type Asking, askingOf, csvPath, questionOf, searchOf } from '../../renderer/app/evidence/audit-question.ts';

const now = new Date(2026, 2, 15, 13, 30);
const local = (year: number, month: number, day: number) => new Date(year, month, day).toISOString();

describe('the period of a question', () => {
  it('begins and ends at midnight where the person is', () => {
    expect(periodOf('7d', now)).toEqual({ from: local(2026, 2, 9), to: undefined });
    expect(periodOf('month', now)).toEqual({ from: local(2026, 2, 1), to: undefined });
    expect(periodOf('last-month', now)).toEqual({ from: local(2026, 1, 1), to: local(2026, 2, 1) });
    expect(periodOf('last-year', now)).toEqual({ from: local(2025, 0, 1), to: local(2026, 0, 1) });
    expect(periodOf('last-month', new Date(2026, 0, 31))).toEqual({ from: local(2025, 11, 1), to: local(2026, 0, 1) });
    expect(periodOf('all', now)).toEqual({ from: undefined, to: undefined });
  });

  it('of days includes the last one', () => {
    expect(periodOf('days', now, { from: '2026-03-01', to: '2026-03-31' })).toEqual({ from: local(2026, 2, 1), to: local(2026, 3, 1) });
    expect(periodOf('days', now, { from: '', to: 'yesterday' })).toEqual({ from: undefined, to: undefined });
  });

  it('never ends before it begins', () => {
    for (const { value } of periods) {
      const { from, to } = periodOf(value, now);
      if (from !== undefined && to !== undefined) expect(from < to, value).toBe(true);
    }
  });
});

describe('a question', () => {
  const asking: Asking = {
    question: 'commands',
    period: 'days',
    days: { from: '2026-03-01', to: '2026-03-02' },
    filters: { target: 'web-1', principal: '' },
  };

  it('survives its address', () => {
    expect(askingOf(new URLSearchParams(searchOf(asking)))).toEqual({ ...asking, filters: { target: 'web-1' } });
    expect(askingOf(new URLSearchParams('period=nonsense'))).toMatchObject({ question: undefined, period: '30d', filters: {} });
  });

  it('is put with the filters that it knows, and with the same ones as CSV', () => {
    const put = questionOf({ ...asking, filters: { ...asking.filters, protocol: 'ssh' } }, ['target', 'principal'], now);
    expect(put).toEqual({ question: 'commands', from: local(2026, 2, 1), to: local(2026, 2, 3), target: 'web-1' });
    const path = new URL(csvPath(put ?? { question: '' }), 'https://gateway');
    expect(path.pathname).toBe('/api/audit/commands/csv');
    expect(Object.fromEntries(path.searchParams)).toEqual({ from: local(2026, 2, 1), to: local(2026, 2, 3), target: 'web-1' });
    expect(questionOf({ ...asking, question: undefined }, [], now)).toBeUndefined();
  });
});

describe('the table of an answer', () => {
  const answer = {
    columns: [
      { name: 'session', says: 'its id', wide: false },
      { name: 'started', says: 'when', wide: false },
      { name: 'on_behalf_of', says: 'for whom', wide: false },
      { name: 'host_key', says: 'algorithm', wide: true },
    ],
    rows: [
      {
        session: '01a206a2-251b-7522-b64b-acc926086c1e',
        started: '2026-03-01T09:30:00.000000Z',
        on_behalf_of: 'engineer@example.com',
        host_key: null,
      },
      { session: 'gone', started: '', on_behalf_of: 'x'.repeat(5000), host_key: 'ssh-ed25519' },
    ],
  };

  it('has the wide columns when they are wanted, and each is as wide as its content, up to a bound', () => {
    expect(tableColumns(answer, false).map(({ name }) => name)).toEqual(['session', 'started', 'on_behalf_of']);
    const columns = tableColumns(answer, true);
    expect(columns.map(({ name }) => name)).toEqual(['session', 'started', 'on_behalf_of', 'host_key']);
    for (const { width } of columns) {
      expect(width).toBeGreaterThan(40);
      expect(width).toBeLessThanOrEqual(460);
    }
    expect(columns[2]).toMatchObject({ title: 'On behalf of', says: 'for whom', width: 460, grows: true });
  });

  it('leads to sessions by ids alone, and tells times from other text', () => {
    expect(isSession('session', answer.rows[0]?.session)).toBe(true);
    expect(isSession('session', 'javascript:alert(1)')).toBe(false);
    expect(isSession('request', answer.rows[0]?.session)).toBe(false);
    expect(isTime('2026-03-01T09:30:00.000000Z')).toBe(true);
    expect(isTime('2026-03-01')).toBe(false);
  });

  it('says every kind of value', () => {
    expect([null, undefined, true, false, 7, 'x', ['a', 'b']].map((value) => cellText(value))).toEqual([
      '',
      '',
      'yes',
      'no',
      '7',
      'x',
      'a, b',
    ]);
    expect(columnTitle('asked_in')).toBe('Asked in');
  });
});
