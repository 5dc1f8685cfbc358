/** Speeds that a person can choose. */
export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;
export type Speed = (typeof SPEEDS)[number];

/**
 * Where playing stands, in play time (microseconds), as a function of a monotonic clock (milliseconds). Pure: it is
 * told what time it is.
 */
export interface PlayClock {
  readonly playing: boolean;
  readonly speed: Speed;
  /** At `since` on the monotonic clock, playing stood here. */
  readonly position: number;
  readonly since: number;
}

export const stoppedClock: PlayClock = { playing: false, speed: 1, position: 0, since: 0 };

export function positionOf(clock: PlayClock, now: number): number {
  return clock.playing ? clock.position + Math.max(0, now - clock.since) * 1000 * clock.speed : clock.position;
}

export function withPlaying(clock: PlayClock, playing: boolean, now: number): PlayClock {
  return { ...clock, playing, position: positionOf(clock, now), since: now };
}

export function withSpeed(clock: PlayClock, speed: Speed, now: number): PlayClock {
  return { ...clock, speed, position: positionOf(clock, now), since: now };
}

export function withPosition(clock: PlayClock, position: number, now: number): PlayClock {
  return { ...clock, position, since: now };
}

/** The next slower or faster speed; the same at either end. */
export function neighbourSpeed(speed: Speed, by: -1 | 1): Speed {
  return SPEEDS[SPEEDS.indexOf(speed) + by] ?? speed;
}
