import { SallyportError } from '../base/errors.ts';
import type { CastPart } from './read-cast.ts';

/** The members of a cast's header that are used here; everything in it is from outside. */
export interface CastHeader {
  cols: number;
  rows: number;
  timestamp: number;
  title: string | undefined;
  command: string | undefined;
  env: Readonly<Record<string, string>>;
  /** Wall clock in microseconds when the channel opened. */
  openedMicros: number;
  /** There was a terminal from the beginning. */
  pty: boolean;
}

/** What a cast says, one thing at a time. `at` is microseconds since the channel opened, exact over any length. */
export type CastItem =
  | { kind: 'header'; header: CastHeader }
  | { kind: 'event'; at: number; code: string; data: string }
  | { kind: 'damage'; at: number; error: SallyportError };

/** Reads the lines of a cast. A line that is not an event is damage, named and passed over. */
export async function* castItems(parts: AsyncIterable<CastPart>): AsyncGenerator<CastItem> {
  let at = 0;
  let lineNumber = 0;
  for await (const part of parts) {
    if (part.kind === 'damage') {
      at += Math.round(part.missingNanos / 1000);
      yield { kind: 'damage', at, error: part.error };
      continue;
    }
    lineNumber += 1;
    const parsed = parseLine(part.line);
    if (parsed === undefined) {
      yield {
        kind: 'damage',
        at,
        error: new SallyportError('RECORDING_DAMAGED', `Line ${lineNumber} of the recording is neither a header nor an event`),
      };
    } else if ('header' in parsed) {
      yield { kind: 'header', header: parsed.header };
    } else {
      at += parsed.intervalMicros;
      yield { kind: 'event', at, code: parsed.code, data: parsed.data };
    }
  }
}

function parseLine(line: string): { header: CastHeader } | { intervalMicros: number; code: string; data: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (Array.isArray(value)) {
    const [interval, code, data] = value as unknown[];
    if (typeof interval !== 'number' || !(interval >= 0) || typeof code !== 'string' || typeof data !== 'string') return undefined;
    return { intervalMicros: Math.round(interval * 1e6), code, data };
  }
  return isObject(value) && value.version === 3 ? { header: readHeader(value) } : undefined;
}

function readHeader(value: Record<string, unknown>): CastHeader {
  const term = isObject(value.term) ? value.term : {};
  const ours = isObject(value['x-sallyport']) ? value['x-sallyport'] : {};
  const env = isObject(value.env)
    ? Object.entries(value.env).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    : [];
  const timestamp = numberOr(value.timestamp, 0);
  const opened = typeof ours.opened === 'string' ? Date.parse(ours.opened) * 1000 + Number(ours.opened.slice(23, 26)) : Number.NaN;
  return {
    cols: numberOr(term.cols, 80),
    rows: numberOr(term.rows, 24),
    timestamp,
    title: textOrNone(value.title),
    command: textOrNone(value.command),
    env: Object.fromEntries(env),
    openedMicros: Number.isFinite(opened) ? opened : timestamp * 1e6,
    pty: ours.pty === true,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
