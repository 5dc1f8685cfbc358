import { execFileSync } from 'node:child_process';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Emulation } from '../../../contract/replay/screen/emulation.ts';
import { createLog } from '../../../gateway/base/log.ts';
import { FollowedScreen } from '../../../gateway/query/screen/followed-screen.ts';
import { ScreenSource } from '../../../gateway/query/screen/screen-source.ts';
import { Screens } from '../../../gateway/query/screen/screens.ts';
import { journalFile } from '../../../gateway/recording/journal-layout.ts';
import { stateOf } from '../../replay/screen-state.ts';
import { until } from '../../support/wait.ts';
import { type RecordedChannel, RecordedData } from '../recorded.ts';

async function openShell(): Promise<{ data: RecordedData; channel: RecordedChannel; session: string }> {
  const data = await RecordedData.open({ segmentBytes: 4000 });
  const session = await data.openSession();
  const channel = await session.openChannel('shell');
  channel.terminal(40, 6);
  return { data, channel, session: session.id };
}

function follow(data: RecordedData, session: string, mostHistory?: number): FollowedScreen {
  const where = { dataDirectory: data.directory, session, channel: 0 };
  const source = new ScreenSource(where, () => data.database.segments.ofChannel(session, 0), mostHistory);
  const screen = new FollowedScreen(source, { cols: 40, rows: 6 }, () => new Promise((resolve) => setImmediate(resolve)));
  onTestFinished(() => screen.close());
  return screen;
}

/** Waits until so many segments are sealed. */
function sealed(data: RecordedData, session: string, count: number): Promise<unknown> {
  return until(`${count} segments`, async () => ((await data.database.segments.ofChannel(session, 0)).length >= count ? true : undefined));
}

const line = (number: number) => `line ${number} ${'.'.repeat(25)}\r\n`;

describe('the screen of a channel', () => {
  it('is read from segments, from the journal and from what is written later, each byte once', async () => {
    const { data, channel, session } = await openShell();
    const expected = new Emulation(40, 6);
    const draw = (from: number, to: number) => {
      for (let number = from; number < to; number += 1) {
        channel.data(number, 'o', line(number));
        expected.show(line(number));
      }
    };
    draw(0, 300);
    await sealed(data, session, 2);
    const screen = follow(data, session);
    for (const [from, to] of [
      [300, 301],
      [301, 302],
      [302, 500],
      [500, 500],
      [500, 503],
    ] as const) {
      draw(from, to);
      const dumped = await screen.at(channel.recording.position);
      if (dumped.state !== 'screen') throw new Error(`it is ${dumped.state}`);
      const shown = new Emulation(dumped.cols, dumped.rows);
      shown.show(Buffer.from(dumped.data).toString());
      expect(stateOf(shown.core)).toEqual(stateOf(expected.core));
      expect(dumped.partial).toBe(false);
    }
  });

  it('of a recording that is too long begins near its end, says so, and is whole again after a full reset', async () => {
    const { data, channel, session } = await openShell();
    for (let number = 0; number < 600; number += 1) channel.data(number, 'o', line(number));
    await sealed(data, session, 5);
    const screen = follow(data, session, 10_000);
    const dumped = await screen.at(channel.recording.position);
    expect(dumped).toMatchObject({ state: 'screen', partial: true });
    if (dumped.state !== 'screen') return;
    const text = Buffer.from(dumped.data).toString();
    expect(text).toContain('line 599 ');
    expect(text).not.toContain('line 100 ');
    channel.data(700, 'o', '\x1bcnew');
    expect(await screen.at(channel.recording.position)).toMatchObject({ partial: false });
  });

  it('says that it is not whole when a segment is missing', async () => {
    const { data, channel, session } = await openShell();
    for (let number = 0; number < 300; number += 1) channel.data(number, 'o', line(number));
    await sealed(data, session, 2);
    const [first] = await data.database.segments.ofChannel(session, 0);
    await rm(join(data.directory, first?.file as string));
    expect(await follow(data, session).at(channel.recording.position)).toMatchObject({ state: 'screen', partial: true });
  });

  it('takes up a character and a sequence that are cut by the position', async () => {
    const { data, channel, session } = await openShell();
    const screen = follow(data, session);
    const output = Buffer.from('\x1b[31mgrün 好\x1b[0m.');
    const expected = new Emulation(40, 6);
    expected.show(output.toString());
    for (let at = 0; at < output.length; at += 1) {
      channel.data(at, 'o', output.subarray(at, at + 1));
      const dumped = await screen.at(channel.recording.position);
      if (dumped.state !== 'screen') throw new Error(`it is ${dumped.state}`);
      const shown = new Emulation(dumped.cols, dumped.rows);
      shown.show(Buffer.concat([dumped.data, output.subarray(at + 1)]).toString());
      expect(stateOf(shown.core), `byte ${at}`).toEqual(stateOf(expected.core));
    }
  });
});

describe('a thread that hangs', () => {
  it('is ended, and the next one shows the screen', async () => {
    const { data, channel, session } = await openShell();
    channel.data(1, 'o', 'there');
    const screens = new Screens({
      dataDirectory: data.directory,
      segments: (id, number) => data.database.segments.ofChannel(id, number),
      log: createLog('fatal'),
      longestSilenceMillis: 2500,
    });
    onTestFinished(() => screens.close());
    const screen = screens.follow(session, 0, { cols: 40, rows: 6 });
    // Opening a pipe that nobody writes to does not return.
    const journal = journalFile(data.directory, session, 0, channel.recording.position.stretch);
    await rename(journal, `${journal}.aside`);
    execFileSync('mkfifo', [journal]);
    await expect(screen.dump(channel.recording.position)).rejects.toThrow('it hung');
    const both = await open(journal, 'r+');
    await both.close();
    await rename(`${journal}.aside`, journal);
    expect(await screen.dump(channel.recording.position)).toMatchObject({ state: 'screen', cols: 40 });
  });
});
