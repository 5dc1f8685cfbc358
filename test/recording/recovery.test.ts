import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Frame } from '../../contract/frame-codec.ts';
import { exactBytes, rebuild } from '../support/cast.ts';
import { Belongings } from '../support/temp.ts';
import { FileLedger } from './file-ledger.ts';
import { leaveStretch, openInLedger, stretchBytes } from './journals.ts';
import { filesBelow, readCast, segmentFiles } from './read-recording.ts';
import { KeptLog, MemoryLedger, newSession, openRecorder, stretchHeader } from './support.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const output = (text: string, at = 1_000_000): Frame => ({ kind: 'data', at, stream: 'o', bytes: Buffer.from(text) });

async function recover(directory: string, ledger: MemoryLedger) {
  const recorder = await openRecorder(directory, { ledger, log: new KeptLog() });
  try {
    return await recorder.recover(ledger);
  } finally {
    await recorder.close();
  }
}

/** Runs a file of this directory until it ends, or is killed after some lines or some time. Returns its output. */
async function run(file: string, args: readonly string[], kill: { afterLines?: number; afterMillis?: number } = {}): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  belongings.add(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (kill.afterLines !== undefined && text.split('\n').length > kill.afterLines) child.kill('SIGKILL');
  });
  const timer = kill.afterMillis === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), kill.afterMillis);
  await once(child, 'close');
  clearTimeout(timer);
  return text;
}

/** What writer.ts appends, up to a number of bytes. */
function written(bytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let sent = 0; sent < bytes; ) {
    const text = Buffer.from(`${sent} é `.repeat(1 + (sent % 97)));
    parts.push(text);
    sent += text.length;
  }
  return Buffer.concat(parts);
}

test.each([1, 40, 333, 2_000])(
  'after kill -9 of the gateway at acknowledgement %i, everything acknowledged is recovered',
  { timeout: 240_000 },
  async (afterLines) => {
    const directory = belongings.directory('recovery');
    const session = newSession();
    const acknowledged = Number((await run('writer.ts', [directory, session], { afterLines })).split('\n').at(-2));
    expect(acknowledged).toBeGreaterThan(0);
    // Recovery itself is killed, again and again.
    for (const afterMillis of [150, 250, 350]) await run('recoverer.ts', [directory], { afterMillis });
    await run('recoverer.ts', [directory]);

    const ledger = new FileLedger(join(directory, 'ledger.ndjson'));
    expect(ledger.of('session.recovered')).toHaveLength(1);
    expect(ledger.of('channel.close').map(({ body }) => [body.channel, body.reason])).toEqual(
      expect.arrayContaining([
        [0, 'recovered'],
        [1, 'recovered'],
      ]),
    );
    expect(ledger.of('channel.close')).toHaveLength(2);
    for (const channel of [0, 1]) {
      const recorded = exactBytes(rebuild(readCast(directory, session, channel)).o);
      expect(recorded.length).toBeGreaterThanOrEqual(acknowledged);
      expect(recorded.equals(written(recorded.length).subarray(0, recorded.length))).toBe(true);
      const sealed = ledger.of('segment.sealed').filter(({ body }) => body.channel === channel);
      expect(sealed.map(({ body }) => body.segment).sort((one, other) => one - other)).toEqual(
        segmentFiles(directory, session, channel).map((_, index) => index + 1),
      );
      expect(ledger.of('channel.close').find(({ body }) => body.channel === channel)?.body).toMatchObject({
        segments: sealed.length,
        bytes: { o: recorded.length },
      });
    }
    expect(filesBelow(join(directory, 'journal'))).toEqual([]);
  },
);

test('a torn tail is cut off, counted, and told in the recording and in the record', async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  const session = newSession();
  await openInLedger(ledger, session);
  leaveStretch(directory, { session }, [output('whole', 5_000_000), output('torn off', 6_000_000)], (bytes) =>
    bytes.subarray(0, bytes.length - 3),
  );
  expect(await recover(directory, ledger)).toEqual({ sessions: 1, channels: 1, segments: 1, tornBytes: 25, setAside: [] });
  const cast = readCast(directory, session);
  expect(exactBytes(rebuild(cast).o).toString()).toBe('whole');
  expect(cast.events.at(-1)?.ours).toEqual({ t: 'lost', bytes: 25 });
  expect(ledger.of('session.recovered')[0]?.body.channels).toEqual([{ channel: 0, frames: 2, lastFrameAt: 5_000_000, tornBytes: 25 }]);
  expect(filesBelow(join(directory, 'journal'))).toEqual([]);
});

test('a journal cut at any byte is recovered', async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  const whole = stretchBytes(stretchHeader(), [output('one'), output('two'), { kind: 'exit', at: 2_000_000, status: 3 }]);
  for (let length = 0; length <= whole.length; length++) {
    const session = newSession();
    await openInLedger(ledger, session);
    leaveStretch(directory, { session }, [output('one'), output('two'), { kind: 'exit', at: 2_000_000, status: 3 }], (bytes) =>
      bytes.subarray(0, length),
    );
  }
  const report = await recover(directory, ledger);
  expect(report.setAside).toEqual([]);
  expect(ledger.of('session.recovered')).toHaveLength(whole.length + 1);
  const headerBytes = stretchBytes(stretchHeader(), []).length;
  expect(report.segments).toBe(whole.length - headerBytes + 1);
  expect(ledger.of('channel.close').filter(({ body }) => body.exit?.status === 3)).toHaveLength(1);
  expect(filesBelow(join(directory, 'journal'))).toEqual([]);
});

test('a stretch that lost its end chains to the next one', async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  const session = newSession();
  await openInLedger(ledger, session);
  leaveStretch(directory, { session }, [output('kept', 1e9), output('lost', 2e9)], (bytes) => bytes.subarray(0, bytes.length - 1));
  leaveStretch(directory, { session, stretch: 2, start: 3e9, offsets: { i: 0, o: 8, e: 0 } }, [output('after', 4e9)]);
  await recover(directory, ledger);
  const sealed = ledger.of('segment.sealed').map(({ body }) => [body.from, body.to]);
  expect(sealed).toEqual([
    [0, 3e9],
    [3e9, 4e9],
  ]);
  expect(readCast(directory, session).events.at(-1)?.at).toBeCloseTo(4, 5);
});

test('a stretch that had only begun becomes a segment without events, and the whole is still one cast', async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  const session = newSession();
  leaveStretch(directory, { session }, [output('first', 1e9)]);
  leaveStretch(directory, { session, stretch: 2, start: 1e9, offsets: { i: 0, o: 5, e: 0 } }, []);
  await recover(directory, ledger);
  expect(ledger.of('segment.sealed').map(({ body }) => body.events)).toEqual([1, 0]);
  expect(exactBytes(rebuild(readCast(directory, session)).o).toString()).toBe('first');
});

test('a flipped byte keeps what is before it, and the journal itself for those who want to look', async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  const session = newSession();
  await openInLedger(ledger, session);
  leaveStretch(directory, { session }, [output('before'), output('flipped'), output('after')], (bytes) => {
    bytes[bytes.indexOf('flipped')] = 0x46;
    return bytes;
  });
  const report = await recover(directory, ledger);
  expect(report.setAside).toEqual([`journal/${session}/0/0001.journal.set-aside`]);
  expect(exactBytes(rebuild(readCast(directory, session)).o).toString()).toBe('before');
  expect(ledger.of('session.recovered')[0]?.body.channels[0]?.setAside).toBe(report.setAside[0]);
  expect(existsSync(join(directory, report.setAside[0] ?? ''))).toBe(true);
  // What is set aside does not come back.
  expect((await recover(directory, ledger)).sessions).toBe(0);
});

test('a poison stretch does not keep another from being recovered', async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  const [poison, good] = [newSession(), newSession()];
  await openInLedger(ledger, poison);
  await openInLedger(ledger, good);
  writeFileSync(leaveStretch(directory, { session: poison }, []), stretchBytes(stretchHeader({ session: good }), [output('not mine')]));
  leaveStretch(directory, { session: good }, [output('mine')]);
  const report = await recover(directory, ledger);
  expect(report.setAside).toEqual([`journal/${poison}/0/0001.journal.set-aside`]);
  expect(exactBytes(rebuild(readCast(directory, good)).o).toString()).toBe('mine');
  expect(ledger.of('session.recovered')).toHaveLength(2);
});

test('a session that is open in the records and left no journal is closed as well', async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  const session = newSession();
  await openInLedger(ledger, session, [0, 1]);
  await recover(directory, ledger);
  expect(ledger.of('channel.close').map(({ body }) => body.channel)).toEqual([0, 1]);
  expect(ledger.of('session.recovered').map((record) => record.session)).toEqual([session]);
  expect((await recover(directory, ledger)).sessions).toBe(0);
});

test('a stretch of a session that was closed is sealed without closing it again', async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  const session = newSession();
  leaveStretch(directory, { session }, [output('late')]);
  await recover(directory, ledger);
  expect(ledger.stored.map(({ record }) => record.type)).toEqual(['segment.sealed']);
});

test('when the ledger takes nothing, recovery fails and keeps every journal', async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  const session = newSession();
  await openInLedger(ledger, session);
  const path = leaveStretch(directory, { session }, [output('kept')]);
  const before = readFileSync(path);
  ledger.refusing = true;
  await expect(recover(directory, ledger)).rejects.toMatchObject({ code: 'LEDGER_FAILED' });
  expect(readFileSync(path).equals(before)).toBe(true);
  ledger.refusing = false;
  await recover(directory, ledger);
  expect(exactBytes(rebuild(readCast(directory, session)).o).toString()).toBe('kept');
});

test('a thousand leftover journals are recovered in one go', { timeout: 240_000 }, async () => {
  const directory = belongings.directory('recovery');
  const ledger = new MemoryLedger();
  for (let index = 0; index < 1000; index++) {
    const session = newSession();
    await openInLedger(ledger, session);
    leaveStretch(
      directory,
      { session },
      Array.from({ length: 20 }, (_, line) => output(`session ${index}, line ${line}\r\n`, line * 1e6)),
    );
  }
  const report = await recover(directory, ledger);
  expect(report).toMatchObject({ sessions: 1000, channels: 1000, segments: 1000, tornBytes: 0 });
  expect(filesBelow(join(directory, 'journal'))).toEqual([]);
});
