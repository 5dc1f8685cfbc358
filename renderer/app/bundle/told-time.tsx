import { printable } from '../../bundle-page/interface/printable.ts';
import { length, microsBetween } from '../design/format.ts';
import { TimeText } from '../design/labels.tsx';

/** A time as a bundle's list tells it: whoever forged the list may have written anything. */
export function ToldTime({ time }: { time: string }) {
  return isTime(time) ? <TimeText time={time} /> : <span className="mono">{printable(time.slice(0, 40))}</span>;
}

/** How long from one to the other; undefined where one of them is no time. */
export function toldLength(from: string, to: string): string | undefined {
  return isTime(from) && isTime(to) ? length(microsBetween(from, to)) : undefined;
}

function isTime(time: string): boolean {
  return Number.isFinite(Date.parse(time));
}
