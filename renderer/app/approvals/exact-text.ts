import type { ApprovalRequest } from '../../../contract/approval.ts';
import { canonicalText } from '../../../contract/canonical.ts';

/** What is asked for, as it would be done: the one text that a decision is about, and what else is said of it. */
export interface ExactText {
  /** What the text is, for people. */
  readonly heading: string;
  readonly language: 'shell' | 'text';
  /** Undefined where the action says it all: a shell, a connection. */
  readonly text: string | undefined;
  /** Every other fact, name and value. None is left out. */
  readonly rest: readonly (readonly [name: string, value: string])[];
}

/** Which fact is the text, by action. */
const main: Readonly<
  Partial<Record<ApprovalRequest['action'], readonly [fact: string, heading: string, language: ExactText['language']]>>
> = {
  'ssh:exec': ['command', 'Runs this command', 'shell'],
  'ssh:input': ['line', 'Types this line at a terminal', 'shell'],
  'ssh:subsystem': ['name', 'Starts this subsystem', 'text'],
  'ssh:read-file': ['path', 'Reads this file', 'text'],
  'ssh:write-file': ['path', 'Changes this file', 'text'],
  'ssh:forward': ['to', 'Forwards a connection to', 'text'],
};

const headings: Readonly<Record<ApprovalRequest['action'], string>> = {
  connect: 'Connects to the target',
  'ssh:shell': 'Starts a shell, in which anything can be typed',
  'ssh:exec': 'Runs a command',
  'ssh:subsystem': 'Starts a subsystem',
  'ssh:read-file': 'Reads a file',
  'ssh:write-file': 'Changes a file',
  'ssh:forward': 'Forwards a connection',
  'ssh:agent-forward': 'Lets the target use the client’s SSH agent',
  'ssh:input': 'Types at a terminal',
};

export function exactText({ action, facts }: Pick<ApprovalRequest, 'action' | 'facts'>): ExactText {
  const [fact = '', heading = '', language = 'text'] = main[action] ?? [];
  const text = facts[fact];
  const found = typeof text === 'string';
  const rest = Object.entries(facts).filter(([name]) => !found || name !== fact);
  return {
    heading: found ? heading : headings[action],
    language: found ? language : 'text',
    text: found ? text : undefined,
    rest: rest.map(([name, value]) => [name, typeof value === 'string' ? value : canonicalText(value)]),
  };
}

/** In few words, for a heading or a notification: `runs rm -rf /srv/cache`. */
export function inFewWords(request: Pick<ApprovalRequest, 'action' | 'facts'>): string {
  const { heading, text } = exactText(request);
  return text === undefined ? heading : `${heading.replace(/ this (command|line|subsystem|file).*$/, '')} ${text}`;
}
