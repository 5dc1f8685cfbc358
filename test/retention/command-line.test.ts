import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionRow } from '../../contract/session.ts';
import { Database } from '../../gateway/store/database.ts';
import { InTerminal } from '../commands/in-terminal.ts';
import { ssh } from '../support/clients.ts';
import { sallyport } from '../support/gateway.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { recordsOf } from '../support/records.ts';
import { type Finished, run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';
import { filesWith } from './aged-data.ts';

const belongings = new Belongings();
const directory = belongings.directory('retention-cli');
let world: World;
let admins: KeyPair[];
beforeAll(async () => {
  admins = [await makeKey(directory, 'alice'), await makeKey(directory, 'bob', 'rsa')];
  world = await openWorld(belongings, {
    agents: 8,
    // By their group: the text of a policy stays in the records, with everybody whom it names.
    web: { allow: [{ group: 'agents' }] },
    humans: admins.map((key, index) => ({ name: `admin-${index}@example.com`, 'ssh-keys': [key.publicLine], operator: ['admin'] })),
  });
}, 240_000);
afterAll(() => belongings.release());

/** A command as an administrator types it on the gateway's machine. */
function operate(...words: string[]): Promise<Finished> {
  const { data } = world.gateway;
  return sallyport([...words, '--config', join(data, '..', 'sallyport.yaml'), '--data', data]);
}

async function json<T>(...words: string[]): Promise<T> {
  const done = await operate(...words, '--json');
  if (done.status !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout.toString()) as T;
}

/** A real session, that is over. */
async function session(route: AgentRoute, command: string): Promise<string> {
  await ssh(route, command);
  return until('the session is closed', async () => {
    const listed = await operate('sessions', '--principal', route.principal, '--state', 'closed', '--json');
    const [row] = listed.stdout.toString().split('\n');
    return row === undefined || row === '' ? undefined : (JSON.parse(row) as SessionRow).id;
  });
}

async function sign(request: string): Promise<string[]> {
  const signatures: string[] = [];
  for (const [index, key] of admins.entries()) {
    const done = await run('ssh-keygen', ['-Y', 'sign', '-n', 'sallyport-erase', '-f', key.path, request]);
    if (done.status !== 0) throw new Error(done.stderr);
    const signature = `${request}.${index}.sig`;
    renameSync(`${request}.sig`, signature);
    signatures.push('--signature', signature);
  }
  return signatures;
}

/** Types of the records in which a name stands. */
async function typesNaming(name: string): Promise<string[]> {
  const database = await Database.openForReading(world.gateway.data);
  try {
    const types: string[] = [];
    let after = 0;
    for (let rows = await database.records.after(after, 1000); rows.length > 0; rows = await database.records.after(after, 1000)) {
      after = rows.at(-1)?.seq ?? after;
      for (const { type, bytes } of rows) if (bytes !== null && Buffer.from(bytes).includes(name)) types.push(type);
    }
    return types;
  } finally {
    await database.close();
  }
}

describe.each([
  ['a running gateway', true],
  ['a stopped gateway', false],
])('on the data of %s', (_, running) => {
  beforeAll(async () => {
    if (!running) await world.gateway.stop();
  });
  afterAll(async () => {
    if (!running) await world.gateway.start();
  });

  it('holds, shows, runs dry, and erases what two admins asked for', { timeout: 240_000 }, async () => {
    if (!running) await world.gateway.start();
    const route = world.agent();
    const id = await session(route, `echo found-by-${route.principal}.`);
    const other = await session(world.agent(), 'true');
    if (!running) await world.gateway.stop();

    const { hold, sessions } = await json<{ hold: string; sessions: number }>(
      'hold',
      'set',
      '--session',
      id.slice(0, 18),
      '--reason',
      'case 17',
    );
    expect(sessions).toBe(1);
    expect((await operate('hold', 'list')).stdout.toString()).toContain(`${hold}  session ${id}\n`);
    expect((await operate('retention', 'show')).stdout.toString()).toMatch(/web +400 days +\d+ +0 +\d{4}-\d\d-\d\d +1\n/);

    const request = join(directory, `request-${running}.json`);
    const prepare = ['erase', 'prepare', '--principal', route.principal, '--basis', 'request 4711', '-o', request];
    const held = await operate(...prepare);
    expect([held.status, held.stderr]).toEqual([1, expect.stringContaining(`under the hold ${hold}: case 17`)]);
    expect((await operate('hold', 'clear', hold.slice(0, 20), '--reason', 'closed')).status).toBe(0);
    expect((await operate('hold', 'list')).stdout.toString()).toBe('No holds in force.\n');

    const dry = await operate('retention', 'run', '--dry-run');
    expect(dry.stdout.toString()).toContain('0 sessions would expire');
    const prepared = await operate(...prepare);
    expect(prepared.stdout.toString()).toContain('ssh-keygen -Y sign -n sallyport-erase');
    expect(readFileSync(request, 'utf8')).not.toContain(route.principal);
    const signatures = await sign(request);
    const unsure = await operate('erase', 'run', request, ...signatures);
    expect([unsure.status, unsure.stderr]).toEqual([2, expect.stringContaining("This can't be undone")]);
    const one = await operate('erase', 'run', request, ...signatures.slice(0, 2), '--yes');
    expect([one.status, one.stderr]).toEqual([1, expect.stringContaining('two different admins have to sign it, and 1 did')]);
    expect(filesWith(world.gateway.data, route.principal)).not.toEqual([]);

    expect(await json('erase', 'run', request, ...signatures, '--yes')).toMatchObject({ sessions: 1, files: 1 });
    // That the gateway knows its principal stays on record. A hold was on the session by its id, so nothing else names it.
    expect(filesWith(world.gateway.data, route.principal)).toEqual([`sallyport.db: ${route.principal}`]);
    expect(await typesNaming(route.principal)).toEqual(['identity.changed']);
    const shown = await operate('show', id);
    expect(shown.stdout.toString()).toMatch(/state +erased: request 4711/);
    expect(shown.stdout.toString()).toContain('on request, by admin-0@example.com and admin-1@example.com: request 4711 (1 file)');
    const played = await operate('cast', id);
    expect([played.status, played.stderr]).toEqual([1, expect.stringContaining('the session is erased')]);
    expect((await operate('transcript', id)).stdout.toString()).toContain(`Session ${id}, erased`);
    expect((await operate('show', other)).stdout.toString()).toContain('closed');
    const verified = await operate('verify');
    expect(verified.status, verified.stdout.toString()).toBe(0);
    const bundle = join(directory, `after-${running}.zip`);
    const exported = await operate('export', '--target', 'web', '-o', bundle);
    expect(exported.status, exported.stderr).toBe(0);
    const bundled = await sallyport(['verify', bundle]);
    expect(bundled.status, bundled.stdout.toString()).toBe(0);
    const [, last] = await recordsOf(world.gateway.data, 'erased').then((records) => [records.length, records.at(-1)] as const);
    expect(last).toMatchObject({ session: id, body: { basis: 'request' } });
  });
});

describe('what can not be undone', () => {
  const words = () => [
    fileURLToPath(new URL('../../gateway/main.ts', import.meta.url)),
    ...['retention', 'run', '--config', join(world.gateway.data, '..', 'sallyport.yaml'), '--data', world.gateway.data],
  ];

  it.each([
    ['yes', 0, '0 sessions expired'],
    ['no', 2, 'Nothing was done'],
    ['', 2, 'Nothing was done'],
  ])('is asked for on a terminal: %j', async (answer, status, expected) => {
    const terminal = new InTerminal(process.execPath, words());
    await terminal.shows('Type yes to go on: ');
    terminal.type(`${answer}\r`);
    expect(await terminal.finished).toBe(status);
    expect(terminal.screen).toContain(expected);
  });
});

describe('misuse', () => {
  it.each([
    [['hold', 'set', '--reason', 'r'], 2, 'It is not said what is to be held'],
    [['hold', 'set', '--principal', 'x'], 2, "required option '--reason <text>'"],
    [['hold', 'set', '--session', 'ffffffff', '--reason', 'r'], 1, 'There is no session ffffffff'],
    [['hold', 'set', '--state', 'dead', '--reason', 'r'], 2, 'There is no state dead'],
    [['hold', 'set', '--principal', 'x', '--reason', '  '], 1, 'reason'],
    [['hold', 'clear', '00000000', '--reason', 'r'], 1, 'There is no hold 00000000'],
    [['retention', 'run'], 2, "This can't be undone"],
    [['erase', 'prepare', '--basis', 'b', '-o', 'x.json'], 2, 'It is not said what is to be erased'],
    [['erase', 'prepare', '--principal', 'nobody-is-called-so', '--basis', 'b', '-o', 'x.json'], 1, 'Nothing that is still there'],
    [['erase', 'run', '/nonexistent/request', '--signature', '/nonexistent/a.sig', '--yes'], 2, 'cannot be read'],
    [['erase', 'run', 'x'], 2, "required option '--signature <file>'"],
  ])('is told: %j', async (words, status, expected) => {
    const done = await operate(...words);
    expect([done.status, done.stderr]).toEqual([status, expect.stringContaining(expected)]);
  });

  it('of a signature file that is none is told, with its code', async () => {
    const file = join(directory, 'none.sig');
    writeFileSync(file, 'signed, Alice\n');
    const done = await operate('erase', 'run', file, '--signature', file, '--yes', '--json');
    expect(done.status).toBe(1);
    expect(JSON.parse(done.stderr)).toMatchObject({ error: { code: 'SIGNATURE_INVALID' } });
  });

  it('retention show asks for the configuration, in which the times stand', async () => {
    const done = await sallyport(['retention', 'show', '--data', world.gateway.data]);
    expect([done.status, done.stderr]).toEqual([2, expect.stringContaining('add --config FILE')]);
  });
});
