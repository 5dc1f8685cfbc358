import { isPeriod, type PeriodName, periodOf } from './audit-period.ts';

/** A question as somebody puts it together. */
export interface Asking {
  readonly question: string | undefined;
  readonly period: PeriodName;
  readonly days: { readonly from: string; readonly to: string };
  readonly filters: Partial<Record<FilterName, string>>;
}

const filterNames = ['principal', 'onBehalfOf', 'target', 'protocol'] as const;
export type FilterName = (typeof filterNames)[number];

/** As it stands in the address, so that it can be sent to somebody. */
export function askingOf(search: URLSearchParams): Asking {
  const period = search.get('period');
  return {
    question: search.get('question') ?? undefined,
    period: isPeriod(period) ? period : '30d',
    days: { from: search.get('from') ?? '', to: search.get('to') ?? '' },
    filters: Object.fromEntries(
      filterNames.flatMap((name) => {
        const value = search.get(name);
        return value === null || value === '' ? [] : [[name, value]];
      }),
    ),
  };
}

export function searchOf({ question, period, days, filters }: Asking): Record<string, string> {
  return {
    ...(question === undefined ? {} : { question }),
    period,
    ...(period === 'days' ? days : {}),
    ...Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== '')),
  };
}

export interface PutQuestion {
  readonly question: string;
  readonly from?: string;
  readonly to?: string;
  readonly principal?: string;
  readonly onBehalfOf?: string;
  readonly target?: string;
  readonly protocol?: string;
}

/** As the gateway is asked. `filters`: those that the question knows; it refuses others. */
export function questionOf({ question, period, days, filters }: Asking, known: readonly FilterName[], now: Date): PutQuestion | undefined {
  if (question === undefined) return undefined;
  const { from, to } = periodOf(period, now, days);
  const wanted = known.flatMap((name) => {
    const value = filters[name]?.trim() ?? '';
    return value === '' ? [] : [[name, value] as const];
  });
  return { question, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), ...Object.fromEntries(wanted) };
}

/** Where the same answer is to be had as a file. */
export function csvPath({ question, ...rest }: PutQuestion): string {
  const query = new URLSearchParams(rest);
  return `/api/audit/${encodeURIComponent(question)}/csv${query.size === 0 ? '' : `?${query}`}`;
}
