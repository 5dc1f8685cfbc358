import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadOrMakeHostKey } from '../../gateway/protocol/ssh/host-key.ts';
import { makeKey } from '../support/keys.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { sallyport } from './run-cli.ts';

const belongings = new Belongings();
let directory: string;
let key: string;

const ssh = (name: string, address: string) => ({
  name,
  kind: 'ssh',
  address,
  'host-key': `SHA256:${'A'.repeat(43)}`,
  login: 'root',
  credential: { key: { file: join(directory, 'login') } },
});

function configured(listen: string): string {
  const file = join(directory, 'gateway.yaml');
  const targets = [
    ssh('web-1', '10.0.0.5:22'),
    ssh('Build', 'Build.Example.com:2222'),
    ssh('six', '[2001:db8::5]:22'),
    { name: 'sh', kind: 'shell' },
  ];
  writeFileSync(file, JSON.stringify({ gateway: { listen: { ssh: listen }, data: join(directory, 'data') }, targets }), { mode: 0o600 });
  return file;
}

beforeAll(async () => {
  directory = belongings.directory('known-hosts');
  await makeKey(directory, 'login');
});
afterAll(() => belongings.release());

describe('sallyport known-hosts', () => {
  it('says so before there is a host key, and makes none', async () => {
    const done = await sallyport('known-hosts', '--config', configured('127.0.0.1:2222'));
    expect([done.code, done.stdout]).toEqual([1, '']);
    expect(done.stderr).toContain('has no host key yet');
    ({ publicKey: key } = await loadOrMakeHostKey(join(directory, 'data')));
  });

  it('prints the host key of the gateway for itself and for every SSH target, by name and address', async () => {
    const done = await sallyport('known-hosts', '--config', configured('127.0.0.1:2222'));
    expect(done.stdout).toBe(
      [
        `[127.0.0.1]:2222 ${key}`,
        `web-1,10.0.0.5 ${key}`,
        `build,[build]:2222,[build.example.com]:2222 ${key}`,
        `six,2001:db8::5 ${key}`,
        '',
      ].join('\n'),
    );
    const file = join(directory, 'known_hosts');
    writeFileSync(file, done.stdout);
    for (const host of ['web-1', '10.0.0.5', 'build', '[build.example.com]:2222', '2001:db8::5', '[127.0.0.1]:2222'])
      expect((await run('ssh-keygen', ['-F', host, '-f', file])).status, host).toBe(0);
  });

  it('names the host where the gateway listens on every address, and nothing for a port that the system picks', async () => {
    const everywhere = await sallyport('known-hosts', '--config', configured('0.0.0.0:22'));
    expect(everywhere.stdout.split('\n')[0]).toMatch(/^[^ ]+,localhost,127\.0\.0\.1 ssh-ed25519 /);
    const picked = await sallyport('known-hosts', '--config', configured('127.0.0.1:0'));
    expect(picked.stdout.split('\n')[0]).toMatch(/^web-1,/);
  });
});
