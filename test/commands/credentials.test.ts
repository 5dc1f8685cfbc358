import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { SallyportError } from '../../gateway/base/errors.ts';
import { type Ask, issueCredentials, revokeCredentials, showAuthority } from '../../gateway/commands/credentials.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
const directory = belongings.directory('credentials');
let key: KeyPair;
beforeAll(async () => {
  key = await makeKey(directory, 'id');
});
afterAll(() => belongings.release());

const said: string[] = [];
vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
  said.push(String(text));
  return true;
});
afterEach(() => void said.splice(0));

/** A gateway that answers this, and keeps what it was asked. */
function gateway(answer: object): { ask: Ask; asked: unknown[][] } {
  const asked: unknown[][] = [];
  const ask = (async (name: string, input: unknown) => {
    asked.push([name, input]);
    return answer;
  }) as unknown as Ask;
  return { ask, asked };
}

const issued = {
  certificate: 'ssh-ed25519-cert-v01@openssh.com AAAA',
  serial: '12',
  principal: 'deploy-bot',
  validTo: '2026-03-01T09:45:00.000000Z',
};

describe('sallyport credentials issue', () => {
  test('puts the certificate beside the key, where ssh finds it, in place of the one before it', async () => {
    const token = join(directory, 'token');
    writeFileSync(token, 'header.payload.signature\n');
    const { ask, asked } = gateway(issued);
    for (let n = 0; n < 2; n += 1)
      expect(await issueCredentials({ key: `${key.path}.pub`, token, target: ['web-1'], seconds: 600 }, ask)).toBe(0);
    expect(readFileSync(`${key.path}-cert.pub`, 'utf8')).toBe(`${issued.certificate}\n`);
    expect(asked[0]).toEqual([
      'credential.issue',
      { key: key.publicLine, token: 'header.payload.signature', targets: ['web-1'], seconds: 600 },
    ]);
    expect(said.join('')).toContain('deploy-bot until 2026-03-01T09:45:00.000000Z, serial 12');
  });

  test('prints it on request, or what it is as JSON', async () => {
    const { ask, asked } = gateway(issued);
    await issueCredentials({ key: `${key.path}.pub`, output: '-' }, ask);
    expect(asked).toEqual([['credential.issue', { key: key.publicLine }]]);
    expect(said.splice(0)).toEqual([`${issued.certificate}\n`]);
    const file = join(directory, 'elsewhere-cert.pub');
    await issueCredentials({ key: `${key.path}.pub`, output: file, json: true }, ask);
    expect(JSON.parse(said.join(''))).toEqual({ file, serial: '12', principal: 'deploy-bot', validTo: issued.validTo });
  });

  test('asks for nothing with what can not be right, and leaves the certificate before it alone', async () => {
    const { ask, asked } = gateway(issued);
    const [empty, long] = [join(directory, 'empty'), join(directory, 'long')];
    writeFileSync(empty, '\n');
    writeFileSync(long, 'x'.repeat(70_000));
    for (const options of [
      { key: join(directory, 'nowhere.pub') },
      { key: directory },
      { key: empty },
      { key: long },
      { key: `${key.path}.pub`, token: long },
      { key: `${key.path}.pub`, seconds: 5 },
    ])
      await expect(issueCredentials(options, ask)).rejects.toMatchObject({ code: 'USAGE' });
    expect(asked).toEqual([]);
    const refusing = (async () => {
      throw new SallyportError('CREDENTIAL_REFUSED', 'the token was not taken');
    }) as unknown as Ask;
    const before = readFileSync(`${key.path}-cert.pub`, 'utf8');
    await expect(issueCredentials({ key: `${key.path}.pub` }, refusing)).rejects.toMatchObject({ code: 'CREDENTIAL_REFUSED' });
    expect(readFileSync(`${key.path}-cert.pub`, 'utf8')).toBe(before);
  });
});

test('sallyport credentials revoke takes a serial number', async () => {
  const { ask, asked } = gateway({});
  expect(await revokeCredentials('12', { reason: 'lost' }, ask)).toBe(0);
  expect(asked).toEqual([['credential.revoke', { serial: '12', reason: 'lost' }]]);
  for (const serial of ['', '-1', '0x1', '123456789012345678901'])
    await expect(revokeCredentials(serial, { reason: 'x' }, ask)).rejects.toMatchObject({ code: 'USAGE' });
});

test('sallyport credentials authority prints the line that other servers and ssh-keygen take', async () => {
  const { ask } = gateway({ authority: 'ssh-ed25519 AAAA sallyport-ca', hostKey: 'ssh-ed25519 BBBB' });
  await showAuthority({}, ask);
  await showAuthority({ json: true }, ask);
  expect(said[0]).toBe('ssh-ed25519 AAAA sallyport-ca\n');
  expect(JSON.parse(said[1] ?? '')).toEqual({ authority: 'ssh-ed25519 AAAA sallyport-ca', hostKey: 'ssh-ed25519 BBBB' });
});
