import type { Frame } from '../../contract/frame-codec.ts';
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
  const principal = header.actor.onBehalfOf === undefined ? header.actor.principal : `${header.actor.principal} for ${header.actor.onBehalfOf}`;
  return JSON.stringify({
    version: 3,
    term: {
      cols: terminal === undefined || terminal.cols === 0 ? DEFAULT_COLS : terminal.cols,
      rows: terminal === undefined || terminal.rows === 0 ? DEFAULT_ROWS : terminal.rows,
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
      kind: header.kind,
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

interface Requests {
  terminal: { cols: number; rows: number; type: string } | undefined;
  command: string | undefined;
  env: Map<string, string>;
}

function readRequests(leading: readonly Frame[]): Requests {
  const found: Requests = { terminal: undefined, command: undefined, env: new Map() };
  for (const frame of leading) {
    if (frame.kind !== 'event') continue;
    const event = frame.event;
    if (event.t === 'terminal') {
      found.terminal = { cols: numberOr(event.cols, 0), rows: numberOr(event.rows, 0), type: textOr(event.type, '') };
    } else if (event.t === 'ssh.request') {
      if (event.request === 'exec') found.command = textOr(event.command, '');
      // A refused variable never reached the target. `__proto__` is not a name that a plain object can hold safely.
      if (event.request === 'env' && typeof event.name === 'string' && typeof event.value === 'string' && event.passed !== false) {
        found.env.set(event.name, event.value);
      }
    }
  }
  return found;
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
