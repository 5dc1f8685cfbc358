import { execFileSync } from 'node:child_process';
import { readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RecordedData } from '../query/recorded.ts';
import { temporaryDirectory } from '../store/support.ts';
import { tellingHeld, toldHeld } from '../support/held-memory.ts';
import { run } from '../support/run.ts';
import { inTerminal } from './in-terminal.ts';
import { jsonLines, mainFile, sallyport } from './run-cli.ts';

async function terminalSession(): Promise<{ data: RecordedData; id: string }> {
  const data = await RecordedData.open({ segmentBytes: 4000 });
  const session = await data.openSession();
  const channel = await session.openChannel('shell');
  channel.terminal(100, 30);
  channel.event(0, { t: 'ssh.request', request: 'shell' }, 'shell');
  for (let index = 0; index < 12; index += 1)
    channel.data(0.01 * index, 'o', `\x1b[3${index % 8}mline ${index} ${'ü'.repeat(400)}\x1b[0m\r\n`);
  channel.resize(0.2, 120, 40);
  channel.data(0.25, 'i', 'q');
  channel.exit(0.3, 3);
  await channel.close();
  await session.close();
  return { data, id: session.id };
}

describe('sallyport cast', () => {
  it('gives out the segments as they are, one after the other', async () => {
    const { data, id } = await terminalSession();
    const segments = await data.database.segments.ofSession(id);
    expect(segments.length).toBeGreaterThan(1);
    const plain = execFileSync('zstd', ['-dc', ...segments.map(({ file }) => join(data.directory, file))], { encoding: 'utf8' });
    expect(await sallyport('cast', id, '--data', data.directory)).toEqual({ code: 0, stdout: plain, stderr: '' });
  });

  it('writes to a file that only its owner may read', async () => {
    const { data, id } = await terminalSession();
    const file = join(await temporaryDirectory(), 'session.cast');
    expect(await sallyport('cast', `${id}/0`, '--data', data.directory, '-o', file)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, 'utf8')).split('\n', 1)[0]).toContain('"version":3');
    expect((await sallyport('cast', id, '--data', data.directory, '-o', '/none/x.cast')).stderr).toMatch(
      /^sallyport: Cannot write \/none\/x\.cast/,
    );
  });

  it('exports version 2 with absolute times and nothing that version 2 does not know', async () => {
    const { data, id } = await terminalSession();
    const { code, stdout } = await sallyport('cast', id, '--data', data.directory, '--format', 'v2');
    expect(code).toBe(0);
    const [header, ...events] = jsonLines<unknown>(stdout);
    expect(header).toMatchObject({
      version: 2,
      width: 100,
      height: 30,
      timestamp: expect.any(Number),
      title: expect.stringContaining('web-1'),
    });
    const rows = events as [number, string, string][];
    expect(new Set(rows.map(([, code]) => code))).toEqual(new Set(['m', 'o', 'r', 'i']));
    expect(rows.map(([at]) => at)).toEqual(rows.map(([at]) => at).sort((a, b) => a - b));
    expect(rows.find(([, code]) => code === 'r')).toEqual([0.2, 'r', '120x40']);
    expect(rows.find(([, code]) => code === 'i')).toEqual([0.25, 'i', 'q']);
  });

  it('exports version 2 so that an asciinema that knows no other plays it', async () => {
    const { data, id } = await terminalSession();
    const file = join(await temporaryDirectory(), 'session.cast');
    await sallyport('cast', id, '--data', data.directory, '--format', 'v2', '-o', file);
    const { code, screen } = await inTerminal('asciinema', ['cat', file], { cols: 500 });
    expect({ code, screen }).toEqual({ code: 0, screen: expect.stringContaining(`line 11 ${'ü'.repeat(400)}`) });
  });

  it('names a damaged segment, leaves it out, and ends with 1', async () => {
    const { data, id } = await terminalSession();
    const [, second] = await data.database.segments.ofSession(id);
    await truncate(join(data.directory, second?.file as string), 60);
    for (const format of ['v3', 'v2']) {
      const { code, stdout, stderr } = await sallyport('cast', id, '--data', data.directory, '--format', format);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^sallyport: Segment recordings\/.*0002\.cast\.zst is damaged: it has 60 bytes/);
      expect(stdout).toContain('line 0 ');
      expect(stdout).toContain('line 11 ');
      expect(stdout).toContain('0002.cast.zst is damaged');
    }
  });

  it('says which other channels there are', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    for (const kind of ['exec', 'sftp']) {
      const channel = await session.openChannel(kind);
      channel.data(0, 'o', kind);
      await channel.close();
    }
    const first = await sallyport('cast', session.id, '--data', data.directory);
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"exec"'),
      stderr: expect.stringMatching(/^This is channel 0 \(exec\); session .* also has \/1 \(sftp\)\n$/),
    });
    expect(await sallyport('cast', `${session.id}/1`, '--data', data.directory)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"sftp"'),
      stderr: '',
    });
  });
});

describe('sallyport transcript', () => {
  it('prints every channel in the order of time', async () => {
    const data = await RecordedData.open();
    const id = await data.exec('uptime', 'up\r\n');
    const { code, stdout, stderr } = await sallyport('transcript', id, '--data', data.directory);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/\n\d\d:\d\d:\d\d \$ uptime\nup\n\[exit 0, 20 ms\]\n/);
  });

  it('gives each command as an object, with what it gave out', async () => {
    const data = await RecordedData.open();
    const id = await data.exec('uptime', `up\r\n${'x'.repeat(70_000)}\r\n`, { status: 3 });
    const { code, stdout } = await sallyport('transcript', id, '--data', data.directory, '--json');
    const objects = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect({ code, types: objects.map(({ type }) => type) }).toEqual({ code: 0, types: ['session', 'command', 'end'] });
    expect(objects[1]).toMatchObject({ channel: 0, how: 'exec', command: 'uptime', exit: 3, errors: '', truncated: true });
    const { at, until, output } = objects[1] as unknown as { at: string; until: string; output: string };
    expect([Date.parse(until) - Date.parse(at), output.slice(0, 4), output.length]).toEqual([20, 'up\nx', 65_536]);
  });

  it('says where a part is damaged, prints everything else, and ends with 1', async () => {
    const { data, id } = await terminalSession();
    const [, second] = await data.database.segments.ofSession(id);
    await truncate(join(data.directory, second?.file as string), 60);
    const { code, stdout, stderr } = await sallyport('transcript', id, '--data', data.directory);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('0002.cast.zst is damaged') });
    expect(stdout).toMatch(/line 0 [\s\S]*\[Segment recordings\/.*0002\.cast\.zst is damaged: .*\]\n[\s\S]*line 11 /);
  });

  it('needs no more memory for a session six times as long', async () => {
    const data = await RecordedData.open();
    const lines = `${'x'.repeat(99)}\n`.repeat(10_000);
    const recorded = async (megabytes: number) => {
      const session = await data.openSession();
      const channel = await session.openChannel('exec');
      for (let index = 0; index < megabytes; index += 1) channel.data(index, 'o', lines);
      await channel.close();
      return session.id;
    };
    const heldFor = async (megabytes: number) => {
      const words = [...tellingHeld, mainFile, 'transcript', await recorded(megabytes), '--data', data.directory];
      let bytes = 0;
      const onStdout = (chunk: Buffer) => {
        bytes += chunk.length;
      };
      const { status, stderr } = await run(process.execPath, words, { onStdout });
      expect(status, stderr).toBe(0);
      expect(bytes).toBeGreaterThan(megabytes * 1e6);
      return toldHeld(stderr).held;
    };
    expect((await heldFor(120)) - (await heldFor(20))).toBeLessThan(16 * 1024 * 1024);
  });
});
