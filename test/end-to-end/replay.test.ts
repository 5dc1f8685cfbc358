import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CastEvent } from '../../contract/replay/cast-event.ts';
import type { ReplayDriver } from '../../contract/replay/driver.ts';
import { type HttpDriver, openHttpRecording } from '../../contract/replay/http-driver.ts';
import type { Part } from '../../contract/replay/part.ts';
import { Player } from '../../contract/replay/player.ts';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { lookAt } from '../../gateway/commands/gateway-connection.ts';
import { readPart, sidecarPath } from '../../gateway/indexing/sidecar-file.ts';
import { Database } from '../../gateway/store/database.ts';
import { logIn, makeOperators, send } from '../operator-api/api-client.ts';
import { nodeTransport } from '../operator-api/recordings/node-transport.ts';
import { nodeHost } from '../replay/memory-driver.ts';
import { randomNumbers } from '../replay/random-output.ts';
import { expectSame, fingerprintOf } from '../replay/screen-state.ts';
import { ssh, sshArguments } from '../support/clients.ts';
import { DrivenTerminal } from '../support/driven-terminal.ts';
import { onlySession, sessionsOf } from '../support/recordings.ts';
import { Belongings } from '../support/temp.ts';
import { type TerminalProgram, terminalPrograms } from '../support/terminal-programs.ts';
import { until } from '../support/wait.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';

const AUDITOR = 'auditor@example.com';
const belongings = new Belongings();
afterAll(() => belongings.release());

let world: World;
let token: string;
let open: (session: string) => Promise<HttpDriver>;

beforeAll(async () => {
  const operators = await makeOperators(belongings.directory('operators'), { [AUDITOR]: ['auditor'] });
  world = await openWorld(belongings, { agents: 7, gateway: { https: true }, humans: operators.humans });
  token = await logIn(world.gateway, AUDITOR, operators.keyOf(AUDITOR));
  const { socket, fingerprint } = await lookAt(`https://127.0.0.1:${world.gateway.httpsPort}`);
  socket.destroy();
  open = (session) => openHttpRecording(nodeTransport(world.gateway, fingerprint, token), session, 0);
});

/** With files of its own: all of tmux that share them are one. */
function programOf(name: string): TerminalProgram {
  return terminalPrograms(belongings.directory('program')).find((each) => each.name === name) as TerminalProgram;
}

/** Somebody at a terminal, through the gateway. */
function terminalOf({ line, cols, rows }: TerminalProgram, route: AgentRoute): DrivenTerminal {
  const terminal = new DrivenTerminal('ssh', [...sshArguments(route, ['-tt']), line], cols, rows);
  belongings.add(() => terminal.kill());
  return terminal;
}

async function eventsOf(driver: ReplayDriver): Promise<CastEvent[]> {
  const events: CastEvent[] = [];
  for (let piece = 0; piece < driver.outline.pieces.length; piece += 1) events.push(...(await driver.load(piece)));
  return events.filter((event) => event.kind === 'resize' || (event.kind === 'data' && event.stream === 'o'));
}

/** What was shown to the client, up to any character of it. */
class Client {
  readonly text: string;
  readonly #terminal: { cols: number; rows: number };
  /** Sizes, and the number of characters before each. */
  readonly #sizes: { at: number; cols: number; rows: number }[] = [];

  constructor({ events }: DrivenTerminal, { cols, rows }: TerminalProgram) {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    this.#terminal = { cols, rows };
    let text = '';
    for (const event of events) {
      if (event.kind === 'data') text += decoder.decode(event.bytes, { stream: true });
      else this.#sizes.push({ ...event, at: text.length });
    }
    this.text = text;
  }

  /** Whether it had so many sizes when so much had been shown. A size between two characters is there before or after it. */
  had(sizes: number, characters: number): boolean {
    return (
      this.#sizes.filter(({ at }) => at < characters).length <= sizes && sizes <= this.#sizes.filter(({ at }) => at <= characters).length
    );
  }

  screenAt(characters: number, sizes: number): Emulation {
    const screen = new Emulation(this.#terminal.cols, this.#terminal.rows);
    let shown = 0;
    for (const { at, cols, rows } of this.#sizes.slice(0, sizes)) {
      screen.show(this.text.slice(shown, at));
      screen.resize(cols, rows);
      shown = at;
    }
    screen.show(this.text.slice(shown, characters));
    return screen;
  }
}

/** After which characters of the output each moment of a recording is, and how many sizes came before it. */
function momentsOf(events: readonly CastEvent[]): { at: number; characters: number; sizes: number }[] {
  const moments: { at: number; characters: number; sizes: number }[] = [];
  let [characters, sizes] = [0, 0];
  for (const [index, event] of events.entries()) {
    if (event.kind === 'data') characters += event.text.length;
    else sizes += 1;
    if (events[index + 1]?.at !== event.at) moments.push({ at: event.at, characters, sizes });
  }
  return moments;
}

describe.concurrent('a program that draws, through the gateway', () => {
  it.each(['vim', 'htop', 'tmux', 'wide text'])('40 is in its replay, cell by cell, what the client saw: %s', async (name) => {
    const program = programOf(name);
    const route = world.agent();
    const terminal = terminalOf(program, route);
    await program.use(terminal);
    await terminal.ended();
    const { id } = await onlySession(world.gateway.data, route.principal);
    const driver = await open(id);
    const events = await eventsOf(driver);
    const client = new Client(terminal, program);
    expect(events.map((event) => (event.kind === 'data' ? event.text : '')).join('')).toBe(client.text);

    const random = randomNumbers(name.length);
    const moments = momentsOf(events);
    // A new size reaches the target a little after the client: what was on its way meanwhile is shown to each in another one.
    const comparable = moments.filter(({ characters, sizes }) => client.had(sizes, characters));
    expect(comparable.length).toBeGreaterThan(moments.length * 0.8);
    const player = new Player(driver, nodeHost);
    for (let turn = 0; turn < 40; turn += 1) {
      const { at, characters, sizes } = (
        turn === 0 ? comparable.at(-1) : comparable[random(comparable.length)]
      ) as (typeof moments)[number];
      player.seek(at, 0);
      await player.shown();
      expectSame(player.screen, client.screenAt(characters, sizes), `${name} at ${at} µs, after ${characters} characters`);
    }
    await player.close();
  });

  it.each(['htop', 'tmux'])('88 is joined while it runs, and shows what the replay shows at the same moment: %s', async (name) => {
    const program = programOf(name);
    const route = world.agent();
    const terminal = terminalOf(program, route);
    let using = true;
    const used = program
      .use(terminal)
      .then(() => terminal.ended())
      .finally(() => {
        using = false;
      });
    used.catch(() => undefined); // It is waited for below.
    const [row] = await until('the session', async () => {
      const rows = await sessionsOf(world.gateway.data, route.principal);
      return rows.length === 1 ? rows : undefined;
    });
    const session = row?.id as string;
    const joined: { player: Player; at: number; fingerprint: string }[] = [];
    do {
      const player = new Player(await open(session), nodeHost);
      player.toLive(0);
      await until('anything at all', () => (player.position > 0 ? true : undefined), { everyMs: 5 });
      await player.shown();
      joined.push({ player, at: player.position, fingerprint: fingerprintOf(player.screen) });
    } while (using && joined.length < 12);
    await used;
    await onlySession(world.gateway.data, route.principal);
    const sealed = await open(session);
    const replay = new Player(sealed, nodeHost);
    const events = await eventsOf(sealed);
    const end = events.at(-1)?.at as number;
    for (const { player, at, fingerprint } of joined) {
      const screen = new Emulation(program.cols, program.rows);
      const seen = new Set<string>();
      for (const event of events.filter((each) => each.at <= at)) {
        if (event.kind === 'data') screen.show(event.text);
        else if (event.kind === 'resize') screen.resize(event.cols, event.rows);
        // Of several things in one moment, a part may have come.
        if (event.at > at - 20) seen.add(fingerprintOf(screen));
      }
      if (seen.size === 0) seen.add(fingerprintOf(screen));
      expect([...seen], `joined at ${at} µs`).toContain(fingerprint);
      // Whoever stayed sees the end, and everything before it.
      await until('the end, for who joined', () => (player.outline.duration >= end ? true : undefined));
      for (const moment of [end, at, end / 2]) {
        player.seek(moment, 0);
        replay.seek(moment, 0);
        await Promise.all([player.shown(), replay.shown()]);
        expectSame(player.screen, replay.screen, `joined at ${at} µs, at ${moment} µs`);
      }
      await player.close();
    }
    await replay.close();
  });
});

describe('a sidecar that says what it should and holds something else', () => {
  it('87 is made again when somebody asks for what it holds', async () => {
    const route = world.agent();
    await ssh(route, 'for n in 1 2 3 4 5 6 7 8; do echo line $n; done');
    const { id } = await onlySession(world.gateway.data, route.principal);
    const database = await Database.openForReading(world.gateway.data);
    const [row] = await database.segments.ofChannel(id, 0);
    await database.close();
    const path = join(world.gateway.data, sidecarPath(id, 0, 1));
    const whole = () => readPart(world.gateway.data, id, 0, 1, row?.sha256 as string);
    const part = await until('the sidecar', whole);
    const { bytes } = part.thumbnails[0] as Part['thumbnails'][number];
    const before = readFileSync(path);
    // What it holds stands behind what it says.
    const changed = Buffer.from(before);
    changed.fill(before.at(-1) === 0 ? 1 : 0, changed.length - bytes);
    writeFileSync(path, changed);
    const thumbnail = () => send(world.gateway, { path: `/api/sessions/${id}/channels/0/segments/1/thumbnails/0`, token });
    // Nothing of a recording is given out before it is on record that it is looked at.
    const driver = await open(id);
    expect((await thumbnail()).status).toBe(404);
    await until('the sidecar, made again', () => (existsSync(path) && readFileSync(path).equals(before) ? true : undefined));
    expect((await thumbnail()).status).toBe(200);
    driver.close();
    expect(world.gateway.log()).not.toMatch(/index(ed|es)/);
  });
});
