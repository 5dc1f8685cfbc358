import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Frame, StreamName } from '../../contract/frame-codec.ts';
import type { Clock } from '../../gateway/base/clock.ts';
import { SallyportError } from '../../gateway/base/errors.ts';
import type { ChannelRecording } from '../../gateway/recording/recorder.ts';
import { difference, exactBytes, fromBytes, rebuild } from '../support/cast.ts';
import { Belongings } from '../support/temp.ts';
import { castText, filesBelow, filesWith, readCast, segmentFiles } from './read-recording.ts';
import { describeChannel, MemoryLedger, openRecorder } from './support.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

async function start(change: Parameters<typeof openRecorder>[2] = {}) {
  const directory = belongings.directory('recording');
  const ledger = new MemoryLedger();
  const recorder = await openRecorder(directory, { ledger }, change);
  belongings.add(() => recorder.close());
  return { directory, ledger, recorder };
}

function record(recording: ChannelRecording, stream: StreamName, bytes: string | Uint8Array): void {
  recording.append([{ kind: 'data', at: recording.now(), stream, bytes: Buffer.from(bytes) }]);
}

test('what was appended is in the journal when append returns, and in the cast when finish resolves', async () => {
  const { directory, ledger, recorder } = await start();
  const recording = recorder.openChannel(describeChannel());
  record(recording, 'o', 'a line that is recorded\n');
  expect(filesWith(join(directory, 'journal'), Buffer.from('a line that is recorded'))).toHaveLength(1);
  expect(await recording.finish()).toEqual({ segments: 1 });
  const { session } = recording.description;
  expect(exactBytes(rebuild(readCast(directory, session)).o).toString()).toBe('a line that is recorded\n');
  const [sealed] = ledger.of('segment.sealed');
  const file = readFileSync(join(directory, sealed?.body.file ?? ''));
  expect(sealed?.body).toMatchObject({
    channel: 0,
    segment: 1,
    bytes: file.length,
    sha256: createHash('sha256').update(file).digest('hex'),
  });
  expect(filesBelow(join(directory, 'journal'))).toEqual([]);
  expect(existsSync(join(directory, 'journal', session))).toBe(false);
});

test('segments of any size are one cast when they are concatenated, without a gap in the streams', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 300, max: 20_000 }),
      fc.array(fc.record({ stream: fc.constantFrom<StreamName>('i', 'o', 'e'), bytes: fc.uint8Array({ maxLength: 6000, size: 'max' }) }), {
        minLength: 1,
        maxLength: 30,
      }),
      async (segmentBytes, chunks) => {
        const { directory, ledger, recorder } = await start({ segmentBytes });
        const recording = recorder.openChannel(describeChannel());
        for (const { stream, bytes } of chunks) record(recording, stream, bytes);
        const { segments } = await recording.finish();
        await recorder.close();
        const { session } = recording.description;
        expect(segmentFiles(directory, session)).toHaveLength(segments);
        const pieces = rebuild(readCast(directory, session));
        const sealed = ledger.of('segment.sealed').map(({ body }) => body);
        expect(sealed.map(({ segment }) => segment)).toEqual(Array.from({ length: segments }, (_, index) => index + 1));
        for (const stream of ['i', 'o', 'e'] as const) {
          const sent = Buffer.concat(chunks.filter((chunk) => chunk.stream === stream).map(({ bytes }) => bytes));
          expect(difference(pieces[stream], fromBytes(sent))).toBeUndefined();
          let offset = 0;
          for (const { streams } of sealed) {
            const { bytes } = streams[stream];
            expect(streams[stream]).toEqual({
              offset,
              bytes,
              sha256: createHash('sha256')
                .update(sent.subarray(offset, offset + bytes))
                .digest('hex'),
            });
            offset += bytes;
          }
          expect(offset).toBe(sent.length);
        }
        for (const [index, { from }] of sealed.entries()) expect(from).toBe(index === 0 ? 0 : sealed[index - 1]?.to);
      },
    ),
    { numRuns: 12, endOnFailure: true },
  );
});

test('stretches end between characters where they can', async () => {
  const { directory, recorder } = await start({ segmentBytes: 1000 });
  const recording = recorder.openChannel(describeChannel());
  const euro = Buffer.from('€');
  for (let index = 0; index < 1000; index++) {
    record(recording, 'o', euro.subarray(0, 2));
    record(recording, 'o', euro.subarray(2));
  }
  await recording.finish();
  const cast = readCast(directory, recording.description.session);
  expect(cast.events.filter(({ ours }) => ours?.t === 'raw')).toEqual([]);
  expect(segmentFiles(directory, recording.description.session).length).toBeGreaterThan(10);
});

test('a stretch with something in it ends after a while; one without goes on; the wall clock is noted in both', async () => {
  const directory = belongings.directory('recording');
  const ledger = new MemoryLedger();
  let seconds = 0;
  const clock: Clock = { wallMicros: () => 1_772_357_400_000_000 + seconds * 1e6, monotonicNanos: () => seconds * 1e9 };
  const recorder = await openRecorder(directory, { ledger, clock });
  belongings.add(() => recorder.close());
  const [busy, idle] = [recorder.openChannel(describeChannel()), recorder.openChannel(describeChannel())];
  for (; seconds < 200; seconds++) {
    if (seconds === 70) record(busy, 'o', 'something');
    for (const recording of [busy, idle]) recording.tick();
  }
  expect(await busy.finish()).toEqual({ segments: 2 });
  expect(await idle.finish()).toEqual({ segments: 1 });
  const times = (recording: ChannelRecording) =>
    readCast(directory, recording.description.session).events.flatMap(({ ours }) =>
      ours?.t === 'clock' ? [[Number(ours.mono) / 1e9, (Number(ours.wall) - 1_772_357_400_000_000) / 1e6]] : [],
    );
  // Every 60 s, at the border of the segments, and at the end.
  expect(times(busy)).toEqual([60, 120, 130, 190, 200].map((at) => [at, at]));
  expect(times(idle)).toEqual([60, 120, 180, 200].map((at) => [at, at]));
});

test('asciinema plays the recording of a terminal', async () => {
  const { directory, recorder } = await start();
  const recording = recorder.openChannel(describeChannel());
  recording.setTerminal({ cols: 90, rows: 20, type: 'xterm' });
  record(recording, 'o', 'héllo\r\n');
  recording.append([{ kind: 'exit', at: recording.now(), status: 0 }]);
  await recording.finish();
  const lines = castText(directory, recording.description.session).split('\n').slice(0, -1);
  // Debian's asciinema reads version 2, which differs in its header and in absolute times.
  const { term, ...header } = JSON.parse(lines[0] as string) as { term: { cols: number; rows: number } };
  let at = 0;
  const events = lines.slice(1).map((line) => {
    const [interval, code, text] = JSON.parse(line) as [number, string, string];
    at += interval;
    return JSON.stringify([at, code, text]);
  });
  const file = join(directory, 'v2.cast');
  writeFileSync(file, `${[JSON.stringify({ ...header, version: 2, width: term.cols, height: term.rows }), ...events].join('\n')}\n`);
  // It wants a terminal of its own.
  expect(execFileSync('script', ['-qec', `asciinema cat ${file}`, '/dev/null'], { encoding: 'utf8' })).toContain('héllo');
});

test('whole content is kept as an attachment that the record commits to', async () => {
  const { directory, ledger, recorder } = await start({ content: 'whole' });
  const recording = recorder.openChannel(describeChannel());
  const sent = randomBytes(600_000);
  for (let offset = 0; offset < sent.length; offset += 30_000) record(recording, 'o', sent.subarray(offset, offset + 30_000));
  await recording.finish();
  const { attachments } = ledger.of('segment.sealed')[0]?.body ?? { attachments: [] };
  expect(attachments.map(({ file }) => file.split('/').at(-1))).toEqual(['0001.o.bin.zst']);
  const kept = execFileSync('zstd', ['-dc', join(directory, attachments[0]?.file ?? '')], { maxBuffer: 2 ** 30 });
  expect(kept.equals(sent.subarray(64 * 1024))).toBe(true);
  const bulk = readCast(directory, recording.description.session).events.find(({ ours }) => ours?.t === 'bulk')?.ours;
  expect(bulk).toMatchObject({
    s: 'o',
    offset: 64 * 1024,
    bytes: kept.length,
    attachment: '0001.o.bin.zst',
    sha256: createHash('sha256').update(kept).digest('hex'),
  });
});

test('a secret typed at a prompt is never on disk, and what follows it is', async () => {
  const { directory, recorder } = await start();
  const recording = recorder.openChannel(describeChannel());
  recording.setTerminal({ cols: 80, rows: 24, type: 'xterm' });
  record(recording, 'o', 'Last login: today\r\n[sudo] password for deploy: ');
  for (const key of 'hunter2-s3cret') record(recording, 'i', key);
  // The Enter, and a command that was typed ahead, in one piece.
  record(recording, 'i', '\rls -la\r');
  record(recording, 'o', '\r\n$ ');
  expect(filesWith(directory, Buffer.from('hunter'))).toEqual([]);
  await recording.finish();
  expect(filesWith(directory, Buffer.from('hunter'))).toEqual([]);
  const typed = readCast(directory, recording.description.session).events.filter(({ code, ours }) => code === 'i' || ours?.t === 'redact');
  expect(typed.map(({ data }) => data)).toEqual(['{"s":"i","t":"redact"}', '\rls -la\r']);
  expect(recording.bytes.i).toBe('\rls -la\r'.length);
});

test('output and the secret that answers it are told apart within one batch', async () => {
  const { directory, recorder } = await start();
  const recording = recorder.openChannel(describeChannel());
  recording.setTerminal({ cols: 80, rows: 24, type: 'xterm' });
  const at = recording.now();
  const data = (stream: StreamName, text: string): Frame => ({ kind: 'data', at, stream, bytes: Buffer.from(text) });
  recording.append([data('i', 'su\r'), data('o', 'su\r\nPassword: '), data('i', 'open-sesame\r'), data('o', '\r\n# '), data('i', 'id\r')]);
  await recording.finish();
  expect(filesWith(directory, Buffer.from('sesame'))).toEqual([]);
  expect(exactBytes(rebuild(readCast(directory, recording.description.session)).i).toString()).toBe('su\r\rid\r');
});

test('the input of a program without a terminal is recorded whatever its output asks for', async () => {
  const { directory, recorder } = await start({ input: false });
  const recording = recorder.openChannel(describeChannel());
  record(recording, 'o', 'Password: ');
  record(recording, 'i', 'piped\n');
  await recording.finish();
  expect(exactBytes(rebuild(readCast(directory, recording.description.session)).i).toString()).toBe('piped\n');
});

test('input that is not to be recorded is counted', async () => {
  const { directory, recorder } = await start({ input: false });
  const recording = recorder.openChannel(describeChannel());
  recording.setTerminal({ cols: 80, rows: 24, type: 'xterm' });
  record(recording, 'i', 'nobody sees this');
  record(recording, 'o', 'but this');
  await recording.finish();
  expect(recording.bytes).toEqual({ i: 16, o: 8, e: 0 });
  expect(filesWith(directory, Buffer.from('nobody sees'))).toEqual([]);
  expect(readCast(directory, recording.description.session).header['x-sallyport']).toMatchObject({ input: 'counted' });
});

test('a channel is refused when its journal cannot be opened', async () => {
  const { directory, recorder } = await start();
  rmSync(join(directory, 'journal'), { recursive: true });
  writeFileSync(join(directory, 'journal'), 'in the way');
  expect(() => recorder.openChannel(describeChannel())).toThrow(expect.objectContaining({ code: 'RECORDING_UNAVAILABLE' }));
});

test('an event that the format cannot carry ends the recording, and nothing is appended after it', async () => {
  const { directory, recorder } = await start();
  const recording = recorder.openChannel(describeChannel());
  record(recording, 'o', 'before');
  const failed = new Promise((resolve) => recorder.onFailure((session, channel, error) => resolve([session, channel, error.code])));
  expect(() => recording.append([{ kind: 'event', at: recording.now(), event: { t: 'x', text: 'x'.repeat(2 ** 21) } }])).toThrow(
    SallyportError,
  );
  expect(() => record(recording, 'o', 'after')).toThrow(expect.objectContaining({ code: 'RECORDING_FAILED' }));
  await expect(recording.sync()).rejects.toMatchObject({ code: 'RECORDING_FAILED' });
  expect(await failed).toEqual([recording.description.session, 0, 'RECORDING_FAILED']);
  await recording.finish();
  expect(exactBytes(rebuild(readCast(directory, recording.description.session)).o).toString()).toBe('before');
});

test('a recording whose next stretch cannot be opened fails, and what it has is sealed', async () => {
  const { directory, recorder } = await start({ segmentBytes: 1000 });
  const recording = recorder.openChannel(describeChannel());
  const { session } = recording.description;
  mkdirSync(join(directory, 'journal', session, '0', '0002.journal'));
  expect(() => record(recording, 'o', 'x'.repeat(2000))).toThrow(expect.objectContaining({ code: 'RECORDING_FAILED' }));
  rmSync(join(directory, 'journal', session, '0', '0002.journal'), { recursive: true });
  expect(await recording.finish()).toEqual({ segments: 1 });
  expect(exactBytes(rebuild(readCast(directory, session)).o)).toHaveLength(2000);
});

test('a segment that cannot be recorded in the ledger fails the recording and keeps its journal', async () => {
  const directory = belongings.directory('recording');
  const ledger = new MemoryLedger();
  const recorder = await openRecorder(directory, { ledger });
  belongings.add(() => recorder.close());
  ledger.refusing = true;
  const recording = recorder.openChannel(describeChannel());
  record(recording, 'o', 'kept');
  await expect(recording.finish()).rejects.toMatchObject({ code: 'LEDGER_FAILED' });
  expect(filesBelow(join(directory, 'journal'))).toHaveLength(1);
});

test('syncs that are asked for at once are shared, and cover what was appended before each', async () => {
  const { directory, recorder } = await start({ durability: 'strict', segmentBytes: 5000 });
  const recording = recorder.openChannel(describeChannel());
  expect(recording.strict).toBe(true);
  const syncs = Array.from({ length: 50 }, () => {
    record(recording, 'o', 'x'.repeat(500));
    return recording.sync();
  });
  await Promise.all(syncs);
  const { segments } = await recording.finish();
  expect(segments).toBeGreaterThan(3);
  expect(exactBytes(rebuild(readCast(directory, recording.description.session)).o)).toHaveLength(25_000);
});

test('one turn after the other, a thousand channels are opened and closed and leave nothing behind', async () => {
  const { directory, ledger, recorder } = await start();
  const session = describeChannel().session;
  for (let round = 0; round < 10; round++) {
    const recordings = Array.from({ length: 100 }, (_, index) =>
      recorder.openChannel(describeChannel({ session, channel: round * 100 + index })),
    );
    for (const recording of recordings) record(recording, 'o', 'hello\n');
    await Promise.all(recordings.map((recording) => recording.finish()));
  }
  expect(ledger.of('segment.sealed')).toHaveLength(1000);
  expect(filesBelow(join(directory, 'journal'))).toEqual([]);
  expect(recorder.open).toBe(0);
  expect(recorder.backlog).toBe(0);
});
