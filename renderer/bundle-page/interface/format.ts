/** `2026-03-01 09:30:00`, UTC, from ISO 8601. */
export function instant(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

export function day(iso: string): string {
  return iso.slice(0, 10);
}

/** `0:41`, `12:05`, `1:02:11` of seconds. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}

/** A moment of a recording, both in microseconds. What is over in a minute is told in tenths of a second. */
export function moment(at: number, duration: number): string {
  if (duration >= 60e6) return span(at / 1e6);
  return `${span(at / 1e6)}.${Math.floor(Math.max(0, at) / 1e5) % 10}`;
}

/** For people who listen: `2 minutes 5 seconds`. */
export function spokenSpan(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  return minutes === 0 ? counted(whole, 'second') : `${counted(minutes, 'minute')} ${counted(whole % 60, 'second')}`;
}

export function secondsBetween(from: string, to: string | null): number | undefined {
  if (to === null) return undefined;
  const milliseconds = Date.parse(to) - Date.parse(from);
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds / 1000) : undefined;
}

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : plural}`;
}

export function grouped(count: number): string {
  return count.toLocaleString('en');
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  let value = count;
  for (const unit of ['kB', 'MB', 'GB']) {
    value /= 1000;
    if (value < 999.5 || unit === 'GB') return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  }
  return String(count);
}

export function milliseconds(ms: number): string {
  if (ms < 1) return '< 1 ms';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** A digest as much of it as a person compares; all of it stands in the title. */
export function shortHash(hex: string): string {
  return hex.length > 20 ? `${hex.slice(0, 12)}…${hex.slice(-4)}` : hex;
}

export function protocolName(protocol: string): string {
  return { ssh: 'SSH', postgres: 'PostgreSQL', mysql: 'MySQL', mcp: 'MCP' }[protocol] ?? protocol;
}
