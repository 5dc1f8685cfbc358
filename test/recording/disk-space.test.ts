import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { judge, type Space } from '../../gateway/recording/disk-space.ts';
import type { Recorder } from '../../gateway/recording/recorder.ts';
import { exactBytes, rebuild } from '../support/cast.ts';
import { Belongings } from '../support/temp.ts';
import { readCast } from './read-recording.ts';
import { describeChannel, MemoryLedger, openRecorder } from './support.ts';

const MIB = 1024 * 1024;
const belongings = new Belongings();
afterAll(() => belongings.release());

/** A file system of its own, 16 MiB large, or undefined where mounting is not allowed. */
function smallDisk(): string | undefined {
  const directory = belongings.directory('disk');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'sallyport-test', directory], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  belongings.add(() => void execFileSync('umount', ['--lazy', directory]));
  mkdirSync(join(directory, 'data'));
  return directory;
}

const probe = smallDisk();
if (probe === undefined)
  process.stderr.write('disk-space.test.ts: mounting a tmpfs is not allowed here; the tests of a full disk are SKIPPED\n');

async function start(directory: string) {
  const ledger = new MemoryLedger();
  const recorder = await openRecorder(join(directory, 'data'), { ledger }, { reserveBytes: 4 * MIB, segmentBytes: MIB });
  belongings.add(() => recorder.close());
  return { ledger, recorder };
}

/** Fills the disk up to the given free space, or empties it. */
function leaveFree(directory: string, bytes: number): void {
  const filler = join(directory, 'filler');
  writeFileSync(filler, '');
  const { bavail, bsize } = statfsSync(directory);
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
}

function becomes(recorder: Recorder, space: Space): Promise<void> {
  return new Promise((resolve) => {
    if (recorder.space === space) resolve();
    recorder.onSpace((now) => {
      if (now === space) resolve();
    });
  });
}

test('space goes low below the reserve, critical below half of it, and comes back at 125 %', () => {
  const reserve = 1000;
  let space: Space = 'ample';
  const seen = [1300, 1001, 999, 1100, 1249, 1250, 499, 700, 1249, 1250].map((free) => {
    space = judge(space, free, reserve);
    return space;
  });
  expect(seen).toEqual(['ample', 'ample', 'low', 'low', 'low', 'ample', 'critical', 'critical', 'critical', 'ample']);
});

describe.skipIf(probe === undefined)('on a small disk', () => {
  test('a disk that fills up refuses new channels, then gives back its reserve, then serves again by itself', async () => {
    const directory = smallDisk() as string;
    const { recorder } = await start(directory);
    expect(statSync(join(directory, 'data', 'reserve')).size).toBe(MIB / 2);
    leaveFree(directory, 3 * MIB);
    await becomes(recorder, 'low');
    expect(() => recorder.openChannel(describeChannel())).toThrow(expect.objectContaining({ code: 'DISK_LOW' }));
    leaveFree(directory, MIB);
    await becomes(recorder, 'critical');
    expect(() => statSync(join(directory, 'data', 'reserve'))).toThrow('ENOENT');
    rmSync(join(directory, 'filler'));
    await becomes(recorder, 'ample');
    await recorder.openChannel(describeChannel()).finish();
    expect(statSync(join(directory, 'data', 'reserve')).size).toBe(MIB / 2);
  });

  test('a disk that is full ends the recording; everything acknowledged before is sealed', async () => {
    const directory = smallDisk() as string;
    const { ledger, recorder } = await start(directory);
    const recording = recorder.openChannel(describeChannel());
    recording.setTerminal({ cols: 80, rows: 24, type: 'xterm' });
    leaveFree(directory, 300_000);
    const failed = new Promise((resolve) => recorder.onFailure((_session, _channel, error) => resolve(error.code)));
    const chunk = Buffer.from('some output of a program that does not stop\r\n'.repeat(100));
    let acknowledged = 0;
    let thrown: unknown;
    while (thrown === undefined && acknowledged < 16 * MIB) {
      try {
        recording.append([{ kind: 'data', at: recording.now(), stream: 'o', bytes: chunk }]);
        acknowledged += chunk.length;
      } catch (error) {
        thrown = error;
      }
    }
    expect(thrown).toMatchObject({ code: 'RECORDING_FAILED' });
    expect(await failed).toBe('RECORDING_FAILED');
    expect(recorder.space).toBe('critical');
    // The reserve that was given back is enough for the closing work.
    await recording.finish();
    const recorded = exactBytes(rebuild(readCast(join(directory, 'data'), recording.description.session)).o);
    expect(recorded.length).toBeGreaterThanOrEqual(acknowledged);
    expect(recorded.subarray(0, acknowledged).equals(Buffer.concat(Array.from({ length: acknowledged / chunk.length }, () => chunk)))).toBe(
      true,
    );
    expect(ledger.of('segment.sealed').length).toBeGreaterThan(0);
  });

  test('a gateway starts and lists its space on a disk that is full already', async () => {
    const directory = smallDisk() as string;
    leaveFree(directory, 0);
    const { recorder } = await start(directory);
    expect(recorder.space).toBe('critical');
    truncateSync(join(directory, 'filler'));
    await becomes(recorder, 'ample');
  });
});
