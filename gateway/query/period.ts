import { isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';

const DAY_MICROS = 86_400_000_000;

/** The beginning of a period: an ISO 8601 date or time, as records write times. Without an offset it is UTC. */
export function periodFrom(text: string): string {
  return isoMicros(readTime(text).micros);
}

/** The end of a period, exclusive: a date stands for the whole of that day. */
export function periodTo(text: string): string {
  const { micros, isDate } = readTime(text);
  return isoMicros(isDate ? micros + DAY_MICROS : micros);
}

const pattern = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

function readTime(text: string): { micros: number; isDate: boolean } {
  const match = pattern.exec(text);
  const [, date = '', time, fraction = '', offset = 'Z'] = match ?? [];
  const zone =
    offset.toUpperCase() === 'Z'
      ? 'Z'
      : offset.length === 3
        ? `${offset}:00`
        : offset.length === 5
          ? `${offset.slice(0, 3)}:${offset.slice(3)}`
          : offset;
  const millis =
    match === null
      ? Number.NaN
      : Date.parse(time === undefined ? `${date}T00:00:00Z` : `${date}T${time.length === 5 ? `${time}:00` : time}${zone}`);
  // Date.parse takes the 31st of February for a day in March.
  const isDay = match !== null && new Date(`${date}T00:00:00Z`).toJSON()?.slice(0, 10) === date;
  if (!Number.isFinite(millis) || !isDay) {
    throw new SallyportError('USAGE', `${text} is not a date or time`, {
      remedy: 'write it as 2026-03-01, 2026-03-01T09:30 or 2026-03-01T09:30:00+01:00',
    });
  }
  return { micros: millis * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6)), isDate: time === undefined };
}
