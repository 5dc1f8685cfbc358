import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookAt } from '../../gateway/commands/gateway-connection.ts';
import { InTerminal } from '../commands/in-terminal.ts';
import { logIn, makeOperators } from '../operator-api/api-client.ts';
import { paramiko, ssh, sshArguments } from '../support/clients.ts';
import { hostileOutput } from '../support/hostile-output.ts';
import { foreignOutput } from '../support/painted-output.ts';
import { forgetPeak, processFacts } from '../support/processes.ts';
import { onlySession, sessionsOf } from '../support/recordings.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';

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

/** Each trick after a line of input, and then a word in plain sight. Whatever was begun is cut off by CAN, and the screen is made anew. */
const performTricks = (files: readonly string[]) =>
  `stty -echo; printf ready; n=0; for file in ${files.join(' ')}; do read line; cat $file; n=$((n+1)); printf '\\030\\033c\\033[2J\\033[HTRICK %s DONE' $n; done; read line`;

function inTerminal(words: string[]): InTerminal {
  const terminal = new InTerminal('env', [...asAuditor, process.execPath, main, ...words], SIZE);
  belongings.add(() => terminal.kill('SIGKILL'));
  return terminal;
}

function expectPaintedOnly(terminal: InTerminal): void {
  expect(foreignOutput(terminal.screen, SIZE)).toEqual([]);
}

describe('a hostile target', () => {
  it('reaches the terminal of whoever watches or replays as nothing but cells', async () => {
    const route = world.agent();
    const agent = new InTerminal('ssh', [...sshArguments(route, ['-tt']), performTricks(tricks)], { cols: 80, rows: 24 });
    belongings.add(() => agent.kill('SIGKILL'));
    await agent.shows('ready');
    const [session] = await until('the session', async () => {
      const rows = await sessionsOf(world.gateway.data, route.principal);
      return rows.length === 1 ? rows : undefined;
    });
    const watching = inTerminal(['watch', session?.id as string]);
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
    const playing = inTerminal(['play', id, '--data', world.gateway.data, '--idle', '0.05']);
    await playing.shows(`TRICK ${tricks.length} DONE`);
    playing.type('\x1b[D');
    playing.type('q');
    await playing.finished;
    expectPaintedOnly(playing);
  });
});
