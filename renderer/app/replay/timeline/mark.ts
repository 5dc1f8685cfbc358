import type { MarkKind } from '../../../../contract/replay/describe-note.ts';
import type { TimelineMark } from '../../../../contract/replay/timeline.ts';

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

export function markOf(mark: TimelineMark): Mark {
  return { at: mark.at, sort: sortOf(mark), title: mark.title };
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
  end: 'signal or end',
  marker: 'marker',
  damage: 'damage',
  note: 'note',
  found: 'found',
};
