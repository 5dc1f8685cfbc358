import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionRequest, Circumstances } from '../../../contract/policy.ts';
import { readCommand } from '../facts/command/read-command.ts';
import { readFileFacts } from '../facts/file-facts.ts';
import { readForwardFacts } from '../facts/forward-facts.ts';
import { addressOfSource } from '../facts/plain-address.ts';

type Context = Record<string, CedarValueJson>;

/** The context of a decision, and what of it is worth telling. `problem`: the facts are not those of the action. */
export type ReadContext =
  | { readonly context: Context; readonly understood?: Readonly<Record<string, unknown>>; readonly problem?: undefined }
  | { readonly problem: string };

/** Makes the context of the schema from the facts that a protocol gives. Nothing is added that was not understood. */
export function contextOf({ action, facts, circumstances }: Pick<ActionRequest, 'action' | 'facts' | 'circumstances'>): ReadContext {
  const how = readCircumstances(circumstances);
  if (how === undefined) return { problem: 'when or from where it is asked is not known' };
  switch (action) {
    case 'connect':
    case 'ssh:agent-forward':
      return { context: how };
    case 'ssh:shell':
      return { context: { ...how, terminal: facts.terminal === true } };
    case 'ssh:exec':
      return readExec(how, facts);
    case 'ssh:subsystem':
      if (typeof facts.name !== 'string') return { problem: 'the name of the subsystem is not known' };
      return { context: { ...how, terminal: facts.terminal === true, subsystem: facts.name } };
    case 'ssh:read-file':
    case 'ssh:write-file': {
      const file = readFileFacts(facts);
      if (file === undefined) return { problem: 'what is done to which file is not known' };
      const { because: _, ...members } = file;
      return { context: { ...how, ...members, flags: [...file.flags] }, understood: shortened(file) };
    }
    case 'ssh:forward': {
      const forward = readForwardFacts(facts);
      if (forward === undefined) return { problem: 'where the forwarding leads is not known' };
      const { because: _, address, ...members } = forward;
      return {
        context: { ...how, ...members, ...(address === undefined ? {} : { address: ip(address) }) },
        understood: shortened(forward),
      };
    }
    case 'ssh:input':
      return { problem: 'what is typed is not decided by policy' };
    default:
      return { problem: `no policy speaks of the action ${String(action satisfies never)}` };
  }
}

/** Characters of a command that policies may compare; a longer one is opaque anyway. */
const MAX_COMMAND = 64 * 1024;

function readExec(how: Context, facts: ActionRequest['facts']): ReadContext {
  const { command } = facts;
  if (typeof command !== 'string') return { problem: 'the command is not known' };
  const understood = readCommand(command);
  // Bytes that are no text stand beside it: what runs is not what is read here.
  const opaque = understood.opaque || 'commandBytes' in facts;
  const { program, programs, words, because = opaque ? 'the command is not text' : undefined } = understood;
  return {
    context: {
      ...how,
      terminal: facts.terminal === true,
      command: command.slice(0, MAX_COMMAND),
      program: opaque ? '' : program,
      programs: [...programs],
      words: [...words],
      opaque,
    },
    understood: shortened({ program, programs, words, opaque, ...(because === undefined ? {} : { because }) }),
  };
}

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

function readCircumstances({ time, source, authentication, sessionAge }: Circumstances): Context | undefined {
  const address = addressOfSource(source);
  const date = new Date(Math.floor(time / 1000));
  if (address === undefined || Number.isNaN(date.getTime()) || !Number.isSafeInteger(sessionAge)) return undefined;
  return {
    time: { __extn: { fn: 'datetime', arg: date.toISOString() } },
    hour: date.getUTCHours(),
    weekday: weekdays[date.getUTCDay()] as string,
    source: ip(address),
    authentication,
    sessionAge,
  };
}

function ip(address: string): CedarValueJson {
  return { __extn: { fn: 'ip', arg: address } };
}

/** Of lists and texts a record keeps the beginning: the facts themselves stand beside it. */
const MAX_ELEMENTS = 24;
const MAX_TEXT = 256;

function shortened(members: object): Record<string, unknown> {
  const shorten = (value: unknown): unknown => {
    if (typeof value === 'string' && value.length > MAX_TEXT) return `${value.slice(0, MAX_TEXT).toWellFormed()}…`;
    if (!Array.isArray(value)) return value;
    const kept = value.slice(0, MAX_ELEMENTS).map(shorten);
    return value.length > kept.length ? [...kept, `… and ${value.length - kept.length} more`] : kept;
  };
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, shorten(value)]));
}
