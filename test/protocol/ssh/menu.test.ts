import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node-pty';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MessageType, writeMessage } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { run } from '../../support/run.ts';
import { Belongings } from '../../support/temp.ts';
import { openSession, request } from './session-world.ts';
import { rawClient, shellTarget, type TestGateway, testGateway } from './support.ts';

const belongings = new Belongings();
let gateway: TestGateway;
let options: string[];
beforeAll(async () => {
  gateway = await testGateway(belongings, { targets: [shellTarget('alpha'), shellTarget('beta')] });
  const key = join(belongings.directory('menu'), 'key');
  writeFileSync(key, gateway.key, { mode: 0o600 });
  const settings = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
  ];
  options = ['-F', '/dev/null', '-i', key, '-p', String(gateway.port), ...settings.flatMap((setting) => ['-o', setting]), 'menu@127.0.0.1'];
});
afterAll(() => belongings.release());

/** Types each text when what stands before it has been shown; gives everything shown and the exit status. */
function type(steps: readonly [string, string][]): Promise<{ shown: string; status: number }> {
  return new Promise((resolve) => {
    const terminal = spawn('ssh', options, { cols: 90, rows: 30 });
    const left = [...steps];
    let shown = '';
    let seen = 0;
    terminal.onData((text) => {
      shown += text;
      for (let next = left[0]; next !== undefined; next = left[0]) {
        const at = shown.indexOf(next[0], seen);
        if (at === -1) return;
        seen = at + next[0].length;
        left.shift();
        terminal.write(next[1]);
      }
    });
    terminal.onExit(({ exitCode }) => resolve({ shown, status: exitCode }));
  });
}

describe('the menu', () => {
  it('leads to a target by its number, with the terminal as it is', async () => {
    const { shown, status } = await type([
      ['Number or name: ', '2\r'],
      ['# ', 'stty size; exit 5\r'],
    ]);
    expect(shown).toContain('30 90');
    expect(status).toBe(5);
    expect(gateway.ledger.of('session.open').at(-1)?.target.name).toBe('beta');
  });

  it('leads to a target by its name after a wrong choice and a correction', async () => {
    const { shown, status } = await type([
      ['Number or name: ', '9\r'],
      ['Number or name: ', 'alphax\u007f\r'],
      ['# ', 'exit 6\r'],
    ]);
    expect(shown).toContain('There is no "9" here.');
    expect(status).toBe(6);
    expect(gateway.ledger.of('session.open').at(-1)?.target.name).toBe('alpha');
  });

  it('gives what was typed ahead to the target', async () => {
    const { shown, status } = await type([['Number or name: ', "1\recho ty''ped; exit 7\r"]]);
    expect(shown).toContain('typed');
    expect(status).toBe(7);
  });

  for (const [key, text] of [
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ] as const) {
    it(`is left with ${key}`, async () => {
      expect((await type([['Number or name: ', text]])).status).toBe(2);
    });
  }

  it('is a list and exit status 2 without a terminal', async () => {
    const done = await run('ssh', ['-T', ...options]);
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('1  alpha');
  });

  it('opens one channel, for a session, and keeps a bounded number of requests for the target', async () => {
    const peer = await rawClient(gateway, { username: 'menu', privateKey: gateway.key });
    peer.send(writeMessage(MessageType.CHANNEL_OPEN, 'direct-tcpip', 1, 1000, 1000, 'x', 1, 'y', 2), openSession(2), openSession(3));
    await peer.next(MessageType.CHANNEL_OPEN_CONFIRMATION);
    await peer.next(MessageType.CHANNEL_OPEN_FAILURE, 1);
    const channel = (await peer.next(MessageType.CHANNEL_OPEN_CONFIRMATION)).readUInt32BE(5);
    for (let count = 0; count < 20; count += 1) peer.send(request(channel, 'env', false, 'LC_ALL', 'x'.repeat(30_000)));
    await peer.ended;
  });

  it('hands over a client whose window is as wide as can be', async () => {
    const peer = await rawClient(gateway, { username: 'menu', privateKey: gateway.key });
    peer.send(openSession(2, 0xffff_ffff));
    const channel = (await peer.next(MessageType.CHANNEL_OPEN_CONFIRMATION)).readUInt32BE(5);
    peer.send(
      writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, channel, 0xffff_ffff),
      request(channel, 'pty-req', true, 'xterm', 80, 24, 0, 0, ''),
      request(channel, 'shell', true),
    );
    peer.send(writeMessage(MessageType.CHANNEL_DATA, channel, 'alpha\rexit 9\r'));
    await peer.next(MessageType.CHANNEL_CLOSE);
    expect(peer.of(MessageType.CHANNEL_REQUEST).at(-1)?.at(-1)).toBe(9);
    peer.port.end();
  });
});
