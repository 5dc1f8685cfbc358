import type { AuditRecord } from '../../../contract/record.ts';
import { ActionsAnswer, actionCells } from './actions-answer.ts';
import type { Cell, Column, FilterName, Question } from './question.ts';

const filters: readonly FilterName[] = ['principal', 'onBehalfOf', 'target', 'protocol'];
const STARTS: ReadonlySet<string> = new Set(['ssh:exec', 'ssh:shell', 'ssh:subsystem']);

const columns: readonly Column[] = [
  { name: 'time', says: 'when it was decided, which is before it ran (UTC)' },
  { name: 'session', says: 'id of the session' },
  { name: 'human', says: 'the human behind it' },
  { name: 'principal', says: 'who logged in' },
  { name: 'kind', says: 'human or agent', wide: true },
  { name: 'target', says: 'where' },
  { name: 'channel', says: 'number of the channel', wide: true },
  { name: 'action', says: 'ssh:exec, ssh:shell, ssh:subsystem …' },
  { name: 'verdict', says: 'what policy said' },
  { name: 'ended', says: 'when it ended; empty when no end is recorded', wide: true },
  { name: 'exit_status', says: 'exit status of the program' },
  { name: 'exit_signal', says: 'signal that ended it', wide: true },
  { name: 'outcome', says: 'success, failure, refused, not approved, refused by the target, ended without a result, no end is recorded' },
];
const lastColumns: readonly Column[] = [{ name: 'index', says: 'ledger index of the decision', wide: true }];
const order = 'in the order in which they ended; what has no end comes last';

const SHORTENED = 'A command longer than a record can hold is cut, and says so with its length and SHA-256; the recording has all of it';
const TYPED =
  'What is typed into a shell at a terminal is in no record: the row of the shell names the session, whose recording has it, and whose transcript says which commands were typed (sallyport transcript)';
const FILES = 'Operations on files over SFTP are in the recording of their session and not in records yet';

export const commandsQuestion: Question = {
  name: 'commands',
  asks: 'Which commands ran, where, and how did they end?',
  columns: [
    ...columns,
    { name: 'command', says: 'the command of an exec, the name of a subsystem; empty for a shell' },
    { name: 'command_bytes', says: 'the exact bytes in base64, where they are not UTF-8', wide: true },
    { name: 'terminal', says: 'whether a terminal was given', wide: true },
    ...lastColumns,
  ],
  filters,
  limits: [TYPED, FILES, SHORTENED],
  missing: [],
  order,
  followsSessions: true,
  context: [],
  answer: (asked) =>
    new ActionsAnswer(
      asked,
      ({ body }) => STARTS.has(body.action),
      (found) => {
        const { facts } = found.decided.body;
        return {
          ...actionCells(found),
          command: text(facts.command ?? facts.name ?? facts.shortened),
          command_bytes: text(facts.commandBytes ?? facts.nameBytes),
          terminal: typeof facts.terminal === 'boolean' ? facts.terminal : null,
        };
      },
    ),
};

export const agentActionsQuestion: Question = {
  name: 'agent-actions',
  asks: 'What did agents do, and for which human each time?',
  columns: [
    ...columns,
    { name: 'what', says: 'the command, subsystem or forwarding, as JSON' },
    { name: 'policies', says: 'the rules that decided', wide: true },
    ...lastColumns,
  ],
  filters,
  limits: [
    'Tool calls (MCP) and statements (SQL) are not served and so not recorded yet: these are actions over SSH',
    TYPED,
    FILES,
    SHORTENED,
  ],
  missing: ['mcp.tools.changed', 'lease.used'],
  order,
  followsSessions: true,
  context: [],
  answer: (asked) =>
    new ActionsAnswer(
      asked,
      ({ actor }) => actor.kind === 'agent',
      (found) => ({ ...actionCells(found), what: whatOf(found.decided), policies: found.decided.body.decision.policies }),
    ),
};

function whatOf({ body }: AuditRecord<'action.decided'>): string {
  const { command, ...others } = body.facts;
  return typeof command === 'string' && body.action === 'ssh:exec' && !('commandBytes' in others) ? command : JSON.stringify(body.facts);
}

function text(value: unknown): Cell {
  return typeof value === 'string' ? value : null;
}
