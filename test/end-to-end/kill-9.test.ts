import { once } from 'node:events';
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SessionRow } from '../../contract/session.ts';
import { Database } from '../../gateway/store/database.ts';
import { difference, type Piece, rebuild } from '../support/cast.ts';
import { openSshOptions, remotePath, sshArguments } from '../support/clients.ts';
import { KnownBytes } from '../support/known-bytes.ts';
import { sessionsOf, storedCast } from '../support/recordings.ts';
import { ended, plainEnvironment, run, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';

/** A hundred moments in all, in batches that each say what they found. */
const BATCHES = [1, 2, 3, 4];
const ROUNDS = 25;
const LONG = 4_000_000_000;
/** Milliseconds that two clocks may differ by; a gateway takes longer to start. */
const SLACK = 100;
const mainFile = join(import.meta.dirname, '../../gateway/main.ts');
const belongings = new Belongings();
let world: World;
let routes: Record<Seen['kind'], AgentRoute>;
/** Said with every failure, so that it can be had again. */
const seed = Date.now() % 1_000_000;

beforeAll(async () => {
  world = await openWorld(belongings, { agents: 4, configuration: { recording: { segment: '1MiB' } } });
  routes = { text: world.agent(), terminal: world.agent(), binary: world.agent(), sftp: world.agent() };
}, 240_000);
afterAll(() => belongings.release());

/** What a client saw until the gateway was killed. */
interface Seen {
  kind: 'text' | 'terminal' | 'binary' | 'sftp';
  round: number;
  from: number;
  until: number;
  /** Of text and terminals all of it, of binary streams and files the length. */
  bytes: Buffer;
  length: number;
}

it.each(BATCHES)(
  `83 everything that a client received before a SIGKILL is in the recording, at ${ROUNDS} random moments under load, batch %i of ${BATCHES.length}`,
  {
    timeout: 300_000,
  },
  async (batch) => {
    const random = randomFrom(seed + batch);
    const source = join(belongings.directory('source'), 'big');
    writeKnown(source, 64_000_000);
    const seen: Seen[] = [];

    for (let round = 0; round < ROUNDS; round += 1) {
      const from = Date.now();
      const download = join(belongings.directory('download'), 'big');
      const clients = [
        collect(
          'ssh',
          sshArguments(routes.text).concat('i=0; while :; do i=$((i+1)); echo "line $i of many, with ü and 漢字"; done'),
          Infinity,
        ),
        collect('ssh', sshArguments(routes.terminal, ['-tt']).concat('cat'), Infinity, true),
        collect('ssh', sshArguments(routes.binary).concat(new KnownBytes(LONG).command), 0),
        collect(
          'sftp',
          [...openSshOptions(routes.sftp), '-q', '-P', String(routes.sftp.port), remotePath(routes.sftp, source), download],
          0,
        ),
      ] as const;
      // Sometimes while they still log in, mostly while all of them are at work.
      if (round % 5 > 0) {
        await Promise.all(clients.slice(0, 3).map((client) => client.begun));
        await until('the download has begun', () => (sizeOf(download) > 0 ? true : undefined), { everyMs: 5 });
      }
      await delay(random() * 500);
      await world.gateway.kill();
      const [text, terminal, binary] = await Promise.all(clients.map((client) => client.done));
      const common = { round, from, until: Date.now() };
      seen.push({ kind: 'text', ...common, bytes: text?.bytes as Buffer, length: text?.length as number });
      seen.push({ kind: 'terminal', ...common, bytes: terminal?.bytes as Buffer, length: terminal?.length as number });
      seen.push({ kind: 'binary', ...common, bytes: Buffer.alloc(0), length: binary?.length as number });
      seen.push({ kind: 'sftp', ...common, bytes: Buffer.alloc(0), length: sizeOf(download) });
      rmSync(download, { force: true });
      await world.gateway.start();
    }

    const sessions = new Map<string, SessionRow[]>();
    for (const [kind, route] of Object.entries(routes)) sessions.set(kind, await sessionsOf(world.gateway.data, route.principal));
    const problems: string[] = [];
    let bytes = 0;
    const database = await Database.openForReading(world.gateway.data);
    for (const each of seen) {
      bytes += each.length;
      const problem = await check(each, sessions.get(each.kind) ?? [], database);
      if (problem !== undefined) problems.push(`round ${each.round}, ${each.kind}, ${each.length} bytes received: ${problem}`);
    }
    await database.close();
    expect(problems, `seed ${seed}`).toEqual([]);
    // It was under load, or the promise was not tried.
    expect(seen.filter((each) => each.length > 0).length, `seed ${seed}`).toBeGreaterThanOrEqual((ROUNDS / 5) * 4 * 4);
    expect(bytes, `seed ${seed}`).toBeGreaterThan(ROUNDS * 250_000);
  },
);

it('83 and after all of them the evidence verifies, with nothing wrong', { timeout: 240_000 }, async () => {
  await world.gateway.stop();
  const { status, stdout } = await run(process.execPath, [mainFile, 'verify', '--data', world.gateway.data]);
  expect(status, stdout.toString()).toBe(0);
});

async function check(seen: Seen, sessions: readonly SessionRow[], database: Database): Promise<string | undefined> {
  const mine = sessions.filter(
    (session) => Date.parse(session.started) >= seen.from - SLACK && Date.parse(session.started) <= seen.until + SLACK,
  );
  if (mine.length > 1) return `${mine.length} sessions in one round`;
  const session = mine[0];
  if (session === undefined) return seen.length === 0 ? undefined : 'the session is missing';
  if (session.state !== 'recovered') return `its state is ${session.state}`;
  if (session.channels === 0) return seen.length === 0 ? undefined : 'it has no channel';
  const output = rebuild(await storedCast(database, session.id)).o;
  if (seen.kind === 'sftp')
    return lengthOf(output) >= seen.length ? undefined : `only ${lengthOf(output)} bytes of the protocol are recorded`;
  if (lengthOf(output) < seen.length) return `only ${lengthOf(output)} bytes are recorded`;
  if (seen.kind === 'binary') return difference(output, endless(lengthOf(output)));
  const recorded = Buffer.concat(output.map((piece) => ('bytes' in piece ? piece.bytes : Buffer.alloc(piece.length))));
  return recorded.subarray(0, seen.length).equals(seen.bytes) ? undefined : 'what is recorded is not what was received';
}

/** The known stream, as far as it was recorded. */
function endless(length: number): { length: number; take(length: number): Iterable<Buffer> } {
  const bytes = new KnownBytes(LONG);
  return { length, take: (count) => bytes.take(count) };
}

/** Runs a client until it ends, typing at it if asked; keeps up to `keep` bytes of its output and counts the rest. */
function collect(
  command: string,
  args: readonly string[],
  keep: number,
  typing = false,
): { begun: Promise<unknown>; done: Promise<{ bytes: Buffer; length: number }> } {
  const child = startProgram(command, args, { env: plainEnvironment(), stdio: [typing ? 'pipe' : 'ignore', 'pipe', 'ignore'] });
  belongings.add(() => void child.kill('SIGKILL'));
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    if (length < keep) chunks.push(chunk);
    length += chunk.length;
  });
  const tooSoon = ended(child).then(({ status }) =>
    Promise.reject(new Error(`${command} ended with ${status} before it received anything`)),
  );
  const begun = Promise.race([once(child.stdout as NonNullable<typeof child.stdout>, 'data'), tooSoon]);
  // Only those who wait for it have to know.
  begun.catch(() => undefined);
  const typist = typing ? setInterval(() => child.stdin?.write(`typed ${length} ü\n`), 2) : undefined;
  child.stdin?.on('error', () => clearInterval(typist));
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const done = Promise.all([ended(child), closed]).then(() => {
    clearInterval(typist);
    return { bytes: Buffer.concat(chunks), length };
  });
  return { begun, done };
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + ('bytes' in piece ? piece.bytes.length : piece.length), 0);
}

function writeKnown(path: string, length: number): void {
  const file = openSync(path, 'w');
  for (const chunk of new KnownBytes(length).take(length)) writeSync(file, chunk);
  closeSync(file);
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0; // it had not begun
  }
}

/** Mulberry32: random enough for moments, and the same again for the same seed. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
