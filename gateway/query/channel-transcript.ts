import type { ChannelRow } from '../../contract/session.ts';
import type { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { type CastItem, castItems } from './cast-events.ts';
import { describeEvent, type RecordedObject, readRecordedObject } from './describe-event.ts';
import type { CastPart } from './read-cast.ts';
import { TextLines } from './text-lines.ts';

/** A line of a transcript, without its line feed, and when it was complete: microseconds since the epoch. */
export interface TranscriptLine {
  at: number;
  channel: number;
  text: string;
}

/** Output that is mostly not text (the first bytes of a binary stream) is counted instead of shown. */
const MOST_REPLACED = 0.05;

/** Characters of an event whose lines are given out together: an event may have a million, each of them a line. */
const PIECE = 16_384;

/**
 * One channel as lines of text, in batches: those that a piece of the recording completes come together, and there is
 * always one. Output as a reader of the terminal saw it; error output of a channel without a terminal
 * is marked `2>`, and what was sent to it `<`. On a terminal input is not repeated: what was typed shows as its echo.
 */
export async function* channelTranscript(
  parts: AsyncIterable<CastPart>,
  channel: Pick<ChannelRow, 'channel' | 'opened'>,
  whenDamaged: (error: SallyportError) => void,
): AsyncGenerator<TranscriptLine[]> {
  let ready: TranscriptLine[] = [];
  let now = Date.parse(channel.opened) * 1000;
  const say = (text: string) => ready.push({ at: now, channel: channel.channel, text });
  const streams = {
    o: new TextLines((line) => say(line)),
    e: new TextLines((line) => say(`2> ${line}`)),
    i: new TextLines((line) => say(`< ${line}`)),
  };
  let openedMicros = now;
  let descriptor: 'o' | 'e' = 'o';
  let terminal = false;
  /** The last text, until it is known whether its exact bytes follow (`+ raw`). */
  let held: { stream: 'o' | 'e' | 'i'; text: string } | undefined;
  const given = () => {
    const lines = ready;
    ready = [];
    return lines;
  };
  function* release(exactBytes?: number): Generator<TranscriptLine[]> {
    if (held === undefined) return;
    const { stream, text } = held;
    held = undefined;
    if (stream === 'i' && terminal) return;
    if (exactBytes !== undefined && isBinary(text)) {
      streams[stream].end();
      say(`[${exactBytes} bytes of ${streamWords[stream]} that are not text]`);
    } else {
      for (const piece of pieces(text)) {
        streams[stream].push(piece);
        if (ready.length > 0) yield given();
      }
    }
  }
  const finishLines = () => {
    for (const stream of [streams.i, streams.o, streams.e]) stream.end();
  };

  function* take(item: CastItem): Generator<TranscriptLine[]> {
    if (item.kind === 'header') {
      openedMicros = item.header.openedMicros;
      now = openedMicros;
      return;
    }
    const event = item.kind === 'event' && item.code === '+' ? readRecordedObject(item.data) : undefined;
    yield* release(event?.t === 'raw' ? exactLength(event) : undefined);
    now = openedMicros + item.at;
    if (item.kind === 'damage') {
      finishLines();
      say(`[${printable(item.error.message)}]`);
      whenDamaged(item.error);
      return;
    }
    if (item.code === 'o') held = { stream: descriptor, text: item.data };
    else if (item.code === 'i') held = { stream: 'i', text: item.data };
    else if (item.code === 'x') {
      finishLines();
      say(`[exit ${printable(item.data)}]`);
    } else if (event !== undefined) {
      if (event.t === 'fd') descriptor = event.fd === 2 ? 'e' : 'o';
      if (event.t === 'terminal') terminal = true;
      const text = describeEvent(event);
      if (text === undefined) return;
      finishLines();
      say(text);
    }
  }

  for await (const item of castItems(parts)) {
    yield* take(item);
    if (ready.length > 0) yield given();
  }
  yield* release();
  finishLines();
  if (ready.length > 0) yield ready;
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

function exactLength(event: RecordedObject): number {
  return typeof event.b64 === 'string' ? Buffer.byteLength(event.b64, 'base64') : 0;
}

function isBinary(text: string): boolean {
  let replaced = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0xfffd || code === 0) replaced += 1;
  }
  return replaced > 8 && replaced > text.length * MOST_REPLACED;
}
