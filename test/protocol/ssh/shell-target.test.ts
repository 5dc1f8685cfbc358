import { randomBytes } from 'node:crypto';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MessageType, writeMessage } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { Belongings } from '../../support/temp.ts';
import { fastest, until } from '../../support/wait.ts';
import { openSession, request } from './session-world.ts';
import { rawClient, shellTarget, type TestGateway, testGateway } from './support.ts';

const belongings = new Belongings();
let gateway: TestGateway;
let client: ssh2.Client;
beforeAll(async () => {
  gateway = await testGateway(belongings, { targets: [shellTarget()], limits: { channelsPerSession: 50 } });
  client = await connected('sh');
});
afterAll(() => belongings.release());

interface Ended {
  output: Buffer;
  status: number | null;
  signal: string | undefined;
}

describe('a command on the local shell without a terminal', () => {
  const awkward: [string, Buffer][] = [
    ['every byte there is', Buffer.from(Array.from({ length: 256 }, (_, index) => index))],
    ['ends of file', Buffer.alloc(3000, 4)],
    ['quotes', Buffer.alloc(3000, 0x16)],
    ['interrupts and stops', Buffer.from([3, 0x1a, 0x1c, 0x11, 0x13, 0x0f, 0x12, 0x15, 0x17, 0x7f, 8])],
    ['100 KB without a line feed', Buffer.alloc(100_000, 'x')],
    ['a line of 1024 bytes and nothing else', Buffer.alloc(1024, 'x')],
    ['carriage returns', Buffer.from('a\rb\r\nc\n\r')],
    ['300 KB of noise', randomBytes(300_000)],
    ['nothing', Buffer.alloc(0)],
  ];
  for (const [what, bytes] of awkward) {
    it(`takes and gives the exact bytes: ${what}`, async () => {
      const done = await exec('cat', bytes);
      expect(done.status).toBe(0);
      expect(Buffer.compare(done.output, bytes)).toBe(0);
    });
  }

  it('meets the end of its input as often as it looks', async () => {
    expect((await exec('cat; cat; read x; echo "end $?"', Buffer.from('one'))).output.toString()).toBe('oneend 1\n');
  });

  it('reads byte by byte without meeting a false end', async () => {
    const done = await exec('dd bs=1 2>/dev/null | wc -c', Buffer.alloc(5000, 'y'));
    expect(done.output.toString().trim()).toBe('5000');
  });

  it('ends with its status, or by its signal', async () => {
    expect(await exec('exit 43')).toMatchObject({ status: 43 });
    expect(await exec('kill -TERM $$')).toMatchObject({ signal: 'SIGTERM' });
  });

  it('gives its output whole to a client that is slow when it ends', async () => {
    const done = await exec('head -c 3000000 /dev/zero', undefined, async (channel) => {
      channel.pause();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      channel.resume();
    });
    expect(done.output.length).toBe(3_000_000);
  });

  it('that ended at once does not wait for anything', async () => {
    // What is waited for elsewhere takes two seconds.
    expect(await fastest(150, () => exec('true'))).toBeLessThan(1500);
  });
});

describe('a shell on a terminal', () => {
  it('hears of a new size', async () => {
    const output = await new Promise<string>((resolve, reject) => {
      client.shell({ cols: 80, rows: 24, term: 'xterm' }, (error, channel) => {
        if (error) return reject(error);
        let text = '';
        channel.on('data', (bytes: Buffer) => {
          text += bytes.toString();
          if (text.includes('24 80')) channel.setWindow(50, 132, 0, 0);
          if (text.includes('24 80') && !text.includes('again')) channel.write('stty size; echo again; exit\n');
        });
        channel.on('close', () => resolve(text));
        channel.write('stty size\n');
      });
    });
    expect(output).toContain('50 132');
  });
});

describe('a hostile client of the local shell', () => {
  it('that sends more than the window to a process that never reads is cut off', async () => {
    const peer = await rawClient(gateway, { username: 'sh', privateKey: gateway.key });
    peer.send(openSession(1));
    await peer.next(MessageType.CHANNEL_OPEN_CONFIRMATION);
    peer.send(request(0, 'exec', true, 'exec sleep 60'));
    await peer.next(MessageType.CHANNEL_SUCCESS);
    for (let count = 0; count < 20; count += 1) peer.send(writeMessage(MessageType.CHANNEL_DATA, 0, Buffer.alloc(32_000)));
    await peer.ended;
    await until('the session is over', () =>
      gateway.ledger.of('session.close').some(({ body }) => /more than the window/.test(body.reason)) ? true : undefined,
    );
  });

  it('finds the window shut, not the memory full, when the process never reads', async () => {
    let sent = 0;
    const channel = await start('exec sleep 60');
    while (sent < 100_000_000 && channel.write(Buffer.alloc(64_000))) sent += 64_000;
    expect(sent).toBeLessThan(4_000_000);
    channel.close();
  });

  it('cannot leave a process behind that ignores its hanging up and goes on printing', async () => {
    const channel = await start('trap "" HUP; echo $$; while echo x; do :; done');
    const pid = await new Promise<number>((resolve) =>
      channel.once('data', (bytes: Buffer) => resolve(Number.parseInt(bytes.toString(), 10))),
    );
    channel.close();
    await until('the process is gone', () => {
      try {
        process.kill(pid, 0);
        return undefined;
      } catch {
        return true;
      }
    });
  });

  it('may set only so many variables, name sizes that no terminal has, and send a NUL', async () => {
    const peer = await rawClient(gateway, { username: 'sh', privateKey: gateway.key });
    peer.send(openSession(1, 1));
    await peer.next(MessageType.CHANNEL_OPEN_CONFIRMATION);
    for (let count = 0; count < 10; count += 1) peer.send(request(0, 'env', true, `LC_${count}`, 'x'.repeat(30_000)));
    await peer.until('ten answers', () => (peer.messages.length === 11 ? true : undefined));
    peer.send(request(0, 'pty-req', true, 'xterm', 0xffff_ffff, 0xffff_ffff, 0, 0, ''));
    peer.send(
      writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, 0, 0xffff_ffff),
      writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, 0, 0xffff_ffff),
    );
    const refused = peer.of(MessageType.CHANNEL_FAILURE).length;
    peer.send(request(0, 'exec', true, 'echo shown\0hidden'));
    await peer.next(MessageType.CHANNEL_FAILURE, refused);
    peer.send(request(0, 'exec', true, 'stty size; kill -9 $$'));
    await peer.next(MessageType.CHANNEL_CLOSE);
    const text = Buffer.concat(peer.of(MessageType.CHANNEL_DATA).map((message) => message.subarray(9))).toString();
    expect(text).toBe('9999 9999\r\n');
    for (let count = 0; count < 50; count += 1)
      peer.send(request(0, 'window-change', false, 80, 24, 0, 0), request(0, 'signal', false, 'NONSENSE'));
    peer.send(writeMessage(MessageType.GLOBAL_REQUEST, 'still there', true));
    await peer.next(MessageType.REQUEST_FAILURE);
    peer.port.end();
  });
});

function connected(username: string): Promise<ssh2.Client> {
  return new Promise((resolve, reject) => {
    const made = new ssh2.Client();
    made.on('ready', () => resolve(made));
    made.on('error', reject);
    made.connect({ host: gateway.host, port: gateway.port, username, privateKey: gateway.key });
    belongings.add(() => void made.end());
  });
}

function start(command: string): Promise<ssh2.ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

async function exec(command: string, input?: Buffer, meanwhile?: (channel: ssh2.ClientChannel) => Promise<void>): Promise<Ended> {
  const channel = await start(command);
  const output: Buffer[] = [];
  let status: number | null = null;
  let signal: string | undefined;
  channel.on('data', (bytes: Buffer) => output.push(bytes));
  channel.on('exit', (code: number | null, name?: string) => {
    status = code;
    signal = name;
  });
  const closed = new Promise<void>((resolve) => channel.on('close', () => resolve()));
  channel.end(input);
  await meanwhile?.(channel);
  await closed;
  return { output: Buffer.concat(output), status, signal };
}
