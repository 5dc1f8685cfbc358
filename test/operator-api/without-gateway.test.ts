import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNote, parseVerifierKey } from '../../gateway/ledger/signed-note.ts';
import { Database } from '../../gateway/store/database.ts';
import { type Gateway, sallyport, startGateway } from '../support/gateway.ts';
import { recordsOf } from '../support/records.ts';
import { type Finished, run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway(belongings, { configuration: { humans: [{ name: 'engineer@example.com' }] } });
}, 240_000);
afterAll(() => belongings.release());

const program = join(import.meta.dirname, 'operator.ts');
const exported = (name: string) => ({ question: { name }, sessions: 0, records: 0, leftOut: 0, manifest: '00'.repeat(32) });

interface Answer {
  output?: { index?: number; checkpoint?: string };
  code?: string;
  message?: string;
  remedy?: string;
}

/** Runs a command of its own, as somebody would on the gateway's machine. */
async function operate(name: string, input: object = {}, through: readonly string[] = []): Promise<Answer> {
  const [command, ...args] = [...through, process.execPath, program, gateway.data, name, JSON.stringify(input)];
  const finished: Finished = await run(command, args);
  if (finished.stdout.length === 0) throw new Error(`the command said nothing: ${finished.stderr}`);
  return JSON.parse(finished.stdout.toString()) as Answer;
}

async function exports(): Promise<{ name: unknown; principal: string; method: string | undefined }[]> {
  const records = await recordsOf(gateway.data, 'access.exported');
  return records.map(({ body, actor }) => ({
    name: body.question.name,
    principal: actor.principal,
    method: actor.authentication?.method,
  }));
}

/** What the published checkpoint says, its signature verified. */
function publishedSize(): number {
  const note = readFileSync(join(gateway.data, 'ledger', 'checkpoint'), 'utf8');
  const key = parseVerifierKey(readFileSync(join(gateway.data, 'keys', 'ledger.pub'), 'utf8'));
  return Number(openNote(note, [key]).text.split('\n')[1]);
}

const { username } = userInfo();

describe('a command that writes', () => {
  it('has the running gateway do it', async () => {
    expect((await operate('export.recorded', exported('running'))).output?.index).toBeGreaterThan(0);
    expect(await exports()).toContainEqual({ name: 'running', principal: username, method: 'local-user' });
    expect(gateway.log()).toContain('an operation was asked for on the control socket');
  });

  it('does it itself when the gateway has stopped, signs it, and leaves nothing in its way', async () => {
    expect(await gateway.stop()).toBe(0);
    expect(existsSync(join(gateway.data, 'control.sock'))).toBe(false);
    const { output } = await operate('export.recorded', exported('stopped'));
    expect(publishedSize()).toBeGreaterThan(output?.index ?? Number.POSITIVE_INFINITY);
    expect(await exports()).toContainEqual({ name: 'stopped', principal: username, method: 'local-user' });
    await gateway.start();
    expect((await operate('ledger.sign')).output?.checkpoint).toContain('\n');
  });

  it('does it itself when the gateway was killed, past the socket that is left', async () => {
    await gateway.kill();
    expect(existsSync(join(gateway.data, 'control.sock'))).toBe(true);
    const { output } = await operate('export.recorded', exported('killed'));
    expect(publishedSize()).toBeGreaterThan(output?.index ?? Number.POSITIVE_INFINITY);
  });

  it('waits for others that are at work on the same data, so that each has its place', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map((number) => operate('export.recorded', exported(`together ${number}`))));
    expect(answers.map(({ code }) => code)).toEqual([undefined, undefined, undefined, undefined]);
    expect(new Set(answers.map(({ output }) => output?.index)).size).toBe(4);
    expect((await exports()).filter(({ name }) => String(name).startsWith('together'))).toHaveLength(4);
  });

  it('finds the gateway that is just starting', async () => {
    const [answer] = await Promise.all([operate('export.recorded', exported('starting')), gateway.start()]);
    expect(answer.output?.index).toBeGreaterThan(0);
  });

  it('does not keep a gateway from starting, which waits until the command is done', async () => {
    expect(await gateway.stop()).toBe(0);
    const writing = await Database.openForGateway(gateway.data);
    let started = false;
    const starting = gateway.start().then(() => (started = true));
    await setTimeout(1500);
    expect(started).toBe(false);
    await writing.close();
    await starting;
  });

  it('is told apart from a gateway, which a second one does not wait for', async () => {
    const file = join(belongings.directory('second'), 'gateway.yaml');
    writeFileSync(file, JSON.stringify({ gateway: { listen: { ssh: '127.0.0.1:0' } } }));
    const began = performance.now();
    const second = await sallyport(['serve', '--config', file, '--data', gateway.data]);
    expect([second.status, second.stderr]).toEqual([1, expect.stringContaining('Another gateway runs on the data directory')]);
    // For a command it would wait ten seconds, and then as long as all the rest takes.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('says that the gateway holds the data when its socket was removed', { timeout: 240_000 }, async () => {
    rmSync(join(gateway.data, 'control.sock'));
    const answer = await operate('ledger.sign');
    expect([answer.code, answer.message]).toEqual(['GATEWAY_UNREACHABLE', expect.stringContaining(gateway.data)]);
    expect(await gateway.stop()).toBe(0);
  });

  it('does not sign with another key when the one of the ledger is missing', async () => {
    const key = join(gateway.data, 'keys', 'ledger.key');
    const before = publishedSize();
    renameSync(key, `${key}.away`);
    try {
      expect((await operate('export.recorded', exported('without key'))).code).toBe('LEDGER_KEY_INVALID');
      expect(existsSync(key)).toBe(false);
    } finally {
      renameSync(`${key}.away`, key);
    }
    expect([publishedSize(), (await exports()).some(({ name }) => name === 'without key')]).toEqual([before, false]);
  });

  it('is refused with an input that does not fit, before anything is written', async () => {
    const before = publishedSize();
    expect((await operate('export.recorded', { ...exported('x'), sessions: -1 })).code).toBe('REQUEST_INVALID');
    expect(publishedSize()).toBe(before);
  });

  it('is refused where there is no data directory', async () => {
    const finished = await run(process.execPath, [program, '/nonexistent/data', 'ledger.sign']);
    expect(JSON.parse(finished.stdout.toString())).toMatchObject({ code: 'DATA_DIRECTORY_INVALID' });
  });
});

describe('data that belongs to another user', () => {
  const asOwner = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];

  it('is not written by root, whose files would keep the gateway from starting', async () => {
    execFileSync('chown', ['-R', '65534:65534', gateway.data]);
    const answer = await operate('export.recorded', exported('as root'));
    expect([answer.code, answer.remedy]).toEqual(['DATA_DIRECTORY_INVALID', expect.stringContaining('runuser')]);
    const owners = readdirSync(gateway.data, { recursive: true }).map((name) => statSync(join(gateway.data, String(name))).uid);
    expect(new Set(owners)).toEqual(new Set([65_534]));
  });

  it('is written by its owner', async () => {
    chmodSync(join(gateway.data, '..'), 0o755);
    expect((await operate('export.recorded', exported('as owner'), asOwner)).output?.index).toBeGreaterThan(0);
    expect((await exports()).at(-1)).toMatchObject({ name: 'as owner' });
  });

  it('is not written by a third', async () => {
    const answer = await operate('ledger.sign', {}, ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups', '--']);
    expect(answer.code).toBe('DATA_DIRECTORY_INVALID');
  });
});
