import { length } from '../design/format.ts';

/** How much of something was watched. Nothing is all of it but all of it. Nanoseconds. */
export function shareWords(seen: number, of: number): string {
  if (of === 0) return 'there is nothing to watch';
  if (seen >= of) return 'all of it';
  const percent = Math.min(99, Math.floor((seen / of) * 100));
  return `${percent === 0 && seen > 0 ? 'less than 1' : percent} %, ${length(seen / 1000)} of ${length(of / 1000)}`;
}
