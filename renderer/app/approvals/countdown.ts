/** From here on it is shown that little time is left. */
const URGENT_MILLIS = 30_000;

export interface Countdown {
  /** `7:42`, `1:02:11`, `2 d 3 h`; `0:00` when it is over. */
  readonly text: string;
  readonly state: 'waits' | 'urgent' | 'over';
  /** For whoever hears it: said seldom, so without seconds while there is time. */
  readonly spoken: string;
}

/** What is left until `expires`; both clocks are taken for the same one. */
export function countdown(expires: string, now: number): Countdown {
  const left = Date.parse(expires) - now;
  // Rounded up: as long as it is not over, something is left.
  const seconds = Math.max(0, Math.ceil(left / 1000));
  const state = left <= 0 ? 'over' : left <= URGENT_MILLIS ? 'urgent' : 'waits';
  return { text: clock(seconds), state, spoken: spoken(seconds, state) };
}

function clock(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function spoken(seconds: number, state: Countdown['state']): string {
  if (state === 'over') return 'its time is over';
  if (state === 'urgent') return 'less than half a minute left';
  const minutes = Math.ceil(seconds / 60);
  if (minutes >= 120) return `${Math.floor(minutes / 60)} hours left`;
  return minutes === 1 ? 'a minute left' : `${minutes} minutes left`;
}
