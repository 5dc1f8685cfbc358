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

/** Decisions, approvals and supervision are of one kind in a recording; contract/replay/describe-note.ts words them. */
export function sortOf({ kind, title }: Pick<TimelineMark, 'kind' | 'title'>): Sort {
  if (kind !== 'decision') return sorts[kind];
  if (title.startsWith('Approval asked') || title.startsWith('Decision: ask')) return 'asked';
  if (title.startsWith('Approved')) return 'approved';
  if (title.startsWith('Not approved') || title.startsWith('Decision:')) return 'denied';
  return 'supervised';
}

function markOf(mark: TimelineMark): Mark {
  return { at: mark.at, sort: sortOf(mark), title: mark.title };
}

/** What a recording has marked, and its commands: those that a shell ran are no marks of their own. In order. */
export function marksOf({ marks, commands }: Pick<Timeline, 'marks' | 'commands'>): Mark[] {
  const ran = commands.map(({ at, text }): Mark => ({ at, sort: 'command', title: text }));
  return [...untoldMarks({ marks, commands }), ...ran].sort((a, b) => a.at - b.at);
}

/** Marks without those of commands that are known as such. */
export function untoldMarks({ marks, commands }: Pick<Timeline, 'marks' | 'commands'>): Mark[] {
  return marks.map(markOf).filter((mark) => mark.sort !== 'command' || !isCommand(mark, commands));
}

/** A command is asked for and then runs: its mark is at most a moment away from it. */
const SAME_MICROS = 200_000;
/** Titles are cut; this much of one is enough. */
const SAME_LETTERS = 60;

function isCommand({ at, title }: Mark, commands: readonly Command[]): boolean {
  return commands.some(
    ({ how, at: ran, text }) => how === 'exec' && Math.abs(ran - at) <= SAME_MICROS && title.startsWith(text.slice(0, SAME_LETTERS)),
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
