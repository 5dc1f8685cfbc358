import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookAt } from '../../gateway/commands/gateway-connection.ts';
import { readPart } from '../../gateway/indexing/sidecar-file.ts';
import { Database } from '../../gateway/store/database.ts';
import { InTerminal } from '../commands/in-terminal.ts';
import { logIn, makeOperators } from '../operator-api/api-client.ts';
import { paramiko, ssh, sshArguments } from '../support/clients.ts';
import { hostileOutput } from '../support/hostile-output.ts';
import { foreignOutput } from '../support/painted-output.ts';
import { forgetPeak, processFacts } from '../support/processes.ts';
import { onlySession, sessionsOf } from '../support/recordings.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

const AUDITOR = 'auditor@example.com';
const main = fileURLToPath(new URL('../../gateway/main.ts', import.meta.url));
const SIZE = { cols: 96, rows: 28 };
const MiB = 1024 * 1024;

const belongings = new Belongings();
afterAll(() => belongings.release());

let world: World;
let asAuditor: string[];
/** One file for each trick. */
let tricks: string[];

beforeAll(async () => {
  const operators = await makeOperators(belongings.directory('operators'), { [AUDITOR]: ['auditor'] });
  world = await openWorld(belongings, {
    agents: 4,
    gateway: { https: true },
    humans: operators.humans,
    configuration: { recording: { segment: '256KiB' } },
  });
  const token = await logIn(world.gateway, AUDITOR, operators.keyOf(AUDITOR));
  const url = `https://127.0.0.1:${world.gateway.httpsPort}`;
  const { socket, fingerprint } = await lookAt(url);
  socket.destroy();
  asAuditor = [`SALLYPORT_GATEWAY=${url}`, `SALLYPORT_TOKEN=${token}`, `SALLYPORT_FINGERPRINT=${fingerprint}`];
  const directory = belongings.directory('hostile');
  tricks = hostileOutput().map(({ name, bytes }) => {
    const file = join(directory, name.replaceAll(' ', '-'));
    writeFileSync(file, bytes);
    return file;
  });
});

/** Each trick after a line of input, then everything that it began is cut off, and a word stands on an empty screen. */
const perform = (files: readonly string[]) =>
  `stty -echo; printf ready; n=0; for file in ${files.join(' ')}; do read line; cat $file; n=$((n+1)); printf '\\030\\033c\\033[2J\\033[HTRICK %s DONE' $n; done; read line`;

function reviewing(words: string[]): InTerminal {
  const terminal = new InTerminal('env', [...asAuditor, process.execPath, main, ...words], SIZE);
  belongings.add(() => terminal.kill('SIGKILL'));
  return terminal;
}

function expectPaintedOnly(terminal: InTerminal): void {
  expect(terminal.screen.length).toBeGreaterThan(1000);
  expect(foreignOutput(terminal.screen, SIZE)).toEqual([]);
}

/** Resolves when there is a sidecar for every segment. */
async function indexed(session: string): Promise<void> {
  const database = await Database.openForReading(world.gateway.data);
  try {
    await until(
      `sidecars of ${session}`,
      async () => {
        const rows = await database.segments.ofChannel(session, 0);
        const parts = await Promise.all(rows.map(({ segment, sha256 }) => readPart(world.gateway.data, session, 0, segment, sha256)));
        return parts.length > 0 && parts.every((part) => part !== undefined) ? true : undefined;
      },
      { withinMs: 45_000 },
    );
  } finally {
    await database.close();
  }
}

describe('a hostile target', () => {
  it('reaches the terminal of whoever watches or replays as nothing but cells', async () => {
    const route = world.agent();
    const agent = new InTerminal('ssh', [...sshArguments(route, ['-tt']), perform(tricks)], { cols: 80, rows: 24 });
    belongings.add(() => agent.kill('SIGKILL'));
    await agent.shows('ready');
    const [row] = await until('the session', async () => {
      const rows = await sessionsOf(world.gateway.data, route.principal);
      return rows.length === 1 && rows[0]?.channels === 1 ? rows : undefined;
    });
    const watching = reviewing(['watch', row?.id as string]);
    await watching.shows('ready');
    let seen = 0;
    for (let trick = 1; trick <= tricks.length; trick += 1) {
      agent.type('\r');
      await agent.shows(`TRICK ${trick} DONE`);
      seen = await watching.shows(`TRICK ${trick} DONE`, seen);
    }
    watching.type('q');
    expect(await watching.finished).toBe(0);
    expectPaintedOnly(watching);
    agent.type('\r');
    await agent.finished;

    const { id } = await onlySession(world.gateway.data, route.principal);
    await indexed(id);
    const playing = reviewing(['play', id, '--data', world.gateway.data, '--idle', '0.05']);
    await playing.shows(`TRICK ${tricks.length} DONE`);
    await playing.finished;
    expectPaintedOnly(playing);
  });

  it('without a terminal scrolls past whoever replays it as text, and does nothing to their terminal', async () => {
    const route = world.agent();
    await ssh(route, `cat ${tricks.join(' ')}; printf '\\030\\033c the end of it\\n'`);
    const { id } = await onlySession(world.gateway.data, route.principal);
    const playing = reviewing(['play', id, '--data', world.gateway.data, '--idle', '0.05']);
    await playing.shows('the end of it');
    await playing.finished;
    expectPaintedOnly(playing);
  });

  it('costs whoever indexes it little time and memory, in a terminal of 100,000 columns too', async () => {
    const route = world.agent();
    forgetPeak(world.gateway.pid);
    const before = processFacts(world.gateway.pid).resident;
    const done = await paramiko(route, enormous, [
      `cat ${tricks.join(' ')}; read line; cat ${tricks.join(' ')}; printf '\\030\\033c the end of it\\n'`,
    ]);
    expect(done.stderr).toBe('');
    expect(done.stdout.toString()).toContain('the end of it');
    const { id } = await onlySession(world.gateway.data, route.principal);
    await indexed(id);
    expect((processFacts(world.gateway.pid).residentPeak - before) / MiB).toBeLessThan(400);
    const playing = reviewing(['play', id, '--data', world.gateway.data, '--idle', '0.05']);
    await playing.shows('the end of it');
    await playing.finished;
    expectPaintedOnly(playing);
  });
});

const enormous = `
channel = transport.open_session()
channel.get_pty('xterm-256color', 100000, 4000000000)
channel.settimeout(30)
channel.exec_command('stty -echo; ' + args[0])
for width, height in ((1, 1), (100000, 100000), (4294967295, 1), (1, 4294967295), (0, 0), (100000, 2)):
    channel.resize_pty(width, height)
channel.sendall('next\\r')
last = b''
while True:
    data = channel.recv(65536)
    if not data: break
    last = (last + data)[-1000:]
print(last.decode('utf-8', 'replace'))
`;
