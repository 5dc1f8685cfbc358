import { sessionFlags, sessionStates } from '../../../contract/operations/sessions.ts';
import type { OperationInput } from '../../../contract/operator-api.ts';

/** What the list of sessions is asked for. */
export type SessionQuestion = Partial<
  Pick<
    OperationInput<'session.list'>,
    'state' | 'principal' | 'onBehalfOf' | 'target' | 'protocol' | 'text' | 'from' | 'to' | 'tag' | 'flag' | 'review'
  >
>;

export interface ReadQuery {
  readonly question: SessionQuestion;
  /** What could not be understood, in words for whoever typed it. */
  readonly faults: readonly string[];
}

interface Field {
  readonly member: keyof SessionQuestion;
  readonly says: string;
  readonly values?: readonly string[];
  /** Of the word to what is asked for; undefined for a word that makes no sense. */
  read?(word: string): string | undefined;
}

const time = (word: string) => (/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.test(word) ? word : undefined);

/** The words before the colon. */
export const queryFields: Readonly<Record<string, Field>> = {
  agent: { member: 'principal', says: 'who connected: an agent or a human' },
  for: { member: 'onBehalfOf', says: 'the human behind the agent' },
  target: { member: 'target', says: 'where to' },
  env: { member: 'tag', says: "the target's tag env", read: (word) => `env=${word}` },
  tag: { member: 'tag', says: 'a tag of the target, KEY=VALUE', read: (word) => (/^[^=]+=./.test(word) ? word : undefined) },
  protocol: { member: 'protocol', says: 'how', values: ['ssh'] },
  state: { member: 'state', says: 'how it stands', values: sessionStates },
  is: { member: 'flag', says: 'what stands out', values: sessionFlags },
  review: { member: 'review', says: 'whether it was signed off', values: ['none', 'fine', 'concern'] },
  from: { member: 'from', says: 'began on or after this date or time', read: time },
  to: { member: 'to', says: 'began before this date or time', read: time },
  text: { member: 'text', says: 'in names and commands' },
};

const PIECES = /([a-zA-Z-]+):(?:"([^"]*)"?|(\S*))|"([^"]*)"?|(\S+)/g;

/** `target:web agent:deploy-bot from:2026-03-01 is:denied drop`: each has to be met; words without a colon are text. */
export function readQuery(query: string): ReadQuery {
  const question: Record<string, string> = {};
  const faults: string[] = [];
  const words: string[] = [];
  for (const [piece, name, quoted, plain, quotedWord, word] of query.matchAll(PIECES)) {
    if (name === undefined) {
      words.push(quotedWord ?? word ?? '');
      continue;
    }
    const field = queryFields[name.toLowerCase()];
    if (field === undefined) {
      // What looks like a field and is none: an address, a time, a path.
      if (/^[a-z]+:$/.test(piece) || queryNear(name) !== undefined) faults.push(`There is no “${name}:”${nearWords(name)}`);
      else words.push(piece);
      continue;
    }
    const value = quoted ?? plain ?? '';
    if (value === '') continue;
    if (field.values !== undefined && !field.values.includes(value)) {
      faults.push(`“${name}:” is one of ${field.values.join(', ')}`);
      continue;
    }
    const read = field.read === undefined ? value : field.read(value);
    if (read === undefined) faults.push(`“${piece}” is not ${field.says}`);
    else if (field.member === 'text') words.push(read);
    else if (question[field.member] !== undefined) faults.push(`“${name}:” can be said once`);
    else question[field.member] = read;
  }
  const text = words.filter((word) => word !== '').join(' ');
  return { question: { ...question, ...(text === '' ? {} : { text }) }, faults };
}

/** The query with this field set to the value, or without it. */
export function withField(query: string, name: string, value: string | undefined): string {
  const member = queryFields[name]?.member;
  const rest = query
    .replaceAll(PIECES, (piece: string, found?: string) =>
      found !== undefined && queryFields[found.toLowerCase()]?.member === member ? '' : piece,
    )
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (value === undefined) return rest;
  return `${rest} ${name}:${/[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value}`.trim();
}

/** How the word that is being typed can go on. */
export function suggestions(query: string): readonly { readonly text: string; readonly says: string }[] {
  const last = /\S*$/.exec(query)?.[0] ?? '';
  const head = query.slice(0, query.length - last.length);
  const [name = '', value] = last.split(':');
  if (value === undefined) {
    return Object.entries(queryFields)
      .filter(([field]) => field.startsWith(name.toLowerCase()))
      .map(([field, { says }]) => ({ text: `${head}${field}:`, says }));
  }
  return (queryFields[name.toLowerCase()]?.values ?? [])
    .filter((each) => each.startsWith(value) && each !== value)
    .map((each) => ({ text: `${head}${name}:${each} `, says: '' }));
}

function queryNear(name: string): string | undefined {
  const lower = name.toLowerCase();
  return Object.keys(queryFields).find((field) => (lower.length > 2 && field.startsWith(lower)) || swapped(field, lower));
}

function swapped(field: string, typed: string): boolean {
  return field.length === typed.length && field.length > 3 && Array.from(field).filter((letter, at) => letter !== typed[at]).length <= 2;
}

function nearWords(name: string): string {
  const near = queryNear(name);
  return near === undefined ? '' : `; perhaps “${near}:”`;
}
