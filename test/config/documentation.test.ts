import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../gateway/config.ts';
import { selfSigned } from '../../gateway/operator-api/self-signed.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { valid, writeConfig } from './written.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

test('the example in docs/configuration.md is valid, and shows the defaults that it says it shows', async () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const directory = belongings.directory('documentation');
  mkdirSync(join(directory, 'keys'));
  mkdirSync(join(directory, 'tls'));
  const year = { notBefore: new Date(), notAfter: new Date(Date.now() + 365 * 86_400_000) };
  const { certificate, key } = selfSigned({ commonName: 'bastion-1', names: ['bastion-1'], ...year });
  writeFileSync(join(directory, 'tls', 'fullchain.pem'), certificate);
  writeFileSync(join(directory, 'tls', 'key.pem'), key, { mode: 0o600 });
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'open sesame', '-f', join(directory, 'keys', 'web')]);
  const config = loadConfig(writeConfig(directory, example), { WEB_KEY_PASSPHRASE: 'open sesame' });
  const plain = loadConfig(writeConfig(directory, valid), { WEB_PASSWORD: 'x' });
  const { banner, ...ssh } = config.ssh;
  expect(banner).toBe('Access is recorded.\n');
  expect({ recording: config.recording, limits: config.limits, ssh }).toEqual({
    recording: plain.recording,
    limits: plain.limits,
    ssh: plain.ssh,
  });
  expect(config.targets.get('web-1')?.environment).toEqual(plain.targets.get('web-1')?.environment);
  expect([...config.principals.keys()]).toEqual(['engineer@example.com', 'former@example.com', 'deploy-bot']);
});
