import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { describeError, SallyportError } from '../../gateway/base/errors.ts';
import type { CredentialReference, SecretReference } from '../../gateway/identity/secret-reference.ts';
import { readTargetCredential } from '../../gateway/identity/target-credentials.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
const directory = belongings.directory('credentials');
afterAll(() => belongings.release());

function secretFile(name: string, content: string | Uint8Array, mode = 0o600): { file: string } {
  const file = join(directory, name);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return { file };
}

async function keyFile(name: string, ...options: string[]): Promise<{ file: string }> {
  const file = join(directory, name);
  if (!existsSync(file)) {
    const { status, stderr } = await run('ssh-keygen', ['-q', '-N', '', ...options, '-f', file]);
    if (status !== 0) throw new Error(stderr);
  }
  return { file };
}

const environment = { PASSWORD: ' hunter2 ', EMPTY: '' };

function read(credential: CredentialReference, passphrase?: SecretReference) {
  const found = readTargetCredential({ name: 'web-1', credential, ...(passphrase === undefined ? {} : { passphrase }) }, environment);
  const names = ['password', 'privateKey', 'passphrase'] as const;
  return Object.fromEntries(names.flatMap((name) => (found[name] === undefined ? [] : [[name, found[name].reveal()]])));
}

function errorOf(credential: CredentialReference, passphrase?: SecretReference): string {
  try {
    read(credential, passphrase);
  } catch (error) {
    if (error instanceof SallyportError && error.code === 'TARGET_CREDENTIAL_MISSING')
      return describeError(error).replaceAll(`${directory}/`, '');
    throw error;
  }
  throw new Error('the credential was taken');
}

describe('a credential is read from where the reference says', () => {
  test('a variable is a password, to the letter', () => {
    expect(read({ env: 'PASSWORD' })).toEqual({ password: ' hunter2 ' });
  });

  test('a file is a password without the end of its line', () => {
    expect(read(secretFile('password', 'correct horse \r\n'))).toEqual({ password: 'correct horse ' });
    expect(read(secretFile('two', 'a\n\n'))).toEqual({ password: 'a\n' });
  });

  test('a file with a private key is that key', async () => {
    const key = await keyFile('ed25519', '-t', 'ed25519');
    const text = readFileSync(key.file, 'utf8').trim();
    expect(read(key)).toEqual({ privateKey: text });
    expect(read({ key })).toEqual({ privateKey: text });
  });

  test('a private key of the older form is one too', async () => {
    const key = await keyFile('pem', '-t', 'rsa', '-b', '2048', '-m', 'PEM');
    expect(readFileSync(key.file, 'utf8')).toContain('BEGIN RSA PRIVATE KEY');
    expect(Object.keys(read(key))).toEqual(['privateKey']);
  });

  test('who says that it is a password has it sent as one', async () => {
    expect(Object.keys(read({ password: await keyFile('ed25519', '-t', 'ed25519') }))).toEqual(['password']);
  });

  test('a passphrase opens an encrypted key', async () => {
    const key = await keyFile('encrypted', '-t', 'ed25519', '-N', 'open sesame');
    expect(read(key, secretFile('passphrase', 'open sesame\n'))).toMatchObject({ passphrase: 'open sesame' });
  });

  test('it is read anew each time, so that a rotated secret is used at once', () => {
    const reference = secretFile('rotated', 'old');
    expect(read(reference)).toEqual({ password: 'old' });
    writeFileSync(reference.file, 'new');
    expect(read(reference)).toEqual({ password: 'new' });
  });

  test('a symbolic link, by which orchestrators hand out secrets, is followed', () => {
    secretFile('behind', 'secret');
    symlinkSync('behind', join(directory, 'link'));
    expect(read({ file: join(directory, 'link') })).toEqual({ password: 'secret' });
  });
});

describe('what cannot be used is named, with its mend and without its value', () => {
  test.each<
    [promise: string, error: string, credential: () => CredentialReference | Promise<CredentialReference>, passphrase?: SecretReference]
  >([
    [
      'a variable that is not set',
      'the environment variable NONE is not set (Set it in the environment of the gateway.)',
      () => ({ env: 'NONE' }),
    ],
    ['an empty variable', 'the environment variable EMPTY is empty (Set it in the environment of the gateway.)', () => ({ env: 'EMPTY' })],
    [
      'a file that is not there',
      'there is no file none (Put it there, or correct the path, which is relative to the configuration file.)',
      () => ({ file: join(directory, 'none') }),
    ],
    ['a directory', `${directory} is not a regular file (Name the file that holds the secret.)`, () => ({ file: directory })],
    ['a device', '/dev/zero is not a regular file (Name the file that holds the secret.)', () => ({ file: '/dev/zero' })],
    ['an empty file', 'the file empty is empty (Put the secret in it.)', () => secretFile('empty', ' \n')],
    [
      'a large file',
      'the file large has more than 65536 bytes (Name the file that holds the secret and nothing else.)',
      () => secretFile('large', 'hunter2'.repeat(10_000)),
    ],
    [
      'a file that everybody can read',
      'the file open can be read by everybody or changed by others (Run: chmod 600 open)',
      () => secretFile('open', 'hunter2', 0o604),
    ],
    [
      'a file that a group can change',
      'the file shared can be read by everybody or changed by others (Run: chmod 600 shared)',
      () => secretFile('shared', 'hunter2', 0o660),
    ],
    [
      'a file that is no text',
      'the file binary is not text (Name a file with a password or a private key in it.)',
      () => secretFile('binary', Buffer.from([0xff, 0x00])),
    ],
    [
      'a password where a key has to be',
      'the file plain holds no private key (Name the private key itself, not its .pub file.)',
      () => ({ key: secretFile('plain', 'hunter2') }),
    ],
    [
      'an encrypted key alone',
      'the private key in the file encrypted is encrypted, and the target has no passphrase (Add passphrase: { env: NAME } or { file: PATH }.)',
      () => keyFile('encrypted', '-t', 'ed25519', '-N', 'open sesame'),
    ],
    [
      'an encrypted key of the older form alone',
      'the private key in the file encrypted-pem is encrypted, and the target has no passphrase (Add passphrase: { env: NAME } or { file: PATH }.)',
      () => keyFile('encrypted-pem', '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'open sesame'),
    ],
    [
      'PKCS #8',
      'the file pkcs8 holds a private key in a format that is not supported: PKCS #8 (Convert it: ssh-keygen -p -f pkcs8)',
      () => keyFile('pkcs8', '-t', 'ecdsa', '-m', 'PKCS8'),
    ],
  ])('%s', async (_promise, error, credential, passphrase) => {
    const said = errorOf(await credential(), passphrase);
    expect(said).toBe(`the credential of the target web-1 cannot be used: ${error}`);
    expect(said).not.toContain('hunter2');
  });

  test('a passphrase without a key', () => {
    expect(errorOf({ env: 'PASSWORD' }, { env: 'PASSWORD' })).toBe(
      'the passphrase of the target web-1 cannot be used: a passphrase is given, but the credential is no private key (Remove it, or name the private key.)',
    );
  });

  test('a passphrase that is not there', async () => {
    const key = await keyFile('encrypted', '-t', 'ed25519', '-N', 'open sesame');
    expect(errorOf(key, { env: 'NONE' })).toContain(
      'the passphrase of the target web-1 cannot be used: the environment variable NONE is not set',
    );
  });

  test('a named pipe that nobody writes to, without waiting', async () => {
    const file = join(directory, 'pipe');
    expect(await run('mkfifo', ['-m', '600', file])).toMatchObject({ status: 0 });
    expect(errorOf({ file })).toContain('pipe is not a regular file');
  });
});

test('what was read does not print', () => {
  const credential = readTargetCredential({ name: 'web-1', credential: { env: 'PASSWORD' } }, environment);
  for (const printed of [inspect(credential), JSON.stringify(credential), String(credential.password), Object.values(credential).join()]) {
    expect(printed).toContain('<secret>');
    expect(printed).not.toContain('hunter2');
  }
});
