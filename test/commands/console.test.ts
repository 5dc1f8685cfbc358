import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { consoleOrigin } from '../../gateway/commands/console-address.ts';
import { startGateway } from '../../gateway/serve.ts';
import { ask, makeOperators, type Reached } from '../operator-api/api-client.ts';
import { sallyport } from '../support/gateway.ts';
import type { Finished } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

/** `sallyport console`: an address that opens the console, for whoever may have one. */

const belongings = new Belongings();
afterAll(() => belongings.release());

let reached: Reached;
let origin: string;
let fingerprint: string;
let key: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const directory = belongings.directory('console');
  const { humans, keyOf } = await makeOperators(directory, { alice: ['admin'], bob: ['reviewer'] });
  key = keyOf('bob').path;
  env = { XDG_CONFIG_HOME: directory, SSH_AUTH_SOCK: '' };
  const config = join(directory, 'sallyport.yaml');
  const listen = { ssh: '127.0.0.1:0', https: '127.0.0.1:0' };
  writeFileSync(config, JSON.stringify({ gateway: { listen }, humans, agents: [], targets: [] }), { mode: 0o600 });
  const data = join(directory, 'data');
  const gateway = await startGateway({ config, data, logLevel: 'silent' });
  belongings.add(() => gateway.close('the test is over'));
  const https = gateway.listeners.find(({ protocol }) => protocol === 'https');
  origin = `https://${https?.address}`;
  fingerprint = (https as unknown as { fingerprint: string }).fingerprint;
  reached = { httpsPort: Number(new URL(origin).port), data };
});

const run = (...args: string[]): Promise<Finished> => sallyport(['console', ...args], { env });
const enter = async (address: string): Promise<unknown> => {
  const { origin: where, hash } = new URL(address);
  expect(where).toBe(origin);
  return (await ask(reached, 'login.code', { code: hash.slice('#code='.length) })).body.operator;
};

describe('on the machine of the gateway', () => {
  test('is for the operator who is named: the address alone on standard output, the certificate beside it', async () => {
    const { stdout, stderr, status } = await run('--data', reached.data, '--operator', 'alice');
    expect([status, stdout.toString()]).toEqual([0, expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/#code=spc_[\w-]{22}\n$/)]);
    expect(stderr).toContain('as alice, once, until');
    expect(stderr).toContain(fingerprint);
    expect(await enter(stdout.toString().trim())).toBe('alice');
  });

  test('says whom it could be for, where it is not said', async () => {
    const { stderr, status } = await run('--data', reached.data);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/who wants to open the console.*--operator: alice, bob/s)]);
  });

  test('says that a gateway has none which does not listen for HTTPS', async () => {
    const directory = belongings.directory('without-https');
    const config = join(directory, 'sallyport.yaml');
    writeFileSync(config, JSON.stringify({ gateway: { listen: { ssh: '127.0.0.1:0' } }, humans: [], agents: [], targets: [] }), {
      mode: 0o600,
    });
    const gateway = await startGateway({ config, data: join(directory, 'data'), logLevel: 'silent' });
    const { stderr, status } = await run('--data', join(directory, 'data'), '--operator', 'alice');
    await gateway.close('the test is over');
    expect([status, stderr]).toEqual([2, expect.stringContaining('does not listen for HTTPS')]);
  });
});

describe('from elsewhere', () => {
  test('takes a log-in that is kept, and is for that operator', async () => {
    expect(await run('--gateway', origin)).toMatchObject({ status: 1, stderr: expect.stringContaining('not logged in') });
    const login = ['login', '--gateway', origin, '--operator', 'bob', '--key', key, '--fingerprint', fingerprint];
    expect((await sallyport(login, { env })).status).toBe(0);
    const { stdout } = await run('--json');
    const said = JSON.parse(stdout.toString()) as { address: string; operator: string };
    expect(said).toMatchObject({ operator: 'bob', fingerprint, vouchedFor: false });
    expect(await enter(said.address)).toBe('bob');
    expect(await run('--operator', 'alice')).toMatchObject({ status: 1, stderr: expect.stringContaining('for nobody else') });
  });
});

test.each([
  ['127.0.0.1:7443', 'https://127.0.0.1:7443'],
  ['0.0.0.0:7443', 'https://localhost:7443'],
  ['[::]:7443', 'https://localhost:7443'],
  ['[::1]:7443', 'https://[::1]:7443'],
  ['bastion.example.com:443', 'https://bastion.example.com'],
])('the console of a gateway that listens at %s is at %s', (listens, expected) => {
  expect(consoleOrigin(listens)).toBe(expected);
});
