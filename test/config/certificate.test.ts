import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../gateway/config.ts';
import { selfSigned } from '../../gateway/operator-api/self-signed.ts';
import { Belongings } from '../support/temp.ts';
import { changed, environment, faultsOf, writeConfig } from './written.ts';

const belongings = new Belongings();
const directory = belongings.directory('certificate');
afterAll(() => belongings.release());

const day = 86_400_000;
const { key, certificate } = selfSigned({
  commonName: 'bastion.example.com',
  names: ['bastion.example.com'],
  notBefore: new Date(Date.now() - day),
  notAfter: new Date(Date.now() + day),
});
const other = selfSigned({ commonName: 'other', names: ['other'], notBefore: new Date(), notAfter: new Date(Date.now() + day) });

function file(name: string, content: string, mode = 0o600): void {
  writeFileSync(join(directory, name), content);
  chmodSync(join(directory, name), mode);
}

function configured(certificateSection: string, listen = 'ssh: "127.0.0.1:0", https: "127.0.0.1:0"'): string {
  return changed('{ ssh: "127.0.0.1:0" }', `{ ${listen} }\n  certificate: ${certificateSection}`);
}

file('chain.pem', `some words before\n${certificate}${other.certificate}`, 0o644);
file('key.pem', key);
file('other.pem', other.key);
file('open.pem', key, 0o644);
file('none.pem', 'no certificate\n');
file('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
file('locked.pem', privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' }).toString());

const good = '{ chain: chain.pem, key: { file: key.pem } }';

test('an address for https and a certificate with its key are taken, with absolute paths', () => {
  const config = loadConfig(writeConfig(directory, configured(good)), environment);
  expect(config.gateway).toMatchObject({
    listen: { ssh: { host: '127.0.0.1', port: 0 }, https: { host: '127.0.0.1', port: 0 } },
    certificate: { chain: join(directory, 'chain.pem'), key: { file: join(directory, 'key.pem') } },
  });
});

test('a key may come from the environment', () => {
  const path = writeConfig(directory, configured('{ chain: chain.pem, key: { env: TLS_KEY } }'));
  expect(loadConfig(path, { ...environment, TLS_KEY: key }).gateway.certificate).toEqual({
    chain: join(directory, 'chain.pem'),
    key: { env: 'TLS_KEY' },
  });
});

/** What is wrong, and the one fault that has to be reported. */
const table: [promise: string, content: string, fault: string][] = [
  [
    'a certificate that nobody is shown',
    configured(good, 'ssh: "127.0.0.1:0"'),
    'gateway.yaml:3:3: there is a certificate, and nothing listens for https. Add https to `listen`, for example https: "127.0.0.1:7443", or remove the certificate.',
  ],
  [
    'a chain that is not there',
    configured('{ chain: nowhere.pem, key: { file: key.pem } }'),
    'gateway.yaml:3:25: there is no file nowhere.pem. Put it there, or correct the path, which is relative to the configuration file.',
  ],
  [
    'a file without a certificate',
    configured('{ chain: none.pem, key: { file: key.pem } }'),
    'gateway.yaml:3:25: none.pem holds no certificate in PEM. Convert it: openssl x509 -inform DER -in FILE -out NEW.',
  ],
  [
    'a certificate that is damaged',
    configured('{ chain: broken.pem, key: { file: key.pem } }'),
    'gateway.yaml:3:25: broken.pem holds a certificate that cannot be read. Fetch or make it again.',
  ],
  [
    'a chain that is a directory',
    configured('{ chain: ".", key: { file: key.pem } }'),
    `gateway.yaml:3:25: ${directory} is not a regular file. Name a PEM file with the certificate of this server and its issuers.`,
  ],
  [
    'the key of another certificate',
    configured('{ chain: chain.pem, key: { file: other.pem } }'),
    "gateway.yaml:3:41: the private key does not belong to the first certificate in chain.pem. Name the key that the certificate was made for; the server's own comes first.",
  ],
  [
    'a key that everybody can read',
    configured('{ chain: chain.pem, key: { file: open.pem } }'),
    'gateway.yaml:3:41: the file open.pem can be read by everybody or changed by others. Run: chmod 600 open.pem',
  ],
  [
    'a key with a passphrase',
    configured('{ chain: chain.pem, key: { file: locked.pem } }'),
    'gateway.yaml:3:41: the file locked.pem holds an encrypted private key. Take the passphrase off, and let only the user of the gateway read it: openssl pkey -in FILE -out NEW.',
  ],
  [
    'a certificate where the key belongs',
    configured('{ chain: chain.pem, key: { file: none.pem } }'),
    'gateway.yaml:3:41: the file none.pem holds no private key in PEM. Name the private key that the certificate was made for.',
  ],
  [
    'a key written into the file, which is not repeated',
    configured('{ chain: chain.pem, key: "c2VjcmV0" }'),
    'gateway.yaml:3:41: text stands where a reference to a secret belongs. Name where the secret is, and not the secret: { env: NAME } or { file: PATH }.',
  ],
];

test.each(table)('%s is a fault with a mend', (_promise, content, fault) => {
  expect(faultsOf(directory, content)).toEqual([fault]);
});
