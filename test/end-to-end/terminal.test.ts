import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn as spawnPty } from 'node-pty';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paramiko, plink, type Route, ssh, sshArguments } from '../support/clients.ts';
import { onlyRecording } from '../support/recordings.ts';
import { plainEnvironment, run } from '../support/run.ts';
import { makePasswordUser } from '../support/sshd.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World, webTarget } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  const user = await makePasswordUser(belongings);
  world = await openWorld(belongings, {
    agents: 12,
    targets: (host) => [{ ...webTarget(host, 'as-user'), login: user.name, credential: { password: { env: 'USER_PASSWORD' } } }],
    gateway: { env: { USER_PASSWORD: user.password } },
  });
}, 240_000);
afterAll(() => belongings.release());

describe.concurrent('a terminal', () => {
  it('16 has the line endings that -tt asks for', async () => {
    const route = world.agent();
    const command = 'printf "one\\ntwo\\r\\nthree"; stty -a | tr ";" "\\n" | sort';
    const [through, direct] = await Promise.all([ssh(route, command, { flags: ['-tt'] }), ssh(world.direct, command, { flags: ['-tt'] })]);
    expect(through.stdout.toString()).toBe(direct.stdout.toString());
    expect(through.stdout.toString()).toContain('one\r\ntwo\r\r\nthree');
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.bytes('o')).toEqual(through.stdout);
  });

  it('16 has no terminal where none was asked for', async () => {
    const done = await ssh(world.agent(), 'tty; printf "a\\n"');
    expect(done.stdout.toString()).toBe('not a tty\na\n');
  });

  it('17 serves a shell that expect drives', async () => {
    const route = world.agent();
    const done = await expectShell(route);
    expect(done.stderr).toBe('');
    expect(done.status).toBe(5);
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.row.kind).toBe('shell');
    expect(recording.row.exit).toEqual({ status: 5 });
    expect(recording.bytes('i').toString()).toBe('PS1="ready> "\rexpr 6 \\* 7\rcat\rtyped\r\u0004exit 5\r');
    // What expect saw came through ssh's own terminal in raw mode: the very bytes of the session.
    expect(recording.bytes('o').toString()).toContain('ready> expr 6 \\* 7\r\n42\r\nready> cat\r\ntyped\r\ntyped\r\nready> exit 5\r\n');
    expect(done.stdout.toString()).toContain('42');
  });

  it('18 passes a resize on to the target and into the recording', async () => {
    const route = world.agent();
    const terminal = spawnPty(
      'ssh',
      sshArguments(route, ['-tt']).concat(
        "trap 'echo size $(stty size)' WINCH; echo up $(stty size); while ! read -r -t 0.1 line; do :; done",
      ),
      {
        name: 'xterm-256color',
        cols: 80,
        rows: 24,
        env: plainEnvironment(),
      },
    );
    belongings.add(() => terminal.kill());
    const screen = new Screen(terminal);
    await screen.shows('up 24 80');
    terminal.resize(132, 43);
    await screen.shows('size 43 132');
    terminal.resize(61, 17);
    await screen.shows('size 17 61');
    terminal.write('end\r');
    await screen.ended();
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.cast.header.term).toMatchObject({ cols: 80, rows: 24, type: 'xterm-256color' });
    expect(recording.cast.events.filter((event) => event.code === 'r').map((event) => event.data)).toEqual(['132x43', '61x17']);
    expect(recording.bytes('o').toString()).toBe(screen.text);
  });

  it('19 may have no size at all', async () => {
    const route = world.agent();
    // Without a terminal of its own, ssh asks for one of 0 columns and 0 rows.
    const [through, direct] = await Promise.all([
      ssh(route, 'stty size', { flags: ['-tt'] }),
      ssh(world.direct, 'stty size', { flags: ['-tt'] }),
    ]);
    expect(through.stdout.toString()).toBe('0 0\r\n');
    expect(direct.stdout.toString()).toBe('0 0\r\n');
    const { cast } = await onlyRecording(world.gateway.data, route.principal);
    const term = cast.header.term as { cols: number; rows: number };
    expect(Math.min(term.cols, term.rows)).toBeGreaterThan(0); // players divide by it
  });

  it('19 may be given a size later', async () => {
    const route = world.agent();
    const done = await paramiko(route, sizedLater);
    expect(done.stderr).toBe('');
    expect(JSON.parse(done.stdout.toString())).toEqual(['0 0', '50 100']);
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.cast.events.filter((event) => event.code === 'r').map((event) => event.data)).toEqual(['100x50']);
  });

  it('14 merges both outputs on a terminal, as the target does', async () => {
    const route = world.agent();
    const done = await plink(route, 'echo out; echo err >&2', { flags: ['-t'] });
    expect(done.stdout.toString()).toBe('out\r\nerr\r\n');
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.bytes('o')).toEqual(done.stdout);
    expect(recording.bytes('e')).toHaveLength(0);
  });

  it('15 passes a signal on', async () => {
    // sshd delivers signals only where it separated its privileges, so not for root.
    const route = world.agent('as-user');
    const done = await paramiko(route, signalled);
    expect(done.stderr).toBe('');
    expect(done.stdout.toString()).toBe('waiting\ncaught USR1\n');
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.cast.events.some((event) => event.ours?.request === 'signal' && event.ours.signal === 'USR1')).toBe(true);
  });
});

/** Everything a terminal showed, and a way to wait for it. */
class Screen {
  text = '';
  readonly #ended: Promise<void>;
  #check: () => void = () => undefined;

  constructor(terminal: ReturnType<typeof spawnPty>) {
    this.#ended = new Promise((resolve) => terminal.onExit(() => resolve()));
    terminal.onData((data) => {
      this.text += data;
      this.#check();
    });
  }

  shows(text: string): Promise<void> {
    const shown = new Promise<void>((resolve) => {
      this.#check = () => this.text.includes(text) && resolve();
      this.#check();
    });
    const over = this.#ended.then(() => {
      if (!this.text.includes(text)) throw new Error(`the session ended without showing ${JSON.stringify(text)}: ${this.text}`);
    });
    return Promise.race([shown, over]);
  }

  ended(): Promise<void> {
    return this.#ended;
  }
}

function expectShell(route: Route): ReturnType<typeof run> {
  const script = join(belongings.directory('expect'), 'drive.exp');
  const command = sshArguments(route, ['-tt'])
    .map((arg) => `{${arg}}`)
    .join(' ');
  writeFileSync(
    script,
    `set timeout 15
spawn -noecho ssh ${command}
expect_after timeout { puts stderr "timeout"; exit 99 } eof { puts stderr "end of file"; exit 98 }
expect -re {[#$] $}
send "PS1=\\"ready> \\"\\r"
expect -re {\\nready> $}
send "expr 6 \\\\* 7\\r"
expect -re {\\n42\\r\\nready> $}
send "cat\\r"
expect "cat\\r\\n"
send "typed\\r"
expect "typed\\r\\ntyped\\r\\n"
send "\\004"
expect "ready> "
send "exit 5\\r"
expect_after
expect eof
exit [lindex [wait] 3]
`,
  );
  return run('expect', ['-f', script], { env: plainEnvironment({ TERM: 'dumb' }) });
}

const sizedLater = `
channel = transport.open_session()
channel.get_pty('xterm', 0, 0)
channel.settimeout(15)
channel.exec_command("trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done")
lines = channel.makefile('r')
first = lines.readline().strip()
channel.resize_pty(100, 50)
print(json.dumps([first, lines.readline().strip()]))
`;

const signalled = `
from paramiko.common import cMSG_CHANNEL_REQUEST
channel = transport.open_session()
channel.settimeout(15)
channel.exec_command('trap "echo caught USR1; exit" USR1; echo waiting; while :; do sleep 0.05; done')
lines = channel.makefile('r')
print(lines.readline().strip())
message = paramiko.Message()
message.add_byte(cMSG_CHANNEL_REQUEST); message.add_int(channel.remote_chanid)
message.add_string('signal'); message.add_boolean(False); message.add_string('USR1')
transport._send_user_message(message)
print(lines.readline().strip())
`;
