import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RecordedData } from '../query/recorded.ts';
import { inTerminal } from './in-terminal.ts';
import { mainFile, sallyport } from './run-cli.ts';

/** A recording of three segments, the second of which is gone: the words `before`, `lost` and `after`, 30 s apart. */
async function withoutTheSecond(begins = '', pty = true): Promise<{ directory: string; id: string }> {
  const data = await RecordedData.open({ segmentBytes: 4000 });
  const session = await data.openSession();
  const channel = await session.openChannel('shell');
  if (pty) channel.terminal(80, 24);
  const filling = '.'.repeat(5000);
  channel.data(30, 'o', `${begins}${filling}before\r\n`);
  channel.data(60, 'o', `${filling}lost\r\n`);
  channel.data(90, 'o', 'after\r\n');
  channel.exit(90, 0);
  await channel.close();
  await session.close();
  const segments = await data.database.segments.ofSession(session.id);
  expect(segments.length).toBe(3);
  await data.close();
  await rm(join(data.directory, segments[1]?.file as string));
  return { directory: data.directory, id: session.id };
}

const notice = /\[Segment recordings\/\S+\/0002\.cast\.zst is damaged: it is missing; 30\.0 s of the recording are missing\]/;

describe('87 a damaged recording', () => {
  it('plays around the damage, which is shown in its place: which part, why and how long', async () => {
    const { directory, id } = await withoutTheSecond();
    const words = [mainFile, 'play', id, '--data', directory, '--idle', '0.05'];
    const { code, screen } = await inTerminal(process.execPath, words, { cols: 300 });
    expect(screen).toMatch(new RegExp(`before[^]*${notice.source}[^]*after`));
    expect(screen).not.toContain('lost');
    expect(code).toBe(1); // what was played is not all of it
  });

  it('of a program without a terminal has the notice between its lines', async () => {
    const { directory, id } = await withoutTheSecond('', false);
    const words = [mainFile, 'play', id, '--data', directory, '--idle', '0.05'];
    const { code, screen } = await inTerminal(process.execPath, words, { cols: 300 });
    expect(screen).toMatch(new RegExp(`before\\r+\\n[^]*${notice.source}[^]*\\nafter\\r+\\n`));
    expect(code).toBe(1);
  });

  it('without a terminal says so in the same place, as a line', async () => {
    const { directory, id } = await withoutTheSecond();
    const { code, stdout, stderr } = await sallyport('play', id, '--data', directory, '--idle', '0.05');
    expect(stdout).toMatch(new RegExp(`before\\r\\n\\r\\n${notice.source}\\r\\nafter\\r\\n$`));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('0002.cast.zst') });
  });

  it('of a terminal has the notice over its last rows, where it scrolls nothing away', async () => {
    const { directory, id } = await withoutTheSecond('\x1b[?1049h\x1b[1;1H');
    const { screen } = await inTerminal(process.execPath, [mainFile, 'play', id, '--data', directory, '--idle', '0.05']);
    // As rows of 79 columns at the bottom of 24.
    expect(screen).toMatch(/\x1b\[\d+;1H\x1b\[0;7m\[Segment .*\x1b\[24;1H\x1b\[0;7m.*missing\]/);
  });

  it('as plain text and as a cast names the damage between what came before and what came after', async () => {
    const { directory, id } = await withoutTheSecond();
    const text = await sallyport('transcript', id, '--data', directory);
    expect(text.stdout).toMatch(new RegExp(`before\\n${notice.source}\\nafter\\n`));
    const cast = await sallyport('cast', id, '--data', directory);
    const events = cast.stdout
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as [number, string, string]);
    let at = 0;
    const seen = events.map(([interval, code, data]) => {
      at += interval;
      return { at, code, data };
    });
    const damage = seen.findIndex(({ code, data }) => code === 'm' && data.includes('0002.cast.zst'));
    expect(seen.slice(0, damage).some(({ data }) => data.includes('before'))).toBe(true);
    expect(seen.slice(damage).find(({ data }) => data.startsWith('after'))?.at).toBeCloseTo(90, 4);
    expect([text.code, cast.code]).toEqual([1, 1]);
  });
});
