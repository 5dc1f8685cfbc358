/** Times of records are ISO 8601 UTC with microseconds; people see their own clock, and UTC where they point at it. */

const dayAndTime = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const timeOnly = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dayOnly = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' });
const counted = new Intl.NumberFormat();

export function clockTime(time: string): string {
  return timeOnly.format(new Date(time));
}

export function shortDateTime(time: string): string {
  return dayAndTime.format(new Date(time));
}

export function day(time: string): string {
  return dayOnly.format(new Date(time));
}

export function utc(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export function number(value: number): string {
  return counted.format(value);
}

/** `1 command`, `3 commands`. */
export function counting(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** `0:42`, `1:02:11`; with a tenth where asked. Microseconds. */
export function length(micros: number, tenths = false): string {
  const whole = Math.max(0, Math.floor(micros / 100_000));
  const seconds = Math.floor(whole / 10);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const head = hours > 0 ? `${hours}:${two(minutes)}` : String(minutes);
  return `${head}:${two(seconds % 60)}${tenths ? `.${whole % 10}` : ''}`;
}

/** From one time of records to another, or to now. Microseconds. */
export function microsBetween(from: string, to: string | null, now = Date.now()): number {
  return ((to === null ? now : Date.parse(to)) - Date.parse(from)) * 1000;
}

/** `6 s ago`, `4 min ago`, `3 h ago`, and then the day. */
export function ago(time: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return day(time);
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function byteSize(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

const protocols: Readonly<Record<string, string>> = { ssh: 'SSH', postgres: 'PostgreSQL', mysql: 'MySQL', mcp: 'MCP', shell: 'Shell' };

export function protocolName(protocol: string): string {
  return protocols[protocol] ?? protocol;
}
