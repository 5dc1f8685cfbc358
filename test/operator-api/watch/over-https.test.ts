import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pty from 'node-pty';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../../contract/record.ts';
import { Emulation } from '../../../contract/replay/screen/emulation.ts';
import { mendScreen } from '../../../contract/replay/screen/mend-screen.ts';
import { emptyCell } from '../../../contract/replay/screen/terminal-internals.ts';
import { lookAt } from '../../../gateway/commands/gateway-connection.ts';
import { openWebSocket } from '../../../gateway/commands/web-socket.ts';
import { castItems } from '../../../gateway/query/cast-events.ts';
import { readCast } from '../../../gateway/query/read-cast.ts';
import { Database } from '../../../gateway/store/database.ts';
import { InTerminal } from '../../commands/in-terminal.ts';
import { randomOutput } from '../../replay/random-output.ts';
import { stateOf } from '../../replay/screen-state.ts';
import { sshArguments } from '../../support/clients.ts';
import { sessionsOf } from '../../support/recordings.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { openWorld, type World } from '../../support/world.ts';
import { logIn, makeOperators } from '../api-client.ts';
import { RawWebSocket } from '../web-socket.ts';
import { Viewer } from './viewer.ts';

const AUDITOR = 'auditor@example.com';
const main = fileURLToPath(new URL('../../../gateway/main.ts', import.meta.url));

const belongings = new Belongings();
afterAll(() => belongings.release());

let world: World;
let token: string;
let gateway: { url: string; trust: string };

beforeAll(async () => {
  const operators = await makeOperators(belongings.directory('operators'), { [AUDITOR]: ['auditor'] });
  world = await openWorld(belongings, {
    agents: 4,
    gateway: { https: true, tellsHeld: true },
    humans: operators.humans,
    configuration: { recording: { segment: '1MiB' } },
  });
  token = await logIn(world.gateway, AUDITOR, operators.keyOf(AUDITOR));
  const url = `https://127.0.0.1:${world.gateway.httpsPort}`;
  const { socket, fingerprint } = await lookAt(url);
  socket.destroy();
  gateway = { url, trust: fingerprint };
});

/** An agent at a terminal, through the gateway. */
async function openSession(command: string): Promise<{ session: string; agent: pty.IPty }> {
  const route = world.agent();
  const agent = pty.spawn('ssh', [...sshArguments(route, ['-tt']), command], { cols: 90, rows: 25, name: 'xterm-256color' });
  belongings.add(() => agent.kill('SIGKILL'));
  const [row] = await until('the session', async () => {
    const rows = await sessionsOf(world.gateway.data, route.principal);
    return rows.length === 1 ? rows : undefined;
  });
  return { session: row?.id as string, agent };
}

/** Watches over HTTPS; resolves when the socket is open. */
async function watch(session: string): Promise<Viewer> {
  const viewer = new Viewer();
  const listener = {
    text: (message: string) => viewer.send(message),
    binary: (message: Uint8Array) => viewer.send(message),
    ended: (code: number | undefined, reason: string) => viewer.close(code ?? 0, reason),
  };
  const socket = await openWebSocket({ gateway, token }, `/api/sessions/${session}/live`, listener);
  viewer.on('close', () => socket.close());
  belongings.add(() => socket.close());
  return viewer;
}

async function replayed(session: string): Promise<Emulation> {
  const database = await Database.openForReading(world.gateway.data);
  try {
    let screen = new Emulation(80, 24);
    for await (const item of castItems(readCast(database, session, 0))) {
      if (item.kind === 'header') screen = new Emulation(item.header.cols, item.header.rows);
      else if (item.kind === 'event' && item.code === 'o') screen.show(item.data);
      else if (item.kind === 'event' && item.code === 'r') screen.resize(...(item.data.split('x').map(Number) as [number, number]));
    }
    return screen;
  } finally {
    await database.close();
  }
}

const titleOf = (viewer: Viewer) => viewer.screens.get(0)?.core._inputHandler._windowTitle;

describe('a session through the gateway', () => {
  it('88 is seen by thirty watchers who join at random moments as a replay shows it', async () => {
    const file = join(belongings.directory('drawing'), 'output');
    const half = (seed: number, title: string) => `${randomOutput(seed, 2500, false)}\x18\x1b]2;${title}\x07`;
    writeFileSync(`${file}.1`, half(1, 'half'));
    writeFileSync(`${file}.2`, half(2, 'whole'));
    // In pieces of every size, so that they end anywhere, and so many for each line that is typed.
    const draw = [
      'open F, $_; binmode F; ($n, $m) = (1, 0);',
      'while (read F, $b, $n) { syswrite STDOUT, $b; $n = ($n * 7 + 3) % 61 + 1; <STDIN> if ++$m % 8 == 0; select undef, undef, undef, 0.001 }',
    ].join(' ');
    const { session, agent } = await openSession(
      `perl -e '$SIG{WINCH} = sub {}; for (@ARGV) { ${draw} while (<STDIN> ne "next\\n") {} }' ${file}.1 ${file}.2`,
    );
    for (const title of ['half', 'whole']) {
      const viewers: Viewer[] = [];
      for (let joined = 0; joined < 15; joined += 1) {
        agent.write('\n');
        if (joined === 6) agent.resize(title === 'half' ? 100 : 80, 30);
        viewers.push(await watch(session));
        agent.write('\n');
      }
      const [first] = viewers as [Viewer];
      while (titleOf(first) !== title) {
        const { framed } = first;
        agent.write('\n');
        await first.until('more output', () => first.framed > framed || titleOf(first) === title);
      }
      await Promise.all(viewers.map((viewer) => viewer.until(`the end of ${title}`, () => titleOf(viewer) === title, 30_000)));
      // Lines that were typed ahead may still be echoed: what is read is complete when nothing has come meanwhile.
      const came = () => viewers.map(({ framed }) => framed).join();
      const replay = await until('an end of the output', async () => {
        const before = came();
        const read = await replayed(session);
        await delay(100);
        return came() === before ? read : undefined;
      });
      mendScreen(replay.core);
      for (const [index, viewer] of viewers.entries()) {
        const { core } = viewer.screens.get(0) as Emulation;
        mendScreen(core);
        expect(stateOf(core), `viewer ${index} of ${title}`).toEqual(stateOf(replay.core));
      }
      expect(viewers.filter((viewer) => viewer.framed > 0).length).toBeGreaterThan(5);
      for (const viewer of viewers) viewer.vanish();
      agent.write('next\n');
    }
    const database = await Database.openForReading(world.gateway.data);
    const views = await until('the records of who watched', async () => {
      const records = (await database.records.ofSession(session)).map(
        ({ bytes }) => JSON.parse(Buffer.from(bytes ?? []).toString()) as AuditRecord,
      );
      const found = records.filter((record): record is AuditRecord<'access.viewed'> => record.type === 'access.viewed');
      return found.length >= 60 ? found : undefined;
    });
    await database.close();
    expect(new Set(views.map(({ actor }) => actor.principal))).toEqual(new Set([AUDITOR]));
    expect(views.filter(({ body }) => body.channel === 0 && body.to !== undefined && body.from !== undefined)).toHaveLength(30);
  });

  it('is refused to those who have not logged in, and over when it is over', async () => {
    const { session, agent } = await openSession('read line');
    await expect(
      openWebSocket({ gateway, token: `${token}x` }, `/api/sessions/${session}/live`, new Viewer() as never),
    ).rejects.toMatchObject({
      code: 'LOGIN_REQUIRED',
    });
    const viewer = await watch(session);
    await viewer.until('a screen', () => viewer.screens.has(0));
    agent.write('\n');
    await viewer.until('the end', () => viewer.of('end').length > 0);
    const late = await watch(session);
    await late.until('a refusal', () => late.of('end').length > 0);
    expect(late.of('end')).toMatchObject([{ code: 'SESSION_NOT_LIVE' }]);
  });
});

describe('a session with watchers who do not read', () => {
  it('89 delivers every byte, and the gateway keeps little for them', async () => {
    const zeros = 12_000_000;
    const { session, agent } = await openSession(`read line; head -c ${zeros} /dev/zero | base64; printf done; read line`);
    const open = () =>
      RawWebSocket.open({
        port: world.gateway.httpsPort,
        path: `/api/sessions/${session}/live`,
        headers: { Authorization: `Bearer ${token}` },
      });
    const [stuck, gone, quick] = [await open(), await open(), await watch(session)];
    belongings.add(() => void stuck.socket.destroy());
    await Promise.all(
      [stuck, gone].map((socket) => socket.until((messages) => messages.some((message) => message.includes('"snapshot"')))),
    );
    stuck.socket.pause();
    gone.socket.destroy();
    const before = await world.gateway.held();
    let bytes = 0;
    let tail = '';
    const delivered = new Promise<void>((resolve) => {
      agent.onData((data) => {
        bytes += data.length;
        tail = (tail + data).slice(-4);
        if (tail === 'done') resolve();
      });
    });
    agent.write('\n');
    await delivered;
    // Base64 in lines of 76, each with CR and LF; the echo of the line that was typed; and the word.
    const characters = Math.ceil(zeros / 3) * 4;
    expect(bytes).toBe(characters + 2 * Math.ceil(characters / 76) + 2 + 4);
    expect((await world.gateway.held()) - before).toBeLessThan(8 * 1024 * 1024);
    await quick.until('the end at the one who reads', () => lastLineOf(quick).endsWith('done'), 30_000);
    agent.write('\n');
  });
});

/** The line that the cursor is in, up to the cursor. */
function lastLineOf(viewer: Viewer): string {
  const core = viewer.screens.get(0)?.core;
  const buffer = core?.buffers.active;
  if (buffer === undefined) return '';
  const line = buffer.lines.get(buffer.ybase + buffer.y);
  const cell = emptyCell();
  return Array.from({ length: buffer.x }, (_, x) => line?.loadCell(x, cell).getChars()).join('');
}

describe('sallyport watch', () => {
  it('shows the screen as it is and as it goes on, lets nothing else through, and leaves with q', async () => {
    const hostile = '\\033]52;c;aGk=\\007\\033[5n\\033[c\\033]0;owned\\007\\033[8;1;1t';
    const { session, agent } = await openSession(
      `printf 'first\\r\\n${hostile}\\033[31mred\\033[0m'; while read line; do printf '%s${hostile}' "again:$line"; done`,
    );
    const variables = [`SALLYPORT_GATEWAY=${gateway.url}`, `SALLYPORT_TOKEN=${token}`, `SALLYPORT_FINGERPRINT=${gateway.trust}`];
    const terminal = new InTerminal('env', [...variables, process.execPath, main, 'watch', session], { cols: 70, rows: 20 });
    await terminal.shows('first');
    await terminal.shows('red');
    await terminal.shows('q leaves');
    agent.write('more\n');
    await terminal.shows('again:more');
    terminal.type('q');
    expect(await terminal.finished).toBe(0);
    expect(terminal.screen).not.toMatch(/\x1b\]|\x1b\[5n|\x1b\[c|\x1b\[8;1;1t|owned/);
    expect(terminal.screen).toContain('\x1b[?1049l');
    agent.write('\x04');
  });
});
