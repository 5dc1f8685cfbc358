import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../gateway/config.ts';
import { Belongings } from '../support/temp.ts';
import { environment, faultsOf, valid, writeConfig } from './written.ts';

const belongings = new Belongings();
const directory = belongings.directory('ledger');
afterAll(() => belongings.release());

function file(name: string, content: string, mode = 0o600): void {
  writeFileSync(join(directory, name), content);
  chmodSync(join(directory, name), mode);
}

const { privateKey } = generateKeyPairSync('ed25519');
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
file('ledger.key', pem);
file('open.key', pem, 0o644);
file('none.key', 'no key\n');
file('locked.key', privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' }).toString());
file('rsa.key', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());

const configured = (section: string) => `${valid}ledger: ${section}\n`;

test('an origin and keys are taken, with absolute paths', () => {
  const section = '{ origin: bastion.example.com/ledger, key: { file: ledger.key }, former-key: { env: OLD_KEY } }';
  expect(loadConfig(writeConfig(directory, configured(section)), { ...environment, OLD_KEY: pem }).ledger).toEqual({
    origin: 'bastion.example.com/ledger',
    key: { file: join(directory, 'ledger.key') },
    formerKey: { env: 'OLD_KEY' },
  });
  expect(loadConfig(writeConfig(directory, configured('{ former-key: lost }')), environment).ledger).toEqual({ formerKey: 'lost' });
  expect(loadConfig(writeConfig(directory, valid), environment).ledger).toEqual({});
});

test.each([
  ['an origin with a space in it', '{ origin: "my ledger" }', '"my ledger" does not have the right form'],
  ['an origin with a plus in it', '{ origin: a+b }', '"a+b" does not have the right form'],
  ['a key in the file itself', `{ key: "${pem.split('\n')[1]}" }`, 'stands where a reference to a secret belongs'],
  ['a key that is not there', '{ key: { file: missing.key } }', 'there is no file'],
  ['a key that everybody can read', '{ key: { file: open.key } }', 'can be read by everybody'],
  ['a file without a key', '{ key: { file: none.key } }', 'holds no private key in PEM'],
  ['an encrypted key', '{ key: { file: locked.key } }', 'holds an encrypted private key'],
  ['a key of another kind', '{ former-key: { file: rsa.key } }', 'holds a key of type rsa, not ed25519'],
  ['a variable that is not set', '{ former-key: { env: NOT_SET } }', 'NOT_SET is not set'],
  ['a former key that is neither', '{ former-key: gone }', 'stands where a reference to a secret belongs'],
  ['a key with a typing mistake', '{ orign: x }', 'unknown key "orign"'],
])('%s is a fault with its mend', (_, section, problem) => {
  const faults = faultsOf(directory, configured(section));
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(problem);
  expect(faults[0]).toMatch(/\. [A-Z]/);
  expect(faults[0]).not.toContain(pem.split('\n')[1]);
});
