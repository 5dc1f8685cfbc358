/** As it is read aloud: `2 minutes 5 seconds`. Microseconds. */
export function spokenSpan(micros: number): string {
  const seconds = Math.max(0, Math.floor(micros / 1e6));
  const parts = [
    told(Math.floor(seconds / 3600), 'hour'),
    told(Math.floor(seconds / 60) % 60, 'minute'),
    seconds < 3600 ? told(seconds % 60, 'second') : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? '0 seconds' : parts.join(' ');
}

function told(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;
}
