/** The times that a question is about, as an auditor names them. Days are the person's own; ends are not included. */
export interface Period {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export const periods = [
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
  { value: '90d', label: 'Last 90 days' },
  { value: 'month', label: 'This month' },
  { value: 'last-month', label: 'Last month' },
  { value: 'year', label: 'This year' },
  { value: 'last-year', label: 'Last year' },
  { value: 'all', label: 'Everything' },
  { value: 'days', label: 'From … to …' },
] as const;
export type PeriodName = (typeof periods)[number]['value'];

export function isPeriod(name: string | null): name is PeriodName {
  return periods.some(({ value }) => value === name);
}

/** `days`: of the choice `days`, as `2026-03-01`; the last one is included. */
export function periodOf(name: PeriodName, now: Date, days: { from: string; to: string } = { from: '', to: '' }): Period {
  const [year, month, date] = [now.getFullYear(), now.getMonth(), now.getDate()];
  const day = (y: number, m: number, d: number) => new Date(y, m, d).toISOString();
  switch (name) {
    case '7d':
      return { from: day(year, month, date - 6), to: undefined };
    case '30d':
      return { from: day(year, month, date - 29), to: undefined };
    case '90d':
      return { from: day(year, month, date - 89), to: undefined };
    case 'month':
      return { from: day(year, month, 1), to: undefined };
    case 'last-month':
      return { from: day(year, month - 1, 1), to: day(year, month, 1) };
    case 'year':
      return { from: day(year, 0, 1), to: undefined };
    case 'last-year':
      return { from: day(year - 1, 0, 1), to: day(year, 0, 1) };
    case 'all':
      return { from: undefined, to: undefined };
    default:
      return { from: dayStart(days.from, 0), to: dayStart(days.to, 1) };
  }
}

/** Undefined for what is no day. */
function dayStart(text: string, later: number): string | undefined {
  const [match, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (match === undefined) return undefined;
  const start = new Date(Number(year), Number(month) - 1, Number(date) + later);
  return Number.isNaN(start.getTime()) ? undefined : start.toISOString();
}
