import type { Command } from '../../../contract/replay/part.ts';
import type { TimelineMark } from '../../../contract/replay/timeline.ts';
import { type Sort, untoldMarks } from './timeline/mark.ts';

/** A line of the transcript. */
export interface Line {
  readonly key: string;
  /** Microseconds since the channel opened. */
  readonly at: number;
  readonly sort: Sort;
  readonly text: string;
  /** Lines of the text that are not in `text`. */
  readonly more: number;
  /** Of a command. */
  readonly command: Command | undefined;
  /** Of what is not of the recording: who. */
  readonly by: string | undefined;
}

export interface TranscriptParts {
  readonly commands: readonly Command[];
  readonly marks: readonly TimelineMark[];
  readonly notes: readonly { readonly note: string; readonly at: number; readonly text: string; readonly by: string }[];
}

/** What happened on a channel, in order. Commands come once, though they are marked as well; notes stand where they are about. */
export function transcriptOf({ commands, marks, notes }: TranscriptParts): Line[] {
  const lines: Line[] = [];
  for (const [index, command] of commands.entries()) {
    const [text, more] = firstLine(command.text);
    lines.push({ key: `c${index}`, at: command.at, sort: 'command', text, more, command, by: undefined });
  }
  for (const [index, { at, sort, title }] of untoldMarks({ marks, commands }).entries()) {
    const [text, more] = firstLine(title);
    lines.push({ key: `m${index}`, at, sort, text, more, command: undefined, by: undefined });
  }
  for (const { note, at, text: whole, by } of notes) {
    const [text, more] = firstLine(whole);
    lines.push({ key: note, at, sort: 'note', text, more, command: undefined, by });
  }
  return lines.sort((a, b) => a.at - b.at || order(a) - order(b));
}

/** The last line at or before a moment: what stands there. -1: none. */
export function lineAt(lines: readonly Pick<Line, 'at'>[], at: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Lines with each of the words in them, whatever their case. */
export function filterLines(lines: readonly Line[], words: string): readonly Line[] {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (wanted.length === 0) return lines;
  return lines.filter(({ text, command, by }) => {
    const all = `${command?.text ?? text} ${by ?? ''}`.toLowerCase();
    return wanted.every((word) => all.includes(word));
  });
}

/** How a command ended: `exit 0`, or that nobody can tell. */
export function endOf(command: Command): { words: string; tone: 'plain' | 'deny' | 'ok'; title: string } {
  if (command.exit !== undefined)
    return { words: `exit ${command.exit}`, tone: command.exit === 0 ? 'plain' : 'deny', title: `It ended with status ${command.exit}` };
  if (command.how === 'derived')
    return {
      words: 'derived',
      tone: 'plain',
      title: 'Read from what stood on the screen between the prompt and Enter. How it ended is not known',
    };
  return { words: command.until === undefined ? 'no end seen' : 'no status', tone: 'plain', title: 'How it ended is not recorded' };
}

/** As text to paste elsewhere. */
export function copied(lines: readonly Line[], time: (at: number) => string): string {
  return lines
    .map(({ at, text, command, by, sort }) => {
      const end = command === undefined ? '' : `\t${endOf(command).words}`;
      return `${time(at)}\t${sort}\t${(command?.text ?? text).replaceAll(/[\r\n]+/g, ' ⏎ ')}${by === undefined ? '' : `\t${by}`}${end}`;
    })
    .join('\n');
}

function firstLine(text: string): [first: string, more: number] {
  const lines = text.split(/\r\n|\r|\n/);
  return [lines[0] ?? '', lines.length - 1];
}

/** Of what happens at one time: what was asked for before what came of it, and what people said of it last. */
function order({ sort }: Line): number {
  return sort === 'asked' ? 0 : sort === 'note' ? 2 : 1;
}
