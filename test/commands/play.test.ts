import { describe, expect, it } from 'vitest';
import { RecordedData } from '../query/recorded.ts';
import { InTerminal, inTerminal } from './in-terminal.ts';
import { mainFile, run, sallyport } from './run-cli.ts';

/** A recording in which word N appears at second N. */
async function words(...seconds: number[]): Promise<{ directory: string; id: string }> {
  const data = await RecordedData.open();
  const session = await data.openSession();
  const channel = await session.openChannel('shell');
  channel.terminal(60, 20);
  for (const second of seconds) channel.data(second, 'o', `word${second}\r\n`);
  channel.exit(Math.max(...seconds), 0);
  await channel.close();
  await session.close();
  return { directory: data.directory, id: session.id };
}

function playing(directory: string, id: string, ...options: string[]): InTerminal {
  return new InTerminal(process.execPath, [mainFile, 'play', id, '--data', directory, ...options]);
}

describe('sallyport play', () => {
  it('without a terminal plays straight through, pauses shortened', async () => {
    const { directory, id } = await words(1, 100, 5000);
    const began = performance.now();
    const { code, stdout, stderr } = await sallyport('play', id, '--data', directory, '--idle', '0.2');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'word1\r\nword100\r\nword5000\r\n', stderr: '' });
    expect(performance.now() - began).toBeGreaterThan(600);
  });

  it('plays at the speed that is asked for', async () => {
    const { directory, id } = await words(40);
    const began = performance.now();
    await sallyport('play', id, '--data', directory, '--idle', '0', '--speed', '50');
    expect(performance.now() - began).toBeGreaterThan(800);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it('pauses on space with a status line, goes on from there, and quits on q', async () => {
    const { directory, id } = await words(1, 2, 3000);
    const terminal = playing(directory, id, '--idle', '0');
    await terminal.looks((seen) => seen.includes('word2'));
    terminal.type(' ');
    await terminal.looks((seen) => /word1\nword2\n[\s\S]* paused at 00:0/.test(seen));
    terminal.type(' ');
    await terminal.looks((seen) => seen === 'word1\nword2');
    terminal.type('q');
    expect(await terminal.finished).toBe(0);
    expect(terminal.screen).not.toContain('word3000');
    expect(terminal.seen, 'what was shown last stays').toMatch(/word1\nword2$/);
  });

  it('seeks forward and back with the arrows, also while it is paused', async () => {
    const { directory, id } = await words(0, 4, 9, 14, 100);
    const terminal = playing(directory, id, '--idle', '0');
    await terminal.looks((seen) => seen === 'word0');
    terminal.type('\x1b[C');
    await terminal.looks((seen) => seen === 'word0\nword4');
    terminal.type('\x1b[C\x1b[C');
    await terminal.looks((seen) => seen === 'word0\nword4\nword9\nword14');
    terminal.type('\x1b[D');
    await terminal.looks((seen) => seen === 'word0\nword4\nword9');
    terminal.type(' ');
    await terminal.looks((seen) => seen.includes('paused at 00:1'));
    terminal.type('\x1b[D\x1b[D');
    await terminal.looks((seen) => /^word0\n\n[\s\S]*paused at 00:0/.test(seen));
    terminal.type('q');
    expect(await terminal.finished).toBe(0);
    expect(terminal.screen).not.toContain('word100');
  });

  it('begins where it is told to, and goes to both ends', async () => {
    const { directory, id } = await words(1, 61.5, 3723, 3900);
    const terminal = playing(directory, id, '--idle', '0', '--at', '1:02:03');
    await terminal.looks((seen) => seen === 'word1\nword61.5\nword3723');
    terminal.type('\x1b[H');
    await terminal.looks((seen) => / at 00:00 of 1:05:00 /.test(seen) && !seen.includes('word'));
    terminal.type('\x1b[F');
    await terminal.looks(
      (seen) => seen.startsWith('word1\nword61.5\nword3723\nword3900\n') && seen.includes('paused at 1:05:00 of 1:05:00'),
    );
    terminal.type('\x1b[C\x1b[D');
    await terminal.looks((seen) => seen.includes('paused at 1:04:55 of 1:05:00') && !seen.includes('word3900'));
    terminal.type('\x1bOF \x1b[6~');
    expect(await terminal.finished).toBe(0);
    const piped = await sallyport('play', id, '--data', directory, '--at', '61.5', '--idle', '0.1');
    expect(piped.stdout).toBe('word1\r\nword61.5\r\nword3723\r\nword3900\r\n');
    for (const wrong of ['-1', '1:60', '61:00:00:00', 'soon', '']) {
      const { code, stderr } = await sallyport('play', id, '--data', directory, `--at=${wrong}`);
      expect([wrong, code, stderr]).toEqual([wrong, 2, expect.stringContaining('it has to be seconds, m:ss or h:mm:ss')]);
    }
  });

  it('says what a key has done, and takes no key for another that is a part of it', async () => {
    const { directory, id } = await words(0, 3000);
    const terminal = playing(directory, id, '--idle', '500');
    await terminal.looks((seen) => seen === 'word0');
    terminal.type('\x1b[A\x1b[5~\x1b[1;5Di');
    await terminal.looks((seen) => / at 00:0\d of 50:00 {3}speed 1 {3}pauses in full/.test(seen));
    terminal.type('i');
    await terminal.looks((seen) => seen.includes('pauses folded to 500 s'));
    terminal.type(']');
    await terminal.looks((seen) => seen.includes('speed 2 '));
    await terminal.looks((seen) => seen === 'word0');
    terminal.type('q');
    expect(await terminal.finished).toBe(0);
  });

  it('scrolls what a program without a terminal wrote, with the same keys', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('exec');
    for (const second of [0, 4, 9, 14, 100]) channel.data(second, second === 9 ? 'e' : 'o', `line${second}\n`);
    await channel.close();
    const terminal = playing(data.directory, session.id, '--idle', '0');
    await terminal.looks((seen) => seen.endsWith('line0'));
    terminal.type('\x1b[C\x1b[C\x1b[C');
    await terminal.looks((seen) => seen.endsWith('line0\nline4\nline9\nline14'));
    terminal.type('\x1b[D');
    await terminal.looks((seen) => seen === 'line0\nline4\nline9');
    terminal.type(' ');
    await terminal.looks((seen) => seen.includes('paused at 00:1'));
    terminal.type(' ');
    await terminal.looks((seen) => seen === 'line0\nline4\nline9');
    terminal.type('\x1b[C');
    await terminal.looks((seen) => seen === 'line0\nline4\nline9\nline14');
    terminal.type('q');
    expect(await terminal.finished).toBe(0);
    expect(terminal.screen).not.toContain('line100');
  });

  it('changes its speed, and folds pauses, while it plays', async () => {
    const { directory, id } = await words(0, 60, 3600);
    const terminal = playing(directory, id, '--idle', '0');
    await terminal.shows('word0');
    terminal.type(']]]]]]'); // 64 times: the next word is a second away
    await terminal.shows('word60');
    terminal.type('i');
    await terminal.shows('word3600');
    expect(await terminal.finished).toBe(0);
  });

  it('leaves the terminal as it was when it ends, is quit, or is ended by a signal', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('shell');
    channel.terminal(60, 20);
    channel.data(0, 'o', '\x1b[?1049h\x1b[?25l\x1b[7mready');
    channel.data(1000, 'o', 'never');
    await channel.close();
    const command = `before=$(stty -g); "$0" "$1" play "$2" --data "$3" --idle 0; code=$?; if [ "$before" = "$(stty -g)" ]; then echo "restored, $code"; fi`;
    const ends: [(terminal: InTerminal) => void, number][] = [
      [(terminal) => terminal.type('q'), 0],
      [(terminal) => terminal.type('\x03'), 0],
    ];
    for (const [end, code] of ends) {
      const terminal = new InTerminal('bash', ['-c', command, process.execPath, mainFile, session.id, data.directory]);
      await terminal.shows('ready');
      end(terminal);
      const left = await terminal.shows('\x1b[?1049l');
      await terminal.shows('\x1b[?25h', left);
      await terminal.shows(`restored, ${code}`, left);
      await terminal.finished;
    }
    const terminal = playing(data.directory, session.id, '--idle', '0');
    await terminal.shows('ready');
    terminal.kill('SIGTERM');
    await terminal.shows('\x1b[?1049l');
    expect(await terminal.finished).toBe(143);
  });

  it('of a larger screen shows what fits, down to the cursor, and says so', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('shell');
    channel.event(0, { t: 'terminal', cols: 200, rows: 50, type: 'xterm' });
    channel.data(0, 'o', `top\x1b[45;1H${'x'.repeat(150)}\r\nprompt$ `);
    channel.data(60, 'o', 'never');
    await channel.close();
    const terminal = playing(data.directory, session.id, '--idle', '0');
    await terminal.looks((seen) => seen.includes('[recorded in 200x50, and this terminal has 80x24'));
    const rows = terminal.seen.split('\n');
    expect(rows.at(-3)).toBe('prompt$ '.trimEnd());
    expect(rows.at(-4)).toBe('x'.repeat(80));
    expect(terminal.seen).not.toContain('top');
    terminal.type('q');
    expect(await terminal.finished).toBe(0);
  });

  const hostile =
    'a\x1b]52;c;cm0gLXJm\x07\x1b[6n\x1b]0;title\x07\x1bP$qm\x1b\\\x05\x1b]8;;https://example.com\x07b\x1b[8;5;5t\x1b[?1000h\x1b[21t\u202e';

  it('lets nothing act on the terminal of whoever watches', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('shell');
    channel.data(0, 'o', hostile.replace('\u202e', ''));
    await channel.close();
    const { stdout } = await sallyport('play', session.id, '--data', data.directory);
    expect(stdout).toBe('ab');
  });

  for (const pty of [true, false]) {
    it(`lets only cells get to a terminal, ${pty ? 'of a screen' : 'of lines'}`, async () => {
      const data = await RecordedData.open();
      const session = await data.openSession();
      const channel = await session.openChannel('shell');
      if (pty) channel.terminal(60, 20);
      channel.data(0, 'o', `${hostile}\x1b[1;31mred\x1b[m\x1b[10;1H\x1b[?1049hc\x1b[?1049l\x1b[3J\r\n`);
      channel.exit(1, 0);
      await channel.close();
      const { screen } = await inTerminal(process.execPath, [mainFile, 'play', session.id, '--data', data.directory, '--idle', '0.01']);
      // Positions, colours and erasing, and what play itself sets and sets back.
      const left = screen.replaceAll(
        /\x1b\[(?:\d+(?:;\d+)*)?[HmKJ]|\x1b\[\?(?:25|7)h|\x1b\[\?(?:25|5|2026)l|\x1b\[\?1049[hl]|\x1b\[!p|\x1b\(B\x0f/g,
        '',
      );
      expect(left).not.toMatch(/[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]/);
      expect(left).toContain('ab');
      expect(screen).toMatch(/\x1b\[[\d;]*1;31mred/);
      if (!pty) expect(screen, 'lines stay where they are').not.toMatch(/\x1b\[\?1049|\x1b\[10;1H|\x1b\[3J/);
    });
  }

  it('says where more is to be seen of what has no screen, and of what still runs', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('sftp');
    await channel.close();
    const play = async () => (await sallyport('play', session.id, '--data', data.directory)).stderr;
    const nothing = `There was no output in channel 0 (sftp); what happened: sallyport transcript ${session.id}/0\n`;
    expect(await play()).toBe(`${nothing}The session is still running; as it goes on: sallyport watch ${session.id}\n`);
    await session.close();
    expect(await play()).toBe(nothing);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const { directory, id } = await words(...Array.from({ length: 5000 }, (_, index) => index / 1e4));
    const { code, stderr } = await run('bash', [
      '-c',
      'set -o pipefail; "$0" "$1" play "$2" --data "$3" --speed 50 | head -n 1',
      process.execPath,
      mainFile,
      id,
      directory,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
