/** Casts count in steps of 10 µs (docs/recording-format.md, Time). */
export const STEP_NANOS = 10_000;

/** Nanoseconds between an event and the one before it, of a line of a cast; 0 for anything that is no event. */
export function intervalOf(line: string): number {
  if (line.charCodeAt(0) !== 0x5b) return 0;
  const seconds = Number(line.slice(1, line.indexOf(',')));
  return seconds > 0 && Number.isFinite(seconds) ? Math.round(seconds * 1e5) * STEP_NANOS : 0;
}

/** The time that a clock event states, in nanoseconds since the channel opened; undefined for other lines. */
export function clockOf(line: string): number | undefined {
  const stated = /^\[[^,]{1,24},"\+","\{\\"mono\\":(\d{1,16}),\\"t\\":\\"clock\\"/.exec(line)?.[1];
  return stated === undefined ? undefined : wholeSteps(Number(stated));
}

export function wholeSteps(nanos: number): number {
  return Math.floor(nanos / STEP_NANOS) * STEP_NANOS;
}

/** A moment or a length for people: `12.3 s`, `4:30.5`, `1:02:03.0`. */
export function timeWords(nanos: number): string {
  const tenths = Math.round(nanos / 1e8);
  const seconds = (tenths % 600) / 10;
  const minutes = Math.floor(tenths / 600);
  if (minutes === 0) return `${seconds.toFixed(1)} s`;
  const rest = seconds.toFixed(1).padStart(4, '0');
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}
