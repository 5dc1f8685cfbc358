/** The outside world's time, handed in at the edge so that tests need no mock. */
export interface Clock {
  /** Wall clock, microseconds since the Unix epoch (UTC). May jump. */
  wallMicros(): number;
  /** Monotonic nanoseconds since an arbitrary moment. Exact up to 2^53 ns (104 days) of process life. */
  monotonicNanos(): number;
}

const origin = process.hrtime.bigint();

export const systemClock: Clock = {
  // Both halves come from one origin, so that microseconds do not jitter between calls.
  wallMicros: () => Math.round((performance.timeOrigin + performance.now()) * 1000) + wallCorrectionMicros(),
  monotonicNanos: () => Number(process.hrtime.bigint() - origin),
};

// performance.timeOrigin is fixed at start: an NTP step or a clock set by hand shows as a difference to Date.now().
// Differences of under 50 ms are the resolution of the comparison, not a step.
let correction = 0;
function wallCorrectionMicros(): number {
  const drift = Date.now() - (performance.timeOrigin + performance.now() + correction / 1000);
  if (Math.abs(drift) > 50) correction += Math.round(drift * 1000);
  return correction;
}

/** ISO 8601 in UTC with six fractional digits, as records carry it. */
export function isoMicros(wallMicros: number): string {
  const millis = Math.floor(wallMicros / 1000);
  const rest = wallMicros - millis * 1000;
  // In a burst many facts have the same millisecond, and writing out a date is the expensive part.
  if (millis !== written.millis) written = { millis, text: new Date(millis).toISOString().slice(0, -1) };
  return `${written.text}${String(rest).padStart(3, '0')}Z`;
}

let written = { millis: Number.NaN, text: '' };
