import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Frame } from '../../contract/frame-codec.ts';
import type { SallyportError } from '../../gateway/base/errors.ts';
import { Sealer, type SealRequest } from '../../gateway/recording/sealer.ts';
import { exactBytes, rebuild } from '../support/cast.ts';
import { Belongings } from '../support/temp.ts';
import { leaveStretch, stretchBytes } from './journals.ts';
import { filesBelow, readCast } from './read-recording.ts';
import { describeChannel, KeptLog, MemoryLedger, newSession, openRecorder, stretchHeader } from './support.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

async function startSealer(change: { backlogBytes?: number } = {}) {
  const directory = belongings.directory('sealer');
  const log = new KeptLog();
  let broken: SallyportError | undefined;
  const sealer = new Sealer(
    { dataDirectory: directory, backlogBytes: change.backlogBytes ?? 2 ** 30, log, noSpace: () => undefined },
    (error) => {
      broken = error;
    },
  );
  belongings.add(() => sealer.close());
  await sealer.start();
  return { directory, log, sealer, broken: () => broken };
}

const output = (text: string, at = 1000): Frame => ({ kind: 'data', at, stream: 'o', bytes: Buffer.from(text) });

function leave(directory: string, text: string): SealRequest {
  const session = newSession();
  const journal = leaveStretch(directory, { session }, [output(text)]);
  return { journal, session, channel: 0, stretch: 1, bytes: readFileSync(journal).length, last: true };
}

const noTrouble = (error: SallyportError): void => {
  throw error;
};

test('a stretch is sealed to the same bytes however often it is sealed', async () => {
  const { directory, sealer } = await startSealer();
  const request = leave(directory, 'once and again\n'.repeat(50_000));
  const first = await sealer.seal(request, noTrouble);
  const second = await sealer.seal(request, noTrouble);
  if (first.state !== 'sealed' || second.state !== 'sealed') throw new Error('not sealed');
  expect(second.segment.sha256).toBe(first.segment.sha256);
  expect(filesBelow(join(directory, 'recordings')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a stretch that is not what its place says is poison, and does not keep others from being sealed', async () => {
  const { directory, sealer } = await startSealer();
  const bad = leave(directory, 'x');
  writeFileSync(bad.journal, stretchBytes(stretchHeader({ session: newSession() }), [output('x')]));
  const good = leave(directory, 'good');
  const outcomes = await Promise.all([sealer.seal(bad, noTrouble), sealer.seal(good, noTrouble)]);
  expect(outcomes.map(({ state }) => state)).toEqual(['poison', 'sealed']);
});

test('when the sealing thread dies, it is started again and every stretch is sealed', async () => {
  const { directory, sealer, log } = await startSealer();
  const requests = Array.from({ length: 20 }, (_, index) => leave(directory, `recording ${index}\n`.repeat(20_000)));
  const sealing = requests.map((request) => sealer.seal(request, noTrouble));
  await sealer.worker?.terminate();
  const outcomes = await Promise.all(sealing);
  expect(outcomes.every(({ state }) => state === 'sealed')).toBe(true);
  expect(log.lines.some(({ message }) => message.includes('died'))).toBe(true);
  for (const [index, { session }] of requests.entries()) {
    expect(exactBytes(rebuild(readCast(directory, session)).o).toString()).toBe(`recording ${index}\n`.repeat(20_000));
  }
});

test('a sealing thread that keeps dying is given up, and whoever records is told', async () => {
  const { directory, sealer, broken } = await startSealer();
  const told = new Promise<SallyportError>((resolve) => {
    const request = leave(directory, 'x'.repeat(4_000_000));
    for (let round = 0; round < 20; round++) void sealer.seal(request, resolve);
  });
  let killed: Sealer['worker'];
  const deadly = setInterval(() => {
    if (sealer.worker === killed) return;
    killed = sealer.worker;
    void killed?.terminate();
  }, 2);
  expect(await told).toMatchObject({ code: 'RECORDING_FAILED' });
  clearInterval(deadly);
  expect(broken()).toBe(sealer.broken);
});

test('a seal that cannot be written is tried until it can, and the session is told meanwhile', async () => {
  const { directory, sealer } = await startSealer();
  writeFileSync(join(directory, 'recordings'), 'in the way');
  const request = leave(directory, 'patience');
  let sealed: ReturnType<Sealer['seal']> | undefined;
  const trouble = await new Promise<SallyportError>((resolve) => {
    sealed = sealer.seal(request, resolve);
  });
  expect(trouble).toMatchObject({ code: 'RECORDING_FAILED' });
  rmSync(join(directory, 'recordings'));
  expect((await sealed)?.state).toBe('sealed');
});

test('a backlog above its limit is congestion until half of it is sealed', async () => {
  const { directory, sealer } = await startSealer({ backlogBytes: 3_000_000 });
  const requests = Array.from({ length: 5 }, () => leave(directory, 'x'.repeat(900_000)));
  const sealing = requests.map((request) => sealer.seal(request, noTrouble));
  expect(sealer.congested).toBe(true);
  await sealer.whenClear();
  expect(sealer.backlog).toBeLessThanOrEqual(1_500_000);
  expect(sealer.congested).toBe(false);
  await Promise.all(sealing);
  expect(sealer.backlog).toBe(0);
});

test('a burst delays sealing, but not that of small recordings', async () => {
  const { directory, sealer } = await startSealer();
  const large = leave(directory, 'x'.repeat(900_000));
  const small = leave(directory, 'small');
  const order: string[] = [];
  const busy = setInterval(() => sealer.burst.note(3_000_000), 10);
  sealer.burst.note(3_000_000);
  const sealing = [
    sealer.seal(large, noTrouble).then(() => order.push('large')),
    sealer.seal(small, noTrouble).then(() => order.push('small')),
  ];
  await sealing[1];
  expect(order).toEqual(['small']);
  clearInterval(busy);
  await Promise.all(sealing);
});

test('a burst that does not end delays sealing for a while only', async () => {
  const { directory, sealer } = await startSealer();
  const busy = setInterval(() => sealer.burst.note(3_000_000), 10);
  belongings.add(() => clearInterval(busy));
  sealer.burst.note(3_000_000);
  expect((await sealer.seal(leave(directory, 'x'.repeat(900_000)), noTrouble)).state).toBe('sealed');
});

test('a journal that is damaged while it is written fails its session alone, is set aside, and what was whole is sealed', async () => {
  const directory = belongings.directory('sealer');
  const ledger = new MemoryLedger();
  const recorder = await openRecorder(directory, { ledger });
  belongings.add(() => recorder.close());
  const [damaged, other] = [recorder.openChannel(describeChannel()), recorder.openChannel(describeChannel())];
  for (const recording of [damaged, other]) {
    recording.append([{ kind: 'data', at: recording.now(), stream: 'o', bytes: Buffer.from('first') }]);
    recording.append([{ kind: 'data', at: recording.now(), stream: 'o', bytes: Buffer.from('second') }]);
  }
  const { session } = damaged.description;
  const journal = join(directory, 'journal', session, '0', '0001.journal');
  const bytes = readFileSync(journal);
  bytes[bytes.indexOf('second')] = 0x53;
  writeFileSync(journal, bytes);
  await expect(damaged.finish()).rejects.toMatchObject({ code: 'RECORDING_FAILED' });
  await other.finish();
  expect(filesBelow(join(directory, 'journal'))).toEqual([`${session}/0/0001.journal.set-aside`]);
  expect(exactBytes(rebuild(readCast(directory, session)).o).toString()).toBe('first');
  expect(readCast(directory, session).events.find(({ ours }) => ours?.t === 'lost')?.ours?.bytes).toBeGreaterThan(0);
});
