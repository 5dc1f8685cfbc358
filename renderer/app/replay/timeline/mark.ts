import type { MarkKind } from '../../../../contract/replay/describe-note.ts';
import type { Command } from '../../../../contract/replay/part.ts';
import type { Timeline, TimelineMark } from '../../../../contract/replay/timeline.ts';

/** What a mark is about, as a reader tells them apart. `note` and `found` are not of the recording. */
export type Sort =
  | 'command'
  | 'file'
  | 'asked'
  | 'approved'
  | 'denied'
  | 'supervised'
  | 'secret'
  | 'end'
  | 'marker'
  | 'damage'
  | 'note'
  | 'found';

export interface Mark {
  readonly at: number;
  readonly sort: Sort;
  readonly title: string;
}

const sorts: Readonly<Record<Exclude<MarkKind, 'decision'>, Sort>> = {
  command: 'command',
  file: 'file',
  connection: 'file',
  secret: 'secret',
  signal: 'end',
  end: 'end',
  marker: 'marker',
  damage: 'damage',
};

/**
 * Decisions, approvals and supervision are of one kind in a recording. How they are worded says which: by the gateway when it
 * recorded them, or else by contract/replay/describe-note.ts. What is none of these is a refusal, in whatever words.
 */
export function sortOf({ kind, title }: Pick<TimelineMark, 'kind' | 'title'>): Sort {
  if (kind !== 'decision') return sorts[kind];
  if (/^(approval asked|decision: ask)/i.test(title)) return 'asked';
  if (/^approved/i.test(title)) return 'approved';
  return SUPERVISED.test(title) ? 'supervised' : 'denied';
}

const SUPERVISED = /^(message (of|by)|paused by|resumed by|ended by|stepp(ed|ing)\b)/i;

function markOf(mark: TimelineMark): Mark {
  return { at: mark.at, sort: sortOf(mark), title: mark.title };
}

/** What a recording has marked, and its commands: those that a shell ran are no marks of their own. In order. */
export function marksOf({ marks, commands }: Pick<Timeline, 'marks' | 'commands'>): Mark[] {
  const ran = commands.map(({ at, text }): Mark => ({ at, sort: 'command', title: text }));
  return [...untoldMarks({ marks, commands }), ...ran].sort((a, b) => a.at - b.at);
}

/** Marks that say something which is said nowhere else: no command that is known as such, no decision that was then asked for. */
export function untoldMarks({ marks, commands }: Pick<Timeline, 'marks' | 'commands'>): Mark[] {
  const told = marks.map(markOf);
  return told.filter(
    (mark, index) =>
      (mark.sort !== 'command' || !isCommand(mark, commands)) &&
      !(isToAsk(mark) && told.slice(index + 1).some((other) => isSame(mark, other))),
  );
}

function isToAsk({ sort, title }: Mark): boolean {
  return sort === 'asked' && title.startsWith('Decision: ask');
}

/** Whether the asking follows at once. */
function isSame(decided: Mark, other: Mark): boolean {
  return other.sort === 'asked' && !isToAsk(other) && other.at - decided.at < ASKED_MICROS;
}

const ASKED_MICROS = 1_000_000;

/** A command is asked for and then runs: its mark is at most a moment away from it. */
const SAME_MICROS = 200_000;
/** Titles are cut; this much of one is enough. */
const SAME_LETTERS = 60;

function isCommand({ at, title }: Mark, commands: readonly Command[]): boolean {
  return commands.some(
    ({ how, at: ran, text }) =>
      how === 'exec' && Math.abs(ran - at) <= SAME_MICROS && title.replace(/^\$ /, '').startsWith(text.slice(0, SAME_LETTERS)),
  );
}

/** The most telling comes first: what stands for several marks at one place. */
export const ranking: readonly Sort[] = [
  'damage',
  'denied',
  'asked',
  'approved',
  'supervised',
  'note',
  'found',
  'secret',
  'command',
  'file',
  'marker',
  'end',
];

export const sortNames: Readonly<Record<Sort, string>> = {
  command: 'command',
  file: 'file or connection',
  asked: 'approval asked',
  approved: 'approved',
  denied: 'denied',
  supervised: 'supervision',
  secret: 'secret left out',
  end: 'end',
  marker: 'marker',
  damage: 'damage',
  note: 'note',
  found: 'found',
};
