import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../../gateway/base/errors.ts';
import { askGateway } from '../../gateway/operator-api/ask-gateway.ts';
import { openControlSocket } from '../../gateway/operator-api/control-socket.ts';
import type { Asking, Performers } from '../../gateway/operator-api/operations.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { Logged } from './served.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const as = { user: 'engineer', version: '9.9.9' };
const signed: OperationOutput<'ledger.sign'> = { checkpoint: 'origin\n1\nroot\n' };

function dataDirectory(below = ''): string {
  const directory = join(belongings.directory('control'), below);
  mkdirSync(join(directory, 'keys'), { recursive: true, mode: 0o700 });
  return directory;
}

interface Opened {
  directory: string;
  path: string;
  log: Logged;
  close(): Promise<void>;
}

async function open(performers: Partial<Performers>, directory = dataDirectory()): Promise<Opened> {
  const log = new Logged();
  const socket = await openControlSocket(directory, { performers, version: as.version, log });
  belongings.add(() => socket.close());
  return { directory, path: join(directory, 'control.sock'), log, close: () => socket.close() };
}

/** A request exactly as given, past the typed client. */
function send(
  path: string,
  options: { method?: string; path?: string; headers?: Record<string, string>; body?: string | Buffer },
): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath: path,
        method: options.method ?? 'POST',
        path: options.path ?? '/operations/ledger.sign',
        headers: { 'sallyport-version': as.version, 'sallyport-user': as.user, ...options.headers },
        agent: false,
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown> }),
        );
      },
    );
    asked.on('error', reject);
    asked.end(options.body ?? '{}');
  });
}

describe('an operation on the control socket', () => {
  test('is performed for whoever asks, and answered', async () => {
    const asked: [unknown, Asking][] = [];
    const { directory } = await open({
      'export.recorded': async (input, asking) => {
        asked.push([input, asking]);
        return { index: 7 };
      },
    });
    const input = { question: { from: '2026-03-01' }, sessions: 1, records: 2, leftOut: 0, manifest: 'ab'.repeat(32) };
    expect(await askGateway(directory, 'export.recorded', input, as)).toEqual({ output: { index: 7 } });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.[0]).toEqual(input);
    expect(asked[0]?.[1].actor).toMatchObject({ principal: 'engineer', kind: 'human', authentication: { method: 'local-user' } });
  });

  test('fails at the command as it failed in the gateway', async () => {
    const { directory } = await open({
      'ledger.sign': async () => {
        throw new SallyportError('LEDGER_BEHIND', 'the disk is full', { remedy: 'free some of it' });
      },
    });
    await expect(askGateway(directory, 'ledger.sign', {}, as)).rejects.toMatchObject({
      code: 'LEDGER_BEHIND',
      message: 'the disk is full',
      remedy: 'free some of it',
    });
  });

  test('that fails by a defect says nothing of it to the command, and everything to the log', async () => {
    const { directory, log } = await open({ 'ledger.sign': () => Promise.reject(new TypeError('undefined has no secret')) });
    const failure = askGateway(directory, 'ledger.sign', {}, as);
    await expect(failure).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(failure).rejects.not.toThrow(/secret/);
    expect(log.lines.join('\n')).toContain('undefined has no secret');
  });

  test('is not begun with an input that does not fit the table', async () => {
    let performed = 0;
    const { path } = await open({
      'hold.set': async () => {
        performed += 1;
        return { hold: '01a205e1-e790-7000-8000-000000000000', sessions: 0 };
      },
    });
    const bodies = [
      '{}',
      '[]',
      'null',
      '"x"',
      '{"scope":{},"reason":"r"}',
      '{"scope":{"principal":"p"},"reason":" "}',
      '{"scope":{"principal":"p"},"reason":"r","more":1}',
    ];
    for (const body of bodies) {
      expect(await send(path, { path: '/operations/hold.set', body })).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    }
    expect(performed).toBe(0);
  });

  test('may take longer than a command has patience for silence: signs of life come in between', async () => {
    const { directory } = await open({
      'ledger.sign': async () => {
        await delay(6000);
        return signed;
      },
    });
    expect(await askGateway(directory, 'ledger.sign', {}, { ...as, patience: 5000 })).toEqual({ output: signed });
  });

  test('goes on beside another', async () => {
    let release: (() => void) | undefined;
    const { directory } = await open({
      'ledger.sign': async () => {
        await new Promise<void>((resolve) => (release = resolve));
        return signed;
      },
      'export.recorded': async () => {
        release?.();
        return { index: 1 };
      },
    });
    const first = askGateway(directory, 'ledger.sign', {}, as);
    await expect.poll(() => release).toBeDefined();
    const input = { question: {}, sessions: 0, records: 0, leftOut: 0, manifest: '00'.repeat(32) };
    expect(await askGateway(directory, 'export.recorded', input, as)).toEqual({ output: { index: 1 } });
    expect(await first).toEqual({ output: signed });
  });

  test('is told to end when the gateway stops, and is waited for', async () => {
    let begun: (() => void) | undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    let ended = false;
    const { directory, path, close } = await open({
      'ledger.sign': async (_input, { signal }) => {
        begun?.();
        await once(signal, 'abort');
        ended = true;
        throw new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down');
      },
    });
    const asked = askGateway(directory, 'ledger.sign', {}, as);
    const outcome = asked.then(
      () => 'performed',
      (error: unknown) => (error as SallyportError).code,
    );
    await beginning;
    await close();
    expect([ended, existsSync(path), await outcome]).toEqual([true, false, 'GATEWAY_DRAINING']);
    expect(await askGateway(directory, 'ledger.sign', {}, as)).toBeUndefined();
  });

  test('is refused to a command of another version, by name of both', async () => {
    const { directory, path } = await open({ 'ledger.sign': async () => signed });
    await expect(askGateway(directory, 'ledger.sign', {}, { ...as, version: '9.9.8' })).rejects.toMatchObject({
      code: 'GATEWAY_MISMATCH',
      message: 'the gateway is version 9.9.9, and this command is "9.9.8"',
    });
    expect(await send(path, { headers: { 'sallyport-version': '' } })).toMatchObject({ status: 409 });
  });
});

describe('what is no request of a command', () => {
  test.each([
    ['another operation', { path: '/operations/ledger.forge' }, 404],
    ['a name of every object', { path: '/operations/constructor' }, 404],
    ['another path', { path: '/' }, 404],
    ['a path with a query', { path: '/operations/ledger.sign?x=1' }, 404],
    ['another method', { method: 'GET', body: '' }, 400],
    ['no user', { headers: { 'sallyport-user': '' } }, 400],
    ['a user with a space', { headers: { 'sallyport-user': 'a b' } }, 400],
    ['a very long user', { headers: { 'sallyport-user': 'x'.repeat(129) } }, 400],
    ['no JSON', { body: '{' }, 400],
    ['no text', { body: Buffer.from([0x22, 0xff, 0x22]) }, 400],
    ['two megabytes', { body: JSON.stringify({ x: 'x'.repeat(2 * 1024 * 1024) }) }, 400],
    ['very deep JSON', { body: '['.repeat(500_000) }, 400],
  ] satisfies [string, Parameters<typeof send>[1], number][])(
    'is refused: %s',
    async (_what, options: Parameters<typeof send>[1], status) => {
      const { path } = await open({ 'ledger.sign': async () => signed });
      // The server may end the connection before the client has sent all of a body that is too large.
      const answer = await send(path, options).catch((error: unknown) => error as NodeJS.ErrnoException);
      if ('status' in answer) expect(answer.status).toBe(status);
      else expect([options.body?.length, answer.code]).toEqual([2_097_160, expect.stringMatching(/EPIPE|ECONNRESET/)]);
      expect(await send(path, {})).toEqual({ status: 200, body: signed });
    },
  );

  test('a client that says nothing, or half of it, is let go', { timeout: 60_000 }, async () => {
    const { path, log } = await open({ 'ledger.sign': async () => signed });
    const { connect } = await import('node:net');
    const halves = [
      '',
      'POST /operations/ledger.sign HTTP/1.1\r\nHost: x\r\n',
      `POST /operations/ledger.sign HTTP/1.1\r\nHost: x\r\nSallyport-Version: ${as.version}\r\nSallyport-User: u\r\nContent-Length: 100\r\n\r\n{`,
    ];
    const sockets = halves.map((half) => {
      const socket = connect(path);
      socket.on('error', () => undefined);
      socket.write(half);
      socket.resume();
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    expect(await send(path, {})).toMatchObject({ status: 200 });
    expect(log.lines.join('\n')).not.toContain('INTERNAL');
  });
});

describe('the socket itself', () => {
  test("is open to the gateway's user alone, whatever the umask", async () => {
    const before = process.umask(0);
    try {
      const { path } = await open({});
      expect(statSync(path).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  test('refuses another user, in a directory that everybody may enter', async () => {
    const { directory, path } = await open({ 'ledger.sign': async () => signed });
    chmodSync(directory, 0o755);
    const curl = ['--silent', '--show-error', '--unix-socket', path, '-X', 'POST', 'http://gateway/operations/ledger.sign'];
    const refused = await run('runuser', ['-u', 'nobody', '--', 'curl', ...curl]);
    expect(refused.status).toBe(7);
    expect(refused.stderr).toMatch(/Couldn't connect|Could not connect|Failed to connect/);
    const allowed = await run('curl', curl);
    expect([allowed.status, allowed.stdout.toString()]).toEqual([0, expect.stringContaining('GATEWAY_MISMATCH')]);
  });

  test('takes the place of one that a killed gateway left', async () => {
    const directory = dataDirectory();
    const path = join(directory, 'control.sock');
    await leaveStaleSocket(path);
    await leaveStaleSocket(join(directory, 'keys', 'control.sock.0123456789ab'));
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(await askGateway(directory, 'ledger.sign', {}, as)).toBeUndefined();
    await open({ 'ledger.sign': async () => signed }, directory);
    expect(await askGateway(directory, 'ledger.sign', {}, as)).toEqual({ output: signed });
    expect(readdirSync(join(directory, 'keys'))).toEqual([]);
  });

  test('is said to be impossible where a directory stands in its place', async () => {
    const directory = dataDirectory();
    mkdirSync(join(directory, 'control.sock'));
    await expect(open({}, directory)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_INVALID' });
  });

  test('works below a path that is too long for sockets', async () => {
    const directory = dataDirectory('d'.repeat(60).concat('/').repeat(4));
    expect(directory.length).toBeGreaterThan(240);
    const { path, close } = await open({ 'ledger.sign': async () => signed }, directory);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await askGateway(directory, 'ledger.sign', {}, as)).toEqual({ output: signed });
    await close();
    expect(existsSync(path)).toBe(false);
  });

  test('that was replaced meanwhile is not removed at the end', async () => {
    const { directory, path, close } = await open({});
    const next = await open({ 'ledger.sign': async () => signed }, directory);
    await close();
    expect(existsSync(path)).toBe(true);
    expect(await askGateway(directory, 'ledger.sign', {}, as)).toEqual({ output: signed });
    await next.close();
  });
});

describe('a command', () => {
  test('finds no gateway where there is no socket', async () => {
    expect(await askGateway(dataDirectory(), 'ledger.sign', {}, as)).toBeUndefined();
  });

  test('does not trust a socket of another user, nor a file in its place', async () => {
    const directory = dataDirectory();
    const path = join(directory, 'control.sock');
    await leaveStaleSocket(path);
    chownSync(path, 65_534, 65_534);
    await expect(askGateway(directory, 'ledger.sign', {}, as)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_INVALID' });
    const other = dataDirectory();
    writeFileSync(join(other, 'control.sock'), '');
    await expect(askGateway(other, 'ledger.sign', {}, as)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_INVALID' });
  });

  test.each<[string, (socket: Socket) => void, RegExp]>([
    ['does not answer', () => undefined, /has not answered for 0.3 seconds/],
    ['goes away', (socket) => socket.destroy(), /ended the connection before it answered/],
    ['says what is not HTTP', (socket) => socket.end('SSH-2.0-x\r\n\r\n'), /ended the connection before it answered/],
    [
      'stops in the middle',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"check'),
      /broke off its answer|ended the connection/,
    ],
    ['answers with something else', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'), /not JSON/],
    ['answers with another form', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'), /does not understand/],
  ])('says so when what listens there %s', async (_what, behave, words) => {
    const directory = dataDirectory();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      belongings.add(() => void socket.destroy());
      socket.once('data', () => behave(socket));
    });
    server.listen(join(directory, 'control.sock'));
    await once(server, 'listening');
    belongings.add(() => void server.close());
    const asked = askGateway(directory, 'ledger.sign', {}, { ...as, patience: 300 });
    await expect(asked).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE', message: expect.stringMatching(words) });
  });

  test('of another user is told who may ask', async () => {
    const { directory } = await open({ 'ledger.sign': async () => signed });
    chmodSync(directory, 0o755);
    const module = join(import.meta.dirname, '../../gateway/operator-api/ask-gateway.ts');
    const script = `import { askGateway } from ${JSON.stringify(module)};
      await askGateway(${JSON.stringify(directory)}, 'ledger.sign', {}, ${JSON.stringify(as)}).catch((error) => console.log(error.code, error.message));`;
    const { stdout, stderr } = await run('setpriv', [
      '--reuid=65534',
      '--clear-groups',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ]);
    expect([stdout.toString().slice(0, 60), stderr]).toEqual([expect.stringContaining('DATA_DIRECTORY_INVALID The gateway on'), '']);
  });
});

/** As `kill -9` leaves it: a socket that nobody listens on. */
async function leaveStaleSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await run(process.execPath, ['-e', script]);
}
