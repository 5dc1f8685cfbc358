import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { isBinary } from '../../contract/replay/parse-segment.ts';
import type { ChannelRow } from '../../contract/session.ts';
import type { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { type CastItem, castItems } from './cast-events.ts';
import { describeEvent, type RecordedObject, readRecordedObject } from './describe-event.ts';
import type { CastPart } from './read-cast.ts';
import { TerminalItems } from './terminal-items.ts';
import { TextLines } from './text-lines.ts';
import type { ItemBody, TranscriptItem } from './transcript-item.ts';

/** Characters of an event whose lines are given out together: an event may have a million, each of them a line. */
const PIECE = 16_384;

type Stream = 'o' | 'e' | 'i';

/**
 * What is told of one channel, in batches: what a piece of the recording completes comes together, and there is always
 * something. Output as a reader of the terminal saw it, under the command that it belongs to. On a terminal input is
 * not repeated: what was typed shows as its echo.
 */
export async function* channelItems(
  parts: AsyncIterable<CastPart>,
  channel: Pick<ChannelRow, 'channel' | 'opened'>,
  whenDamaged: (error: SallyportError) => void,
): AsyncGenerator<TranscriptItem[]> {
  let ready: TranscriptItem[] = [];
  let now = Date.parse(channel.opened) * 1000;
  /** Commands that have just begun. What confirms them comes before anything else does. */
  let begun: TranscriptItem[] = [];
  const say = (body: ItemBody) => {
    const item: TranscriptItem = { ...body, at: now, channel: channel.channel };
    if (item.kind === 'began' && item.command.how !== 'exec') {
      begun.push(item);
      return;
    }
    if (begun.length > 0) ready.push(...begun);
    begun = [];
    ready.push(item);
  };
  /** As `say`, for what there are millions of. */
  const sayText = (stream: Stream, text: string) => {
    if (begun.length > 0) ready.push(...begun);
    begun = [];
    ready.push({ kind: 'text', at: now, channel: channel.channel, stream, text });
  };
  const note = (text: string) => say({ kind: 'note', text });
  const terminal = new TerminalItems({ say, line: (text) => sayText('o', text), since: (at) => openedMicros + at });
  const linesOf = (stream: Stream) => new TextLines((text) => sayText(stream, text));
  const streams = { o: linesOf('o'), e: linesOf('e'), i: linesOf('i') };
  let openedMicros = now;
  let descriptor: 'o' | 'e' = 'o';
  /** The last text, until it is known whether its exact bytes follow (`+ raw`). */
  let held: { at: number; stream: Stream; text: string } | undefined;
  const given = () => {
    const items = ready;
    ready = [];
    return items;
  };
  function* release(exactBytes?: number): Generator<TranscriptItem[]> {
    if (held === undefined) return;
    const { at, stream, text } = held;
    held = undefined;
    const event = { kind: 'data', at, stream, text } as const;
    if (terminal.terminal && stream === 'i') terminal.take(event);
    else if (exactBytes !== undefined && isBinary(text)) {
      streams[stream].end();
      terminal.endLine();
      note(`[${exactBytes} bytes of ${streamWords[stream]} that are not text]`);
    } else if (terminal.terminal) {
      for (const _piece of terminal.show(event)) if (ready.length > 0) yield given();
    } else {
      for (const piece of pieces(text)) {
        streams[stream].push(piece);
        if (ready.length > 0) yield given();
      }
    }
  }
  const finishLines = () => {
    for (const stream of [streams.i, streams.o, streams.e]) stream.end();
    terminal.endLine();
  };

  function* take(item: CastItem): Generator<TranscriptItem[]> {
    if (item.kind === 'header') {
      const { header } = item;
      openedMicros = header.openedMicros;
      now = openedMicros;
      if (header.pty) terminal.becomeTerminal(header.cols, header.rows);
      return;
    }
    const event = item.kind === 'event' && item.code === '+' ? readRecordedObject(item.data) : undefined;
    yield* release(event?.t === 'raw' ? exactLength(event) : undefined);
    now = openedMicros + item.at;
    if (item.kind === 'damage') {
      finishLines();
      const words = printable(item.error.message);
      terminal.take({ kind: 'damage', at: item.at, until: item.at, words });
      say({ kind: 'damage', text: `[${words}]` });
      whenDamaged(item.error);
    } else if (item.code === 'o' || item.code === 'i') {
      held = { at: item.at, stream: item.code === 'i' ? 'i' : descriptor, text: item.data };
    } else if (item.code === 'x') {
      finishLines();
      sayExit(item.at, item.data);
    } else if (item.code === 'r') {
      const size = readSize(item.data);
      if (size !== undefined) terminal.take({ kind: 'resize', at: item.at, ...size });
    } else if (event !== undefined) takeObject(item.at, event);
  }

  function takeObject(at: number, event: RecordedObject): void {
    if (event.t === 'fd') descriptor = event.fd === 2 ? 'e' : 'o';
    if (event.t === 'terminal') terminal.becomeTerminal(sizeOr(event.cols, 80), sizeOr(event.rows, 24));
    const began = event.t === 'ssh.request' && event.request === 'exec' && event.passed !== false && typeof event.command === 'string';
    const text = describeEvent(event);
    if (text !== undefined) {
      finishLines();
      if (!began) note(text);
    }
    terminal.take({ kind: 'note', at, note: event });
  }

  /** The status is that of the command, when there is one; else that of the shell. */
  function sayExit(at: number, status: string): void {
    const before = ready.length;
    const event: CastEvent = { kind: 'exit', at, status };
    terminal.take(event);
    const told = ready.slice(before).some((item) => item.kind === 'over' && item.command.how === 'exec');
    if (!told) note(`[exit ${printable(status)}]`);
  }

  try {
    for await (const item of castItems(parts)) {
      yield* take(item);
      if (ready.length > 0) yield given();
    }
    yield* release();
    finishLines();
    terminal.end();
    ready.push(...begun);
    if (ready.length > 0) yield ready;
  } finally {
    terminal.close();
  }
}

/** The text in order, cut between characters. */
function* pieces(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const end = from + PIECE;
    const next = text.codePointAt(end - 1) ?? 0;
    const to = next > 0xffff ? end + 1 : end;
    yield text.slice(from, to);
    from = to;
  }
}

const streamWords = { o: 'output', e: 'error output', i: 'input' } as const;

function readSize(data: string): { cols: number; rows: number } | undefined {
  const [match, cols, rows] = /^(\d{1,5})x(\d{1,5})$/.exec(data) ?? [];
  return match === undefined ? undefined : { cols: sizeOr(Number(cols), 80), rows: sizeOr(Number(rows), 24) };
}

function sizeOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : otherwise;
}

function exactLength(event: RecordedObject): number {
  return typeof event.b64 === 'string' ? Buffer.byteLength(event.b64, 'base64') : 0;
}
