import type { Command } from '../../contract/replay/part.ts';
import { printable } from '../base/printable.ts';
import type { TranscriptItem } from './transcript-item.ts';

/** Said once above the commands of a terminal. */
export const DERIVED_WORDS =
  'Commands with (derived) are what stood on the screen between the prompt and Enter; no shell has confirmed them';

/** What only a command begins with: output that does is moved by a blank. */
const HEADED = /^\d\d:\d\d:\d\d [$>] /;
const COLON = 0x3a;

/** Error output of a channel without a terminal is marked `2>`, and what was sent to it `<`. */
export function linesOf(item: TranscriptItem): string | undefined {
  switch (item.kind) {
    case 'text':
      if (item.stream === 'e') return `2> ${item.text}`;
      if (item.stream === 'i') return `< ${item.text}`;
      return item.text.charCodeAt(2) === COLON && HEADED.test(item.text) ? ` ${item.text}` : item.text;
    case 'note':
    case 'damage':
      return item.text;
    case 'began':
      return beginning(item);
    default:
      return ending(item.command, item.last);
  }
}

function beginning({ since, command, text, added }: Extract<TranscriptItem, { kind: 'began' }>): string {
  const time = new Date(Math.floor(since / 1000)).toISOString().slice(11, 19);
  const [first = '', ...others] = printable(text, { keepLines: true }).split('\n');
  const label = command.how !== 'derived' || added ? '' : '  (derived)';
  return [`${time} ${added ? '>' : '$'} ${first}${label}`, ...others.map((line) => `${time} > ${line}`)].join('\n');
}

function ending(command: Command, last: boolean): string | undefined {
  const parts: string[] = [];
  if (command.exit !== undefined) parts.push(`exit ${command.exit}`);
  if (command.until !== undefined) parts.push(durationWords(command.until - command.at));
  if (parts.length === 0) return undefined;
  const name = last ? '' : `: ${printable(command.text.slice(0, 40).split('\n')[0] ?? '')}`;
  return `[${parts.join(', ')}${name}]`;
}

/** `12 ms`, `1.2 s`, `2 min 5 s`, `1 h 2 min`. */
export function durationWords(micros: number): string {
  const millis = micros / 1000;
  if (millis < 999.5) return `${Math.round(millis)} ms`;
  const seconds = millis / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
