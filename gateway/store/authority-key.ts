import { generateKeyPairSync } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory, replaceFile, syncDirectory } from './durable-file.ts';
import { isMissing } from './read-at-most.ts';

/** The key of the gateway's own SSH certificate authority, made where there is none yet. Gives its file. */
export async function makeAuthorityKeyOnce(dataDirectory: string): Promise<string> {
  const directory = join(dataDirectory, 'keys');
  const file = join(directory, 'ssh-ca');
  const there = await access(file).then(
    () => true,
    (thrown: unknown) => (isMissing(thrown) ? false : Promise.reject(thrown as Error)),
  );
  if (there) return file;
  await makeDirectory(directory);
  await replaceFile(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  await syncDirectory(directory);
  return file;
}

/** Its public side in one line, for `TrustedUserCAKeys` and for `ssh-keygen -L`. */
export async function publishAuthorityKey(dataDirectory: string, line: string): Promise<void> {
  const file = join(dataDirectory, 'keys', 'ssh-ca.pub');
  const text = `${line}\n`;
  const there = await readFile(file, 'utf8').catch((thrown: unknown) => (isMissing(thrown) ? undefined : Promise.reject(thrown as Error)));
  if (there !== text) await replaceFile(file, text, 0o644);
}
