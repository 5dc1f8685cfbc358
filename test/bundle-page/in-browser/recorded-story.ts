import type { RecordedChannel, RecordedData, RecordedSession } from '../../query/recorded.ts';
import { draft } from '../../store/support.ts';

/** Sessions as an auditor meets them, recorded by the real recorder. Ids by what they are. */
export interface Story {
  shell: string;
  exec: string;
  several: string;
  hostile: string;
  live: string;
  recovered: string;
  long: string;
}

export const HOSTILE_NAME = '<img src=x onerror=alert(1)>\u202e</script><script>alert(2)</script>';

const prompt = '\x1b[1;32mdeploy@web-1\x1b[0m:\x1b[1;34m/srv/shop\x1b[0m$ ';

/** Output on a terminal, and a line that is typed into it key by key. */
function typeLine(channel: RecordedChannel, at: number, line: string): number {
  let now = at;
  for (const key of line) {
    channel.data(now, 'i', key);
    channel.data(now + 0.01, 'o', key);
    now += 0.08;
  }
  channel.data(now, 'i', '\r');
  channel.data(now + 0.01, 'o', '\r\n');
  return now + 0.1;
}

export async function recordStory(data: RecordedData): Promise<Story> {
  return {
    shell: await shellSession(data),
    exec: await execSession(data),
    several: await severalChannels(data),
    hostile: await hostileSession(data),
    live: await liveSession(data),
    recovered: await recoveredSession(data),
    long: await longSession(data),
  };
}

/** The records of an end, as the gateway would write them: with the numbers of what there was. */
async function close(data: RecordedData, session: RecordedSession, channels: readonly RecordedChannel[]): Promise<void> {
  for (const { recording } of channels) {
    const { segments } = await recording.finish();
    const closed = draft.channelClose(session.id, recording.description.channel, { status: 0 });
    await data.records.append({ ...closed, body: { ...closed.body, segments } });
  }
  const closed = draft.sessionClose(session.id);
  await data.records.append({ ...closed, body: { ...closed.body, channels: channels.length } });
}

async function shellSession(data: RecordedData): Promise<string> {
  const session = await data.openSession();
  const channel = await session.openChannel('shell');
  channel.terminal(100, 30);
  channel.event(0.001, { t: 'terminal', cols: 100, rows: 30, type: 'xterm-256color' });
  channel.event(0.002, { t: 'ssh.request', request: 'pty-req', term: 'xterm-256color', cols: 100, rows: 30 });
  channel.event(0.003, { t: 'decision', action: 'ssh:shell', verdict: 'allow', policies: ['agents-exec-prod'] });
  channel.event(0.004, { t: 'ssh.request', request: 'shell' }, 'shell');
  channel.data(0.2, 'o', prompt);
  let at = typeLine(channel, 1.5, 'systemctl status shop --no-pager');
  channel.data(
    at,
    'o',
    '\x1b[1;32m●\x1b[0m shop.service - Shop front end\r\n     Loaded: loaded (/etc/systemd/system/shop.service; \x1b[1;32menabled\x1b[0m)\r\n     Active: \x1b[1;32mactive (running)\x1b[0m since Sun 2026-11-22 06:12:48 UTC; 3h 26min ago\r\n   Main PID: 41207 (node)\r\n      Tasks: 23 (limit: 4661)\r\n     Memory: 412.8M\r\n\r\n',
  );
  channel.data(at + 0.1, 'o', 'Nov 22 09:37:55 web-1 shop[41207]: \x1b[33mWARN\x1b[0m pool exhausted, 14 waiting\r\n');
  channel.data(at + 0.1, 'o', 'Nov 22 09:37:58 web-1 shop[41207]: \x1b[31mERROR\x1b[0m checkout timed out after 5000 ms\r\n');
  channel.data(at + 0.2, 'o', prompt);
  at = typeLine(channel, at + 38, 'sudo systemctl restart shop');
  channel.data(at, 'o', '[sudo] password for deploy: ');
  channel.data(at + 2, 'i', 'the secret');
  channel.data(at + 3, 'i', '\r');
  channel.data(at + 3.1, 'o', '\r\n');
  channel.data(at + 4, 'o', prompt);
  at = typeLine(channel, at + 61, 'printf "漢字 ünïcödé 👩‍🚀 🚀\\n"');
  channel.data(at, 'o', '漢字 ünïcödé 👩‍🚀 🚀|\r\n');
  channel.data(at + 0.1, 'o', prompt);
  channel.resize(at + 1, 120, 36);
  at = typeLine(channel, at + 2, 'curl -s localhost:8080/health | jq -c .');
  channel.data(
    at,
    'o',
    '{\x1b[34m"status"\x1b[0m:\x1b[32m"ok"\x1b[0m,\x1b[34m"pool"\x1b[0m:{\x1b[34m"size"\x1b[0m:40,\x1b[34m"waiting"\x1b[0m:0}}\r\n',
  );
  channel.data(at + 0.1, 'o', prompt);
  at = typeLine(channel, at + 3, 'exit');
  channel.exit(at + 0.1, 0);
  await close(data, session, [channel]);
  return session.id;
}

async function execSession(data: RecordedData): Promise<string> {
  const session = await data.openSession({ principal: 'triage-agent', onBehalfOf: 'oncall@example.com' });
  const channel = await session.openChannel('exec', { command: 'make test' });
  channel.event(0.001, { t: 'ssh.request', request: 'exec', command: 'make test' }, '$ make test');
  channel.data(0.01, 'o', 'cc -O2 -o shop main.c\n');
  channel.data(0.3, 'e', 'main.c:41: warning: unused variable ‘pool’\n');
  channel.data(0.31, 'e', 'main.c:57: warning: comparison of integers\n');
  channel.data(0.9, 'i', 'yes\n');
  for (let line = 1; line <= 60; line += 1) channel.data(1 + line * 0.02, 'o', `ok ${line} - test number ${line}\n`);
  channel.data(2.4, 'e', 'FAILED: 1 of 61\n');
  channel.exit(2.5, 2);
  await close(data, session, [channel]);
  return session.id;
}

async function severalChannels(data: RecordedData): Promise<string> {
  const session = await data.openSession({ principal: 'reporting', onBehalfOf: 'analyst@example.com' });
  const files = await session.openChannel('sftp');
  files.event(0, { t: 'ssh.request', request: 'subsystem', name: 'sftp' }, 'sftp');
  files.event(0.2, { t: 'file', op: 'open', path: '/srv/report.csv', result: 'ok' });
  files.event(
    0.9,
    { t: 'file', op: 'close', path: '/srv/report.csv', bytes: 48_211, sha256: 'ab'.repeat(32), result: 'ok' },
    'get /srv/report.csv',
  );
  const binary = await session.openChannel('exec', { command: 'tar cf - .' });
  binary.event(0, { t: 'ssh.request', request: 'exec', command: 'tar cf - .' }, '$ tar cf - .');
  binary.data(0.1, 'o', Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) & 255)));
  binary.data(0.2, 'e', 'tar: done\n');
  binary.exit(0.3, 0);
  await close(data, session, [files, binary]);
  return session.id;
}

/** Whoever was recorded may have aimed at whoever watches. */
async function hostileSession(data: RecordedData): Promise<string> {
  const session = await data.openSession({ principal: HOSTILE_NAME, onBehalfOf: '"><b>human</b>' });
  const command = '</script><script>window.attacked=1</script><img src=x onerror="window.attacked=2">';
  const channel = await session.openChannel('exec', { command });
  channel.terminal(80, 24);
  channel.event(0, { t: 'terminal', cols: 80, rows: 24, type: 'xterm' });
  channel.event(0.001, { t: 'ssh.request', request: 'exec', command }, `$ ${command}`);
  channel.data(0.1, 'o', '\x1b]0;stolen title\x07\x1b]2;stolen title\x07');
  channel.data(0.2, 'o', `\x1b]52;c;${Buffer.from('stolen clipboard').toString('base64')}\x07`);
  channel.data(
    0.3,
    'o',
    '\x1b]8;;javascript:window.attacked=3\x07click me\x1b]8;;\x07 \x1b]8;;https://example.com/\x07and me\x1b]8;;\x07\r\n',
  );
  channel.data(0.4, 'o', '\x1b[c\x1b[6n\x1b[5n\x05\x1b[?1000h\x1b[8;3;3t\x1bP$qm\x1b\\');
  channel.data(0.5, 'o', '<script>window.attacked=4</script><img src=x onerror="window.attacked=5">\r\n');
  channel.data(0.6, 'o', '\x1b[38;2;300;1;1mcolour\x1b[m \u202egnp.exe\u202c \x1b[3J\x1b[!pafter\r\n');
  channel.data(0.7, 'o', `${'\x1b['.repeat(2000)}${'9'.repeat(5000)}mlong\r\n`);
  channel.event(0.8, { t: 'strange<b>', html: '<img src=x onerror="window.attacked=6">', __proto__x: { a: 1 } }, '<b>marker</b>');
  channel.data(0.9, 'o', 'the end');
  channel.exit(1, 0);
  await close(data, session, [channel]);
  return session.id;
}

async function liveSession(data: RecordedData): Promise<string> {
  const session = await data.openSession();
  const channel = await session.openChannel('exec', { command: 'tail -f log' });
  channel.event(0, { t: 'ssh.request', request: 'exec', command: 'tail -f log' }, '$ tail -f log');
  channel.data(0.5, 'o', 'first line\n');
  return session.id;
}

async function recoveredSession(data: RecordedData): Promise<string> {
  const session = await data.openSession({ principal: 'triage-agent', onBehalfOf: 'oncall@example.com' });
  const channel = await session.openChannel('exec', { command: 'uptime' });
  channel.event(0, { t: 'ssh.request', request: 'exec', command: 'uptime' }, '$ uptime');
  channel.data(0.5, 'o', ' 09:37:55 up 3 days\n');
  channel.event(0.6, { t: 'lost', bytes: 31 }, 'part of the recording is lost');
  await channel.recording.finish();
  await data.records.append(draft.sessionRecovered(session.id, 0, 600_000_000));
  return session.id;
}

/** Several segments: three stretches of a terminal that counts. */
async function longSession(data: RecordedData): Promise<string> {
  const session = await data.openSession({ principal: 'engineer@example.com', kind: 'human' });
  const channel = await session.openChannel('shell');
  channel.terminal(80, 24);
  channel.event(0, { t: 'terminal', cols: 80, rows: 24, type: 'xterm' });
  channel.event(0.001, { t: 'ssh.request', request: 'shell' }, 'shell');
  for (let second = 1; second <= 240; second += 1) channel.data(second, 'o', `tick ${second}\x1b[K\r\n`);
  channel.exit(241, 0);
  await close(data, session, [channel]);
  return session.id;
}
