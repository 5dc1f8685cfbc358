import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbclient, paramiko, plink, type Route, ssh } from '../support/clients.ts';
import { onlyRecording } from '../support/recordings.ts';
import type { Finished, RunOptions } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World, webTarget } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, {
    agents: 40,
    web: { environment: ['LANG', 'LC_*', 'FOO_*'] },
    targets: (host) => [webTarget(host, 'default-environment')],
  });
}, 240_000);
afterAll(() => belongings.release());

const clients: [string, (route: Route, command: string, options?: RunOptions) => Promise<Finished>][] = [
  ['OpenSSH', ssh],
  ['plink', plink],
  ['dbclient', dbclient],
];

/** Every byte there is, text that is not ASCII, and sequences that look like UTF-8 and are not. */
const awkward = Buffer.concat([
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  Buffer.from('déjà vu 漢字 שלום مرحبا 👩🏽‍🚀 \0 end\n'),
  Buffer.from([0xc3, 0x28, 0xe2, 0x82, 0xf0, 0x9f, 0x92, 0xed, 0xa0, 0x80, 0xc0, 0xaf, 0xff, 0xfe, 0x0a]),
]);

describe.concurrent('a command', () => {
  for (const [name, client] of clients) {
    it(`14 keeps stdout and stderr apart (${name})`, async () => {
      const route = world.agent();
      const command = 'for n in 1 2 3; do echo "out $n"; echo "err $n" >&2; sleep 0.02; done; printf "\\377\\376"; printf "\\200\\201" >&2';
      const [through, direct] = await Promise.all([client(route, command), client(world.direct, command)]);
      expect(through.status).toBe(0);
      expect(through.stdout).toEqual(direct.stdout);
      expect(through.stdout.toString('latin1')).toBe('out 1\nout 2\nout 3\n\xff\xfe');

      const recording = await onlyRecording(world.gateway.data, route.principal);
      expect(recording.row.kind).toBe('exec');
      expect(recording.bytes('o')).toEqual(through.stdout);
      expect(recording.bytes('e').toString('latin1')).toBe('err 1\nerr 2\nerr 3\n\x80\x81');
    });

    it(`15 gives the exit codes 0, 43 and 255 (${name})`, async () => {
      const route = world.agent();
      for (const status of [0, 43, 255]) {
        const [through, direct] = await Promise.all([client(route, `exit ${status}`), client(world.direct, `exit ${status}`)]);
        expect(through.status).toBe(status);
        expect(direct.status).toBe(status);
      }
    });

    it(`15 tells of death by a signal (${name})`, async () => {
      const route = world.agent();
      const [through, direct] = await Promise.all([client(route, 'kill -TERM $$'), client(world.direct, 'kill -TERM $$')]);
      expect(through.status).toBe(direct.status);
      if (name !== 'dbclient') expect(through.status).not.toBe(0); // it has no status of its own for this
      const recording = await onlyRecording(world.gateway.data, route.principal);
      expect(recording.row.exit).toEqual({ signal: 'TERM' });
    });
  }

  it('15 records the exit status where players show it', async () => {
    const route = world.agent();
    expect((await ssh(route, 'echo bye; exit 43')).status).toBe(43);
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.row.exit).toEqual({ status: 43 });
    expect(recording.cast.events.filter((event) => event.code === 'x').map((event) => event.data)).toEqual(['43']);
  });

  it('20 passes only the variables that the target allows', async () => {
    const flags = ['-o', 'SetEnv=FOO_ONE=1 LC_TEST=ü LANG=C.UTF-8 EVIL=2'];
    const command = 'echo "$FOO_ONE|$LC_TEST|$LANG|$EVIL"';
    const allowing = world.agent();
    const byDefault = world.agent('default-environment');
    const [direct, allowed, standard] = await Promise.all([
      ssh(world.direct, command, { flags }),
      ssh(allowing, command, { flags }),
      ssh(byDefault, command, { flags }),
    ]);
    expect(direct.stdout.toString()).toBe('1|ü|C.UTF-8|\n');
    expect(allowed.stdout.toString()).toBe('1|ü|C.UTF-8|\n');
    // sshd would take FOO_ONE: it is the gateway that holds it back.
    expect(standard.stdout.toString()).toBe('|ü|C.UTF-8|\n');
    const recorded = JSON.stringify((await onlyRecording(world.gateway.data, allowing.principal)).cast);
    expect(recorded).toContain('FOO_ONE');
  });

  it('21 takes standard input that is there at once, then ends', async () => {
    const route = world.agent();
    for (let round = 0; round < 5; round += 1) {
      expect((await ssh(route, 'cat', { input: 'hello\n' })).stdout.toString()).toBe('hello\n');
      expect((await ssh(route, 'wc -c', { input: '' })).stdout.toString()).toBe('0\n');
    }
  });

  it('21 takes input and its end that arrive together with the command, before any answer', async () => {
    const route = world.agent();
    const done = await paramiko(route, earlyInput);
    expect(done.stderr).toBe('');
    expect(JSON.parse(done.stdout.toString())).toEqual({ output: 'early\n', status: 0 });
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.bytes('i').toString()).toBe('early\n');
    expect(recording.bytes('o').toString()).toBe('early\n');
  });

  it('22 goes on sending after the client ended its input', async () => {
    const route = world.agent();
    const done = await ssh(route, 'cat >/dev/null; sleep 0.3; seq 1 2000; echo done >&2; exit 7', { input: 'x' });
    expect(done.status).toBe(7);
    expect(done.stdout.toString().trimEnd().split('\n')).toHaveLength(2000);
    expect(done.stderr).toBe('done\n');
  });

  it('22 goes on receiving after the target ended its output', async () => {
    const route = world.agent();
    const file = join(belongings.directory('half-close'), 'late');
    const done = await paramiko(route, lateInput, [file]);
    expect(done.stderr).toBe('');
    expect(JSON.parse(done.stdout.toString())).toEqual({ eof: true, status: 9 });
    expect(readFileSync(file, 'utf8')).toBe('late');
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.bytes('i').toString()).toBe('late');
  });

  it('24 carries binary bytes exactly, both ways, and they can be rebuilt from the recording', async () => {
    const route = world.agent();
    const done = await ssh(route, 'tee /dev/stderr', { input: awkward });
    expect(done.stdout).toEqual(awkward);
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.bytes('i')).toEqual(awkward);
    expect(recording.bytes('o')).toEqual(awkward);
    expect(recording.bytes('e')).toEqual(awkward);
  });

  it('24 accounts for every byte of a long binary stream by digest', async () => {
    const route = world.agent();
    const bytes = randomBytes(9 * 1024 * 1024 + 17);
    const done = await ssh(route, 'cat', { input: bytes });
    expect(done.stdout.equals(bytes)).toBe(true);
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.difference('i', bytes)).toBeUndefined();
    expect(recording.difference('o', bytes)).toBeUndefined();
    expect(recording.row.bytes).toEqual({ i: bytes.length, o: bytes.length, e: 0 });
  });

  it('27 records what follows a command that begins like scp', async () => {
    const route = world.agent();
    const done = await ssh(route, 'scp x; bash', { input: 'echo slipped $((40 + 2))\nexit 3\n' });
    expect(done.status).toBe(3);
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.row.detail.command).toBe('scp x; bash');
    expect(recording.bytes('i').toString()).toBe('echo slipped $((40 + 2))\nexit 3\n');
    expect(recording.bytes('o')).toEqual(done.stdout);
    expect(done.stdout.toString()).toContain('slipped 42');
  });

  for (const terminal of [false, true]) {
    it(`39 keeps UTF-8 whole that arrives in pieces, and everything else exactly (${terminal ? 'with' : 'without'} a terminal)`, async () => {
      const route = world.agent();
      const text = Buffer.from('é漢👩🏽‍🚀 שָׁלוֹם مرحبا e\u0301 \u0000 fin');
      const broken = Buffer.from([0x41, 0xf0, 0x9f, 0x42, 0x80, 0xff, 0x43]);
      const hex = Buffer.concat([text, broken]).toString('hex');
      const dribble = `stty -opost 2>/dev/null; /usr/bin/python3 -c "import os,time
for b in bytes.fromhex('${hex}'): os.write(1, bytes([b])); time.sleep(0.002)"`;
      const done = await ssh(route, dribble, { flags: terminal ? ['-tt'] : [] });
      expect(done.stdout.toString('hex')).toBe(hex);
      const recording = await onlyRecording(world.gateway.data, route.principal);
      expect(recording.bytes('o').toString('hex')).toBe(hex);
      const shown = recording.cast.events.filter((event) => event.code === 'o').map((event) => event.data);
      expect(shown.join('')).toContain(text.toString());
    });
  }
});

/** Sends the request, the input and its end without waiting for any answer, as RFC 4254 allows. */
const earlyInput = `
from paramiko.common import cMSG_CHANNEL_REQUEST
channel = transport.open_session()
message = paramiko.Message()
message.add_byte(cMSG_CHANNEL_REQUEST); message.add_int(channel.remote_chanid)
message.add_string('exec'); message.add_boolean(False); message.add_string('cat')
transport._send_user_message(message)
channel.sendall(b'early\\n')
channel.shutdown_write()
output = b''
while True:
    part = channel.recv(1000)
    if not part: break
    output += part
print(json.dumps({'output': output.decode(), 'status': channel.recv_exit_status()}))
`;

/** Waits for the end of the target's output before it sends anything. */
const lateInput = `
channel = transport.open_session()
channel.exec_command("exec 1>&- 2>&-; cat > '%s'; exit 9" % args[0])
channel.settimeout(10)
eof = channel.recv(10) == b''
channel.sendall(b'late')
channel.shutdown_write()
print(json.dumps({'eof': eof, 'status': channel.recv_exit_status()}))
`;
