import { InvalidArgumentError } from 'commander';

/** `SECONDS`, `MINUTES:SECONDS` or `HOURS:MINUTES:SECONDS`; seconds may have a fraction. */
const WRITTEN = /^(?:(?:(\d{1,6}):)?(\d{1,2}):(?=\d{1,2}(?:\.|$)))?(\d{1,9}(?:\.\d{1,9})?)$/;

/** How far into a recording, as `clock` writes it or in seconds. Microseconds. */
export function readClock(text: string): number {
  const [, hours = '0', minutes = '0', seconds] = WRITTEN.exec(text) ?? [];
  if (seconds === undefined || Number(minutes) > 59 || (text.includes(':') && Number(seconds) >= 60))
    throw new InvalidArgumentError('it has to be seconds, m:ss or h:mm:ss');
  return Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1e6);
}

/** Microseconds as `04:05` or `1:02:03`, with `tenths` as `04:05.2`. Rounded down: it is never later than what is meant. */
export function clock(micros: number, tenths = false): string {
  const all = Math.floor(micros / 1e5);
  const seconds = Math.floor(all / 10);
  const part = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const whole = `${hours > 0 ? `${hours}:` : ''}${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
  return tenths ? `${whole}.${all % 10}` : whole;
}
