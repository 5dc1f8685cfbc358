import type { Frame, RecordedEvent } from '../../contract/frame-codec.ts';
import { isoMicros } from '../base/clock.ts';
import type { StretchHeader } from './stretch-header.ts';

const DEFAULT_COLS = 80;
const DEFAULT_ROWS = 24;

/**
 * The header line of a cast (asciicast v3), made of the stretch's header and of the frames before the first data: the
 * terminal, the environment and the command are only asked for after the channel has opened.
 */
export function castHeaderLine(header: StretchHeader, leading: readonly Frame[], syntheticOutput: boolean): string {
  const asked = readRequests(leading);
  const terminal = asked.terminal ?? header.terminal;
  const principal =
    header.actor.onBehalfOf === undefined ? header.actor.principal : `${header.actor.principal} for ${header.actor.onBehalfOf}`;
  return JSON.stringify({
    version: 3,
    term: {
      cols: showable(terminal?.cols) ?? DEFAULT_COLS,
      rows: showable(terminal?.rows) ?? DEFAULT_ROWS,
      ...(terminal === undefined || terminal.type === '' ? {} : { type: terminal.type }),
    },
    timestamp: Math.floor(header.openedAt / 1_000_000),
    title: `${principal} at ${header.target.name}`,
    ...(asked.command === undefined ? {} : { command: asked.command }),
    ...(asked.env.size === 0 ? {} : { env: Object.fromEntries(asked.env) }),
    tags: ['sallyport', header.protocol],
    'x-sallyport': {
      format: 1,
      session: header.session,
      channel: header.channel,
      kind: asked.kind ?? header.kind,
      protocol: header.protocol,
      principal: header.actor.principal,
      ...(header.actor.onBehalfOf === undefined ? {} : { on_behalf_of: header.actor.onBehalfOf }),
      source: header.actor.source,
      target: header.target.name,
      target_kind: header.target.kind,
      opened: isoMicros(header.openedAt),
      pty: terminal !== undefined,
      // Only what is typed at a terminal may be left out; the input of anything else is its content.
      input: terminal === undefined ? 'recorded' : header.input,
      ...(syntheticOutput ? { synthetic_output: true } : {}),
    },
  });
}

/** Players keep sizes in 16 bits; a PTY may be 0×0 (RFC 4254, section 6.2). */
function showable(size: number | undefined): number | undefined {
  return size !== undefined && size > 0 && size <= 65_535 ? size : undefined;
}

interface Requests {
  kind: string | undefined;
  terminal: { cols: number; rows: number; type: string } | undefined;
  command: string | undefined;
  env: Map<string, string>;
}

function readRequests(leading: readonly Frame[]): Requests {
  const found: Requests = { kind: undefined, terminal: undefined, command: undefined, env: new Map() };
  for (const frame of leading) {
    if (frame.kind !== 'event') continue;
    const { event } = frame;
    if (event.t === 'terminal') {
      found.terminal = { cols: numberOr(event.cols, 0), rows: numberOr(event.rows, 0), type: textOr(event.type, '') };
    } else if (event.t === 'ssh.request' && event.passed !== false) {
      // What was refused never reached the target; it stands in the events, not in the header.
      noteRequest(found, event);
    }
  }
  return found;
}

function noteRequest(found: Requests, { request, name, value, command }: RecordedEvent): void {
  if (request === 'exec') found.command = textOr(command, '');
  if (request === 'exec' || request === 'shell') found.kind = request;
  if (request === 'subsystem') found.kind = name === 'sftp' ? 'sftp' : 'subsystem';
  if (request === 'env' && typeof name === 'string' && typeof value === 'string') found.env.set(name, value);
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
