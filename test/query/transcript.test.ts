import { describe, expect, it } from 'vitest';
import { findChannels } from '../../gateway/query/find-channels.ts';
import { findSession } from '../../gateway/query/find-session.ts';
import { transcript } from '../../gateway/query/transcript.ts';
import { collect, type RecordedChannel, RecordedData, type RecordedSession } from './recorded.ts';

async function transcriptOf(data: RecordedData, id: string): Promise<string> {
  const session = await findSession(data.database, id);
  return (await collect(transcript(data.database, session, await findChannels(data.database, session)))).join('');
}

/** Without the heading, whose times differ from run to run. */
async function bodyOf(data: RecordedData, id: string): Promise<string[]> {
  const lines = (await transcriptOf(data, id)).split('\n');
  return lines
    .slice(3)
    .filter((line) => line !== '' && !line.startsWith('--- channel') && !line.startsWith('[ended') && !line.startsWith('[no end'))
    .map((line) => line.replace(/^\d\d:\d\d:\d\d ([$>] )/, '$1'));
}

async function terminalChannel(session: RecordedSession): Promise<RecordedChannel> {
  const channel = await session.openChannel('shell');
  channel.terminal(80, 24);
  channel.event(0.1, { t: 'ssh.request', request: 'shell' });
  return channel;
}

describe('a transcript', () => {
  it('says who reached what, then the command, its output and its exit status', async () => {
    const data = await RecordedData.open();
    const id = await data.exec('uptime', ' 09:30 up 3 days\n', { status: 43 });
    const text = await transcriptOf(data, id);
    expect(text).toMatch(
      new RegExp(
        `^Session ${id}\\ndeploy-bot for engineer@example.com at web-1 over ssh from 192.0.2.7:50022, \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC\\n`,
      ),
    );
    expect(text).toMatch(
      /\n--- channel 0, exec, .* UTC\n\d\d:\d\d:\d\d \$ uptime\n 09:30 up 3 days\n\[exit 43, 20 ms\]\n\n\[ended .* UTC: the client disconnected\]\n$/,
    );
  });

  it('keeps error output apart, and shows what was sent to a command', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('exec');
    channel.event(0, { t: 'ssh.request', request: 'exec', command: 'sh' });
    channel.data(1, 'i', 'id; rm x\n');
    channel.data(2, 'o', 'uid=0\n');
    channel.data(3, 'e', 'rm: no x\n');
    channel.data(4, 'o', 'done\n');
    channel.exit(5, 1);
    await channel.close();
    expect(await bodyOf(data, session.id)).toEqual(['$ sh', '< id; rm x', 'uid=0', '2> rm: no x', 'done', '[exit 1, 5.0 s]']);
  });

  it('of a terminal shows the echo once, and that a secret was not recorded', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('shell');
    channel.event(0, { t: 'ssh.request', request: 'pty-req', term: 'xterm', cols: 80, rows: 24 });
    channel.terminal(80, 24);
    channel.event(0.1, { t: 'ssh.request', request: 'shell' });
    channel.data(1, 'o', '\x1b[?2004h$ ');
    channel.data(2, 'i', 'sudo ls\r');
    channel.data(2.1, 'o', 'sudo ls\r\n[sudo] password for x: ');
    channel.data(3, 'i', 'hunter2\r');
    channel.data(3.1, 'o', '\r\nfile\r\n$ ');
    channel.exit(4, 0);
    await channel.close();
    const text = (await bodyOf(data, session.id)).join('\n');
    expect(text).not.toContain('hunter2');
    expect(text.match(/sudo ls/g)).toHaveLength(1);
    expect(text).toContain('[terminal xterm 80x24]\n[shell]\n$ sudo ls  (derived)\n[sudo] password for x:\n');
    expect(text).toContain('[input after a prompt for a secret is not recorded]');
  });

  it('of a terminal has each command above its output, with what its shell said of its end', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await terminalChannel(session);
    const [command, started, ended] = ['\x1b]133;B\x07', '\x1b]133;C\x07', (exit: number) => `\x1b]133;D;${exit}\x07`];
    channel.data(1, 'o', `user@web:~$ ${command}`);
    channel.data(2, 'i', 'make\rcd /tmp\r');
    channel.data(
      2.5,
      'o',
      `make\r\n${started}no rule\r\n${ended(2)}user@web:~$ ${command}cd /tmp\r\n${started}${ended(0)}user@web:/tmp$ ${command}`,
    );
    channel.data(4, 'i', 'sh\r');
    channel.data(4.1, 'o', `sh\r\n${started}$ `);
    channel.data(5, 'i', 'echo "12:00:00 $ rm -rf /"\r');
    channel.data(5.2, 'o', 'echo "12:00:00 $ rm -rf /"\r\n12:00:00 $ rm -rf /\r\n$ ');
    channel.data(6, 'i', '\x04');
    channel.data(6.1, 'o', `\r\n${ended(7)}user@web:/tmp$ ${command}`);
    channel.exit(8, 0);
    await channel.close();
    expect(await bodyOf(data, session.id)).toEqual([
      '[shell]',
      'user@web:~$',
      '$ make',
      'no rule',
      '[exit 2, 500 ms]',
      '$ cd /tmp',
      '[exit 0, 0 ms]',
      'user@web:/tmp$',
      '$ sh',
      '$ echo "12:00:00 $ rm -rf /"  (derived)',
      ' 12:00:00 $ rm -rf /',
      '[200 ms]',
      '$',
      'user@web:/tmp$',
      '[exit 7, 2.1 s: sh]',
      '[exit 0]',
    ]);
  });

  it('finds the next command after any amount of output, and its time', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await terminalChannel(session);
    channel.data(1, 'o', '$ ');
    channel.data(2, 'i', 'seq 100000\r');
    channel.data(2.1, 'o', 'seq 100000\r\n');
    const lines = Array.from({ length: 100_000 }, (_, at) => `\x1b[32m${at}\x1b[m\r\n`);
    for (let at = 0; at < lines.length; at += 5000) channel.data(3 + at / 1e5, 'o', lines.slice(at, at + 5000).join(''));
    channel.data(4, 'o', '$ ');
    channel.data(60, 'i', 'id\r');
    channel.data(60.1, 'o', 'id\r\nuid=0\r\n$ ');
    await channel.close();
    const body = await bodyOf(data, session.id);
    expect(body).toHaveLength(100_007);
    const [began, ended] = [body.slice(0, 3), body.slice(-6)];
    expect(began).toEqual(['[shell]', '$ seq 100000  (derived)', '0']);
    expect(ended).toEqual(['99999', '[2.0 s]', '$ id  (derived)', 'uid=0', '$', '[100 ms]']);
  });

  it('lists the operations of SFTP, forwards, decisions, signals and the environment', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('sftp');
    for (const event of [
      { t: 'decision', verdict: 'allow', action: 'ssh:subsystem', policies: ['allow web-1'] },
      { t: 'ssh.request', request: 'env', name: 'LANG', value: 'C', passed: true },
      { t: 'ssh.request', request: 'env', name: 'LD_PRELOAD', value: 'x', passed: false },
      { t: 'ssh.request', request: 'subsystem', name: 'sftp' },
      { t: 'file', op: 'get', path: '/etc/passwd', bytes: 123, sha256: 'ab12', result: 'ok' },
      { t: 'file', op: 'rename', path: '/a', to: '/b' },
      { t: 'forward', from: '127.0.0.1:1', to: 'db:5432' },
      { t: 'ssh.request', request: 'signal', signal: 'TERM' },
      { t: 'ssh.request', request: 'break', millis: 500 },
      { t: 'bulk', s: 'o', offset: 0, bytes: 99, sha256: 'cd34' },
    ])
      channel.event(1, event);
    await channel.close();
    expect(await bodyOf(data, session.id)).toEqual([
      '[decision: allow ssh:subsystem, by allow web-1]',
      '[environment LANG=C]',
      '[environment LD_PRELOAD=x, not passed on]',
      '[subsystem sftp]',
      'get /etc/passwd 123 bytes sha256 ab12 result=ok',
      'rename /a → /b',
      '[forward from=127.0.0.1:1 to=db:5432]',
      '[signal TERM]',
      '[break millis=500]',
      '[99 bytes of binary output, sha256 cd34]',
    ]);
  });

  it('interleaves channels by time, with a heading where another one takes over', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const [first, second] = [await session.openChannel('exec'), await session.openChannel('exec')];
    first.data(10, 'o', 'first at 10\n');
    second.data(20, 'o', 'second at 20\n');
    first.data(30, 'o', 'first at 30\n');
    await Promise.all([first.close(), second.close()]);
    const text = await transcriptOf(data, session.id);
    expect(
      text
        .split('\n')
        .filter((line) => /^(---|first|second)/.test(line))
        .map((line) => line.replace(/, [^,]* UTC$/, '')),
    ).toEqual(['--- channel 0, exec', 'first at 10', '--- channel 1, exec', 'second at 20', '--- channel 0, exec', 'first at 30']);
  });

  it('counts a binary stream instead of printing it', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('exec');
    channel.data(1, 'o', Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256)));
    await channel.close();
    expect(await bodyOf(data, session.id)).toEqual(['[5000 bytes of output that are not text]']);
  });

  it('lets no control character of a command, a file name or output through', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('exec', { command: 'x' });
    const evil = '\x1b]52;c;AAAA\x07\u009b6n\u202ereversed\x1b[2J';
    channel.event(0, { t: 'ssh.request', request: 'exec', command: `echo ${evil}\nsecond line` });
    channel.event(0, { t: 'file', op: evil, path: evil, [evil]: evil });
    channel.event(0, { t: evil });
    channel.data(1, 'o', `${evil}text\n`);
    await channel.close();
    const text = await transcriptOf(data, session.id);
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(text).toContain('$ echo \\x1b]52;c;AAAA\\x07\\x9b6n\\u202ereversed\\x1b[2J\n');
    expect(text).toMatch(/\n\d\d:\d\d:\d\d > second line\n/);
  });

  it('of a session that still runs says that there is no end yet', async () => {
    const data = await RecordedData.open();
    const session = await data.openSession();
    const channel = await session.openChannel('exec');
    channel.data(1, 'o', 'so far\n');
    expect(await transcriptOf(data, session.id)).toMatch(/\nso far\n\n\[no end of this session is recorded yet\]\n$/);
  });
});
