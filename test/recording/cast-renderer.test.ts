import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Frame, StreamName } from '../../contract/frame-codec.ts';
import { CastRenderer, type CastSummary, type PerStream } from '../../gateway/recording/cast-renderer.ts';
import { RAW_LIMIT } from '../../gateway/recording/cast-stream.ts';
import type { StretchHeader } from '../../gateway/recording/stretch-header.ts';
import { type Cast, difference, exactBytes, fromBytes, parseCast, rebuild } from '../support/cast.ts';
import { stretchHeader } from './support.ts';

const terminal = { cols: 80, rows: 24, type: 'xterm' };

/** Renders frames as consecutive stretches, cut where told, and returns the concatenated cast. */
function render(
  frames: readonly Frame[],
  change: Partial<StretchHeader> = {},
  cuts: readonly number[] = [],
): { text: string; cast: Cast; summaries: CastSummary[] } {
  let text = '';
  const summaries: CastSummary[] = [];
  const offsets: PerStream = { i: 0, o: 0, e: 0 };
  let rawSpent: PerStream = { i: 0, o: 0, e: 0 };
  let start = 0;
  const borders = [...new Set(cuts.map((cut) => cut % (frames.length + 1)))].sort((one, other) => one - other);
  const pieces = [...borders, frames.length].map((end, index, ends) => frames.slice(index === 0 ? 0 : ends[index - 1], end));
  pieces.forEach((piece, index) => {
    const renderer = new CastRenderer(
      stretchHeader({ ...change, stretch: index + 1, start, offsets: { ...offsets } }),
      (line) => (text += line),
      { rawSpent },
    );
    for (const frame of piece) renderer.push(frame);
    const at = Math.max(start, ...piece.map((frame) => frame.at));
    renderer.push({ kind: 'clock', at, wallMicros: 1_700_000_000_000_000 });
    const summary = renderer.end();
    summaries.push(summary);
    rawSpent = summary.rawSpent;
    start = at;
    for (const frame of piece) if (frame.kind === 'data') offsets[frame.stream] += frame.bytes.length;
  });
  return { text, cast: parseCast(text), summaries };
}

function bytesOf(frames: readonly Frame[], stream: StreamName): Buffer {
  return Buffer.concat(frames.flatMap((frame) => (frame.kind === 'data' && frame.stream === stream ? [frame.bytes] : [])));
}

const data = (stream: StreamName, bytes: string | Uint8Array, at = 0): Frame => ({
  kind: 'data',
  at,
  stream,
  bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
});

/** Pieces of content that are hard to keep apart: whole and broken UTF-8, controls, NULs, replacement characters. */
const tricky = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => Buffer.from(text, 'utf8')),
  fc
    .constantFrom(
      '\u{fffd}',
      '€',
      '😀',
      'ä',
      '\r\n',
      '\0',
      '\x1b[31m',
      'plain text that goes on for a while, longer than the gap between two islands',
    )
    .map((text) => Buffer.from(text)),
  // Half of a character; surrogates as CESU-8 has them; overlong and too large forms; a lone continuation.
  fc
    .constantFrom([0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xac], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff, 0xfe])
    .map((bytes) => Uint8Array.from(bytes)),
);

/** A run of chunks on all streams at rising times, cut at places that nobody chose. */
const chunks = fc
  .array(
    fc.record({
      stream: fc.constantFrom('i' as const, 'o' as const, 'e' as const),
      parts: fc.array(tricky, { minLength: 1, maxLength: 4 }),
      wait: fc.nat({ max: 3_000_000_000 }),
    }),
    { maxLength: 25 },
  )
  .map((list) => {
    let at = 0;
    return list.map(({ stream, parts, wait }): Frame => {
      at += wait;
      return { kind: 'data', at, stream, bytes: Buffer.concat(parts) };
    });
  });

test('any bytes on any stream of a terminal come back exactly, however chunks and segments cut them', () => {
  fc.assert(
    fc.property(chunks, fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), (frames, cuts) => {
      const { cast } = render(frames, { terminal }, cuts);
      const pieces = rebuild(cast);
      for (const stream of ['i', 'o', 'e'] as const)
        expect(exactBytes(pieces[stream]).toString('hex')).toBe(bytesOf(frames, stream).toString('hex'));
    }),
    { numRuns: 500 },
  );
});

test('any bytes without a terminal come back exactly or by their digest', () => {
  fc.assert(
    fc.property(chunks, fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), (frames, cuts) => {
      const { cast } = render(frames, {}, cuts);
      const pieces = rebuild(cast);
      for (const stream of ['i', 'o', 'e'] as const) expect(difference(pieces[stream], fromBytes(bytesOf(frames, stream)))).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

test('intervals add up to the time that passed, over any number of segments, and are never negative', () => {
  fc.assert(
    fc.property(chunks, fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), (frames, cuts) => {
      const { text } = render(frames, { terminal }, cuts);
      const steps = text
        .split('\n')
        .slice(1, -1)
        .map((line) => Math.round((JSON.parse(line) as [number])[0] * 100_000));
      expect(steps.every((step) => step >= 0)).toBe(true);
      expect(steps.reduce((sum, step) => sum + step, 0)).toBe(Math.floor((frames.at(-1)?.at ?? 0) / 10_000));
    }),
  );
});

test('no interval is written in a way that a reader looking for a decimal point cannot read', () => {
  const frames = Array.from({ length: 2000 }, (_, index) => data('o', 'x', index * 12_345));
  const { text } = render([...frames, data('o', 'y', 60e9), data('o', 'z', 62e9)], { terminal });
  for (const line of text.split('\n').slice(1, -1)) expect(line).toMatch(/^\[\d+\.\d{1,5},/);
});

test('a segment begins where the one before it ended and says which descriptor its output belongs to', () => {
  const { cast, summaries } = render([data('e', 'one', 1e9), data('e', 'two', 2e9), data('o', 'three', 3e9)], {}, [1, 2]);
  expect(summaries.map(({ from, to }) => [from, to])).toEqual([
    [0, 1e9],
    [1e9, 2e9],
    [2e9, 3e9],
  ]);
  const descriptors = cast.events.filter(({ ours }) => ours?.t === 'fd').map(({ ours }) => ours?.fd);
  expect(descriptors).toEqual([2, 2, 1]);
});

test('every segment ends with the clock', () => {
  const renderer: string[] = [];
  const cast = new CastRenderer(stretchHeader(), (line) => renderer.push(line));
  cast.push(data('o', Buffer.alloc(RAW_LIMIT + 10), 1e9));
  cast.push(data('o', Uint8Array.from([0xe2, 0x82]), 1e9));
  cast.push({ kind: 'clock', at: 2e9, wallMicros: 5 });
  cast.end();
  expect(renderer.at(-1)).toContain('clock');
});

test('text is kept, also where a character is cut by the end of a segment', () => {
  const text = Buffer.from(`${'line of a log that is no binary\n'.repeat(1000)}🙂`);
  const binary = Buffer.alloc(RAW_LIMIT); // What is kept of binary bytes is used up.
  for (let cut = 1; cut < 4; cut += 1) {
    const end = text.length - 4 + cut;
    const rest = Buffer.concat([text.subarray(end), text]);
    const { cast } = render([data('o', binary), data('o', text.subarray(0, end)), data('o', rest)], {}, [2]);
    expect(cast.events.filter(({ ours }) => ours?.t === 'bulk')).toEqual([]);
    const shown = cast.events.map(({ code, data: shownText }) => (code === 'o' ? shownText : '')).join('');
    expect(shown.split('line of a log that is no binary\n').length - 1).toBe(2000);
  }
});

test('a genuine replacement character needs no raw event beside it', () => {
  const { cast } = render([data('o', 'a\u{fffd}b')], { terminal });
  expect(cast.events.map(({ code }) => code)).toEqual(['o', '+']);
});

test('a character cut in two by chunks is one character', () => {
  const { cast } = render([data('o', Uint8Array.from([0x41, 0xf0, 0x9f])), data('o', Uint8Array.from([0x98, 0x80, 0x42]))], { terminal });
  expect(cast.events.filter(({ code }) => code === 'o').map(({ data: text }) => text)).toEqual(['A', '😀B']);
});

test('binary content is kept exactly at first, then counted and hashed, and text after it is text again', () => {
  const binary = Buffer.from(Array.from({ length: RAW_LIMIT + 5000 }, (_, index) => (index * 7) % 256));
  const { cast } = render([data('o', binary), data('o', binary), data('o', 'done\n'), data('o', binary)]);
  const pieces = rebuild(cast).o;
  expect(pieces.map((piece) => ('bytes' in piece ? piece.bytes.length : [piece.offset, piece.length]))).toEqual([
    RAW_LIMIT,
    [RAW_LIMIT, 5000 + binary.length],
    5,
    [2 * binary.length + 5, binary.length],
  ]);
  expect(difference(pieces, fromBytes(Buffer.concat([binary, binary, Buffer.from('done\n'), binary])))).toBeUndefined();
});

test('the exact part of binary content is counted over the whole channel, not per segment', () => {
  const binary = Buffer.alloc(RAW_LIMIT, 0);
  const { cast } = render([data('o', binary), data('o', binary)], {}, [1]);
  expect(rebuild(cast).o.map((piece) => 'bytes' in piece)).toEqual([true, false]);
});

test('a terminal keeps binary content whole', () => {
  const binary = Buffer.alloc(RAW_LIMIT * 2, 0);
  const { cast } = render([{ kind: 'event', at: 0, event: { t: 'terminal', ...terminal } }, data('o', binary)]);
  expect(exactBytes(rebuild(cast).o).equals(binary)).toBe(true);
});

test('a forwarded connection is only counted and hashed', () => {
  const { cast } = render([data('o', 'GET / HTTP/1.1\r\n'), data('i', 'x')], { binary: 'digest' });
  expect(cast.events.map(({ code, ours }) => ours?.t ?? code)).toEqual(['bulk', 'bulk', 'clock']);
});

test('the digests of a segment are those of the bytes of its streams', () => {
  fc.assert(
    fc.property(chunks, (frames) => {
      const { summaries } = render(frames);
      for (const stream of ['i', 'o', 'e'] as const) {
        const bytes = bytesOf(frames, stream);
        expect(summaries[0]?.streams[stream]).toEqual({
          offset: 0,
          bytes: bytes.length,
          sha256: createHash('sha256').update(bytes).digest('hex'),
        });
      }
    }),
  );
});

test('the header says what the requests before the first data asked for', () => {
  const request = (facts: Record<string, unknown>): Frame => ({ kind: 'event', at: 0, event: { t: 'ssh.request', ...facts } });
  const { cast } = render([
    request({ request: 'env', name: 'LANG', value: 'C.UTF-8', passed: true }),
    request({ request: 'env', name: 'LD_PRELOAD', value: '/evil.so', passed: false }),
    { kind: 'event', at: 0, event: { t: 'terminal', cols: 132, rows: 43, type: 'screen' } },
    request({ request: 'exec', command: 'uptime' }),
    data('o', 'up\n'),
    request({ request: 'env', name: 'LATE', value: '1' }),
  ]);
  expect(cast.header).toMatchObject({
    version: 3,
    term: { cols: 132, rows: 43, type: 'screen' },
    command: 'uptime',
    env: { LANG: 'C.UTF-8' },
  });
  expect(cast.header.env).not.toHaveProperty('LD_PRELOAD');
  expect(cast.header.env).not.toHaveProperty('LATE');
  expect(cast.header['x-sallyport']).toMatchObject({ kind: 'exec', pty: true });
});

test('requests without end do not keep the header from being written', () => {
  const lines: string[] = [];
  const renderer = new CastRenderer(stretchHeader(), (line) => lines.push(line));
  const value = 'x'.repeat(100_000);
  for (let index = 0; index < 20; index++)
    renderer.push({ kind: 'event', at: index, event: { t: 'ssh.request', request: 'env', name: `V${index}`, value } });
  expect(lines.length).toBeGreaterThan(1);
});

test.each([
  [0, 0],
  [70_000, 24],
])('a size of %i by %i, which players cannot show, is an event of ours', (cols, rows) => {
  const { cast } = render([
    { kind: 'event', at: 0, event: { t: 'terminal', cols, rows, type: '' } },
    data('o', 'x'),
    { kind: 'resize', at: 0, cols, rows },
    { kind: 'resize', at: 0, cols: 100, rows: 30 },
  ]);
  expect(cast.header.term).toEqual({ cols: 80, rows: 24 });
  expect(cast.events.filter(({ ours }) => ours?.t === 'resize').map(({ ours }) => ours)).toEqual([{ t: 'resize', cols, rows }]);
  expect(cast.events.filter(({ code }) => code === 'r').map(({ data: size }) => size)).toEqual(['100x30']);
});

test('an event with a marker stands behind it', () => {
  const { cast } = render([data('o', '$ '), { kind: 'event', at: 1e9, event: { t: 'approval', z: 1, a: [2] }, marker: 'approved' }]);
  expect(cast.events.slice(1, 3).map(({ code, data: text }) => [code, text])).toEqual([
    ['m', 'approved'],
    ['+', '{"a":[2],"t":"approval","z":1}'],
  ]);
});

test('a stretch that lost its end says how much, at the time at which the next begins', () => {
  const lines: string[] = [];
  const renderer = new CastRenderer(stretchHeader(), (line) => lines.push(line));
  renderer.push(data('o', 'x', 1e9));
  const summary = renderer.end({ lostBytes: 12, endAt: 3e9 });
  expect(lines.slice(-2).map((line) => JSON.parse(line) as unknown)).toEqual([
    [2, 'm', 'part of the recording is lost'],
    [0, '+', '{"bytes":12,"t":"lost"}'],
  ]);
  expect(summary.to).toBe(3e9);
});

test('what is described by events of its own is only hashed, its error output is kept, and all is kept again when it is not described any more', () => {
  const frames: Frame[] = [
    { kind: 'event', at: 1000, event: { t: 'content', kept: 'digest' } },
    data('i', 'request', 2000),
    data('e', 'a complaint\n', 3000),
    { kind: 'event', at: 4000, event: { t: 'content', kept: 'detect' } },
    data('i', 'plain text\n', 5000),
  ];
  const { cast } = render(frames);
  const said = cast.events.map(({ code, data: text, ours }) => ours ?? [code, text]);
  expect(said).toContainEqual(
    expect.objectContaining({ t: 'bulk', s: 'i', offset: 0, bytes: 7, sha256: createHash('sha256').update('request').digest('hex') }),
  );
  expect(said).toContainEqual(['o', 'a complaint\n']);
  expect(said).toContainEqual(['i', 'plain text\n']);
  expect(said).not.toContainEqual(['i', 'request']);
});

test('a later segment of such a channel goes on hashing, and keeps error output', () => {
  const { cast } = render([data('o', 'reply'), data('e', 'a complaint\n')], { binary: 'digest' });
  const codes = cast.events.map(({ code, ours }) => ours?.t ?? code);
  expect(codes).toContain('bulk');
  expect(cast.events.filter(({ code }) => code === 'o').map(({ data: text }) => text)).toEqual(['a complaint\n']);
});
