import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultOfSignature } from '../../gateway/base/ssh-key-signature.ts';
import { sshString } from '../../gateway/base/ssh-wire.ts';
import { CertificateAuthority } from '../../gateway/identity/certificate-authority.ts';
import { type CertifiedIdentity, writeIdentity } from '../../gateway/identity/certified-identity.ts';
import { identifySshKey } from '../../gateway/identity/identify.ts';
import { issueCertificate } from '../../gateway/identity/issue-certificate.ts';
import { fingerprintOf, parseSshPublicKey } from '../../gateway/identity/ssh-public-key.ts';
import { ed25519Blob, identify, looseAuthority, NOW, names, options, principals, trustOf } from './certificate-support.ts';

const company = looseAuthority();
const ownKey = generateKeyPairSync('ed25519').privateKey;
const own = new CertificateAuthority(ownKey);
const trust = trustOf(own.blob, [company.blob]);
const keyLine = `ssh-ed25519 ${ed25519Blob(generateKeyPairSync('ed25519').publicKey).toString('base64')}`;

/** A certificate of the gateway's own for this. */
function issue(identity: Partial<CertifiedIdentity>, seconds?: number): Buffer {
  const { certificate } = issueCertificate(
    { key: keyLine, seconds, identity: { ...bot, ...identity }, cameAbout: 'test' },
    own,
    { lifetimeSeconds: 900, longestSeconds: 3600 },
    NOW,
  );
  return Buffer.from(certificate.split(' ')[1] ?? '', 'base64');
}

const bot: CertifiedIdentity = {
  principal: 'deploy-bot',
  kind: 'agent',
  onBehalfOf: 'engineer@example.com',
  groups: [],
  listed: true,
  proof: { method: 'workload-token', workload: 'ci' },
};

describe('a certificate of a trusted authority', () => {
  test('says who somebody is, and the configuration says the rest', () => {
    expect(identify(company.certify({ principals: names('root', 'engineer@example.com') }), trust)).toMatchObject({
      principal: { name: 'engineer@example.com', kind: 'human', groups: ['platform'] },
      facts: { id: 'id', serial: '7', ca: fingerprintOf(company.blob), validTo: new Date((NOW + 600) * 1000).toISOString() },
      signatureType: 'ssh-ed25519',
      restrictions: { terminal: true, portForwarding: false, agentForwarding: false },
    });
    expect(identify(company.certify({ principals: names('deploy-bot') }), trust)).toMatchObject({
      principal: { name: 'deploy-bot', kind: 'agent', onBehalfOf: 'engineer@example.com', groups: ['bots'] },
    });
  });

  test('is good from its first second on and not in its last, to the second', () => {
    const blob = company.certify({ validAfter: 100n, validBefore: 200n });
    const at = (now: number) => identify(blob, trust, { now }).refused;
    expect([at(99), at(100), at(199), at(200)]).toEqual([
      'the certificate is not valid yet',
      undefined,
      undefined,
      'the certificate has expired',
    ]);
    expect(identify(company.certify({ validBefore: 2n ** 64n - 1n }), trust)).toMatchObject({ facts: { validTo: 'forever' } });
    expect(identify(company.certify({ validAfter: 2n ** 63n, validBefore: 2n ** 64n - 1n }), trust).refused).toBe(
      'the certificate is not valid yet',
    );
  });

  test('gives a forced command, and takes what it does not permit', () => {
    const blob = company.certify({
      critical: options(['force-command', 'uptime -p']),
      extensions: options(['permit-agent-forwarding', undefined], ['permit-port-forwarding', undefined], ['shiny@example.com', 'x']),
    });
    expect(identify(blob, trust)).toMatchObject({
      restrictions: { forcedCommand: 'uptime -p', terminal: false, portForwarding: true, agentForwarding: true },
    });
  });

  test('is held against the address of the client, IPv4 or IPv6, also where the one carries the other', () => {
    const from = (list: string, source: string) =>
      identify(company.certify({ critical: options(['source-address', list]) }), trust, { source }).refused;
    const not = 'the certificate is not for this source address';
    expect(from('192.0.2.0/24', '192.0.2.7:1')).toBeUndefined();
    expect(from('192.0.2.7', '192.0.2.7:1')).toBeUndefined();
    expect(from('192.0.2.0/24', '[::ffff:192.0.2.7]:1')).toBeUndefined();
    expect(from('10.0.0.0/8,2001:db8::/32', '[2001:db8::9]:1')).toBeUndefined();
    expect(from('fe80::/10', '[fe80::1%eth0]:1')).toBeUndefined();
    expect(from('192.0.2.0/24', '192.0.3.7:1')).toBe(not);
    expect(from('2001:db8::/32', '[2001:db9::9]:1')).toBe(not);
    expect(from('192.0.2.7', 'not an address')).toBe(not);
    // A network of the one family takes nobody of the other, as with sshd.
    expect(from('::/0', '192.0.2.7:1')).toBe(not);
    expect(from('::/0', '[2001:db8::9]:1')).toBeUndefined();
    expect(from('0.0.0.0/0', '192.0.2.7:1')).toBeUndefined();
    expect(from('0.0.0.0/0', '[2001:db8::9]:1')).toBe(not);
    // What can't be read is nobody's address.
    for (const list of [
      '',
      '*',
      '192.0.2.*',
      '192.0.2.7/33',
      '192.0.2.7/24',
      '192.0.2.7/-1',
      '192.0.2.7/24/24',
      '192.0.2.0/24,',
      ' 192.0.2.7',
      '!10.0.0.1,192.0.2.7',
    ])
      expect(from(list, '192.0.2.7:1'), list).toMatch(/not for this source address|is damaged/);
    expect(from(Array<string>(129).fill('192.0.2.7').join(','), '192.0.2.7:1')).toBe(not);
  });

  const refused: [what: string, parts: Parameters<typeof company.certify>[0], reason: string][] = [
    ['for hosts', { type: 2 }, 'it is a certificate for hosts, not for users'],
    ['of a type that does not exist', { type: 3 }, 'it is a certificate for hosts, not for users'],
    ['without principals', { principals: names() }, 'the certificate names no principal'],
    ['of nobody who is known', { principals: names('root') }, 'the certificate names no principal that is known'],
    [
      'of several who are known',
      { principals: names('deploy-bot', 'engineer@example.com') },
      'the certificate names more than one principal that is known',
    ],
    ['of a disabled human', { principals: names('former@example.com') }, 'former@example.com is disabled'],
    ['of an agent of a disabled human', { principals: names('orphan-bot') }, 'orphan-bot acts for former@example.com, who is disabled'],
    [
      'with a name that is almost a principal',
      { principals: names('Engineer@example.com') },
      'the certificate names no principal that is known',
    ],
    [
      'with what only the gateway says',
      { critical: options(['identity@sallyport.dev', writeIdentity(bot)]) },
      'the certificate has the critical option "identity@sallyport.dev", which is not known here',
    ],
    [
      'with an unknown critical option',
      { critical: options(['verify-required', undefined]) },
      'the certificate has the critical option "verify-required", which is not known here',
    ],
    ['with data in a permission', { extensions: options(['permit-pty', 'no']) }, 'the extension permit-pty of the certificate is damaged'],
    [
      'with an empty forced command',
      { critical: Buffer.concat([sshString('force-command'), sshString(sshString(''))]) },
      'the option force-command of the certificate is damaged',
    ],
    [
      'with more than a forced command',
      { critical: Buffer.concat([sshString('force-command'), sshString(Buffer.concat([sshString('a'), sshString('b')]))]) },
      'the option force-command of the certificate is damaged',
    ],
  ];
  test.each(refused)('is refused when it is one %s', (_what, parts, reason) => {
    expect(identify(company.certify(parts), trust)).toMatchObject({ refused: reason });
  });

  test('is refused when its authority is not trusted, whatever it calls itself', () => {
    expect(identify(looseAuthority().certify(), trust).refused).toMatch(
      /^the authority SHA256:\S+ that signed the certificate is not trusted$/,
    );
  });

  test('is refused under another name of the algorithm', () => {
    for (const algorithm of ['ssh-ed25519', 'ssh-rsa-cert-v01@openssh.com', 'rsa-sha2-256-cert-v01@openssh.com', ''])
      expect(identify(company.certify(), trust, { algorithm }).refused).toBe('the name of the algorithm does not fit the certificate');
  });

  test('is refused while the revocation list can not be read', () => {
    const blind = trustOf(own.blob, [company.blob], { revocations: 'unreadable' });
    const reason = 'the revocation list cannot be read, so no certificate is taken';
    expect(identify(company.certify(), blind).refused).toBe(reason);
    expect(identify(issue({}), blind).refused).toBe(reason);
  });

  test('changed in any one byte lets nobody in', () => {
    const blob = company.certify();
    for (let at = 0; at < blob.length; at += 1) {
      const changed = Buffer.from(blob);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect(identify(changed, trust).refused, `byte ${at}`).toBeTypeOf('string');
    }
  });

  test('cut off anywhere, or with more behind it, lets nobody in', () => {
    const blob = company.certify();
    for (let length = 0; length < blob.length; length += 1) expect(identify(blob.subarray(0, length), trust).refused).toBeTypeOf('string');
    expect(identify(Buffer.concat([blob, Buffer.alloc(1)]), trust).refused).toBe('something follows the certificate');
  });

  test('anything at all is refused, and nothing is thrown', () => {
    const blob = company.certify();
    const splice = fc.tuple(fc.nat(blob.length), fc.nat(40), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.array(splice, { minLength: 1, maxLength: 4 })), (made) => {
        let bytes = Buffer.from(blob);
        if (made instanceof Uint8Array) bytes = Buffer.from(made);
        else for (const [at, gone, put] of made) bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)]);
        fc.pre(!bytes.equals(blob));
        expect(identify(bytes, trust).refused).toBeTypeOf('string');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a certificate of the gateway itself', () => {
  test('lets in whom it says, with the groups of both', () => {
    expect(identify(issue({ groups: ['from-claims', 'bots'] }), trust)).toMatchObject({
      principal: { name: 'deploy-bot', kind: 'agent', onBehalfOf: 'engineer@example.com', groups: ['bots', 'from-claims'] },
      restrictions: { terminal: true, portForwarding: true, agentForwarding: true },
    });
    expect(identify(issue({ targets: ['web-1'] }), trust)).toMatchObject({ restrictions: { targets: ['web-1'] } });
  });

  test('that is revoked by its serial number lets nobody in; another authority with the same number does', () => {
    const revoking = trustOf(own.blob, [company.blob], { isRevoked: () => true });
    expect(identify(issue({}), revoking).refused).toBe('the certificate is revoked: its serial number is revoked');
    expect(identify(company.certify(), revoking).refused).toBeUndefined();
  });

  test('for somebody else than the configured human counts only while the workload may still say so', () => {
    const proof = { method: 'workload-token', workload: 'ci', delegated: true };
    const delegated = issue({ onBehalfOf: 'reviewer@example.com', proof });
    expect(identify(delegated, trust).refused).toBe('deploy-bot may not act for reviewer@example.com');
    const delegating = trustOf(own.blob, [], { delegates: (workload, agent) => workload === 'ci' && agent === 'deploy-bot' });
    expect(identify(delegated, delegating)).toMatchObject({ principal: { name: 'deploy-bot', onBehalfOf: 'reviewer@example.com' } });
    for (const human of ['former@example.com', 'deploy-bot', 'nobody@example.com'])
      expect(identify(issue({ onBehalfOf: human, proof }), delegating).refused, human).toMatch(/acts for/);
    const undelegated = issue({ onBehalfOf: 'reviewer@example.com', proof: { method: 'workload-token', workload: 'ci' } });
    expect(identify(undelegated, delegating).refused).toBe('deploy-bot may not act for reviewer@example.com');
  });

  const guest: Partial<CertifiedIdentity> = {
    principal: 'guest@example.com',
    kind: 'human',
    groups: ['visitors'],
    listed: false,
    proof: { method: 'oidc', provider: { issuer: 'https://login.example.com', subject: '42', amr: ['mfa'] } },
  };
  function guestWith(more: Partial<CertifiedIdentity> = {}): Buffer {
    const { onBehalfOf: _, ...rest } = bot;
    const identity = { ...rest, ...guest, ...more };
    const { certificate } = issueCertificate(
      { key: keyLine, identity, cameAbout: 'test' },
      own,
      { lifetimeSeconds: 900, longestSeconds: 900 },
      NOW,
    );
    return Buffer.from(certificate.split(' ')[1] ?? '', 'base64');
  }
  const admitting = trustOf(own.blob, [], { admitUnlisted: true });

  test('lets in somebody who is not listed only where that is admitted, with the groups that it says', () => {
    expect(identify(guestWith(), trust).refused).toBe('guest@example.com is not in the configuration');
    expect(identify(guestWith(), admitting)).toMatchObject({
      principal: { name: 'guest@example.com', kind: 'human', groups: ['visitors'] },
      provider: { issuer: 'https://login.example.com', subject: '42', amr: ['mfa'] },
    });
  });

  test('of somebody who was listed and is not any more lets nobody in; nor of an agent or under a name with a meaning', () => {
    expect(identify(guestWith({ listed: true }), admitting).refused).toBe('guest@example.com is not known any more');
    expect(identify(issue({ principal: 'former-bot', listed: false }), admitting).refused).toBe('former-bot is not known any more');
    for (const name of ['gateway', 'unknown'])
      expect(identify(guestWith({ principal: name }), admitting).refused).toBe(`nobody may be called ${name}`);
    expect(identify(guestWith({ principal: 'deploy-bot' }), admitting).refused).toBe('deploy-bot is another kind of principal by now');
  });

  test('that does not say exactly who it is for lets nobody in, even with a good signature', () => {
    const key = parseSshPublicKey(keyLine);
    if ('fault' in key) throw new Error(key.fault);
    const certify = (identity: string | undefined, principal = 'deploy-bot') =>
      Buffer.from(
        own
          .certify({
            key: key.key,
            serial: 1n,
            keyId: 'x',
            principals: [principal],
            validAfter: NOW,
            validBefore: NOW + 60,
            criticalOptions: identity === undefined ? new Map() : new Map([['identity@sallyport.dev', sshString(identity)]]),
            extensions: new Map(),
          })
          .split(' ')[1] ?? '',
        'base64',
      );
    const text = writeIdentity(bot);
    expect(identify(certify(text), trust).refused).toBeUndefined();
    const unsaid = 'the certificate does not say whom the gateway made it for';
    for (const identity of [
      undefined,
      '{}',
      `${text} `,
      text.replace('{', '{ '),
      text.replace('"listed":true', '"listed":true,"root":1'),
      'null',
      '[',
      text.replace('agent', 'human '),
    ])
      expect(identify(certify(identity), trust).refused, identity).toBe(unsaid);
    expect(identify(certify(text, 'engineer@example.com'), trust).refused).toBe(
      'the principal of the certificate is not the one that it says it is for',
    );
  });
});

test('a certificate is judged by itself when its key is listed, and the key by itself is still a key', () => {
  const blob = company.certify({ validBefore: BigInt(NOW - 1) });
  const read = identify(blob, trust, { now: NOW - 30 });
  if (read.refused !== undefined) throw new Error(read.refused);
  const [engineer] = principals.values();
  const listed = {
    ...engineer,
    name: 'engineer@example.com',
    kind: 'human' as const,
    groups: [],
    operator: [],
    disabled: false,
    sshKeys: [{ algorithm: 'ssh-ed25519', blob: read.certifiedKey, fingerprint: read.fingerprint, comment: '' }],
  };
  const withKey = new Map([[listed.name, listed]]);
  expect(identify(blob, trust, { principals: withKey }).refused).toBe('the certificate has expired');
  const offered = { principals: withKey, user: 'web-1', keyAlgorithm: 'ssh-ed25519', keyBlob: blob };
  expect(identifySshKey(offered)).toMatchObject({ refused: 'no principal has this key' });
  expect(identifySshKey({ ...offered, keyBlob: read.certifiedKey })).toMatchObject({ principal: { name: 'engineer@example.com' } });
});

test('a client signs with the very algorithm that it named, and with the certified key', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const mpint = (text: string) => sshString(Buffer.concat([Buffer.from(text === n ? [0] : []), Buffer.from(text, 'base64url')]));
  const blob = company.certify({ kind: 'ssh-rsa-cert-v01@openssh.com', keyFields: Buffer.concat([mpint(e), mpint(n)]) });
  const message = Buffer.from('session');
  const signed = (hash: string) => Buffer.concat([sshString(`rsa-sha2-${hash}`), sshString(sign(`sha${hash}`, message, privateKey))]);
  for (const hash of ['256', '512']) {
    const found = identify(blob, trust, { algorithm: `rsa-sha2-${hash}-cert-v01@openssh.com` });
    if (found.refused !== undefined) throw new Error(found.refused);
    const fault = (signature: Buffer, over = message) => faultOfSignature(found.certifiedKey, signature, over, found.signatureType);
    expect(fault(signed(hash))).toBeUndefined();
    expect(fault(signed(hash === '256' ? '512' : '256'))).toBe('its kind is not that of its key');
    expect(fault(signed(hash), Buffer.from('another session'))).toBe('it does not fit what was signed');
  }
  // With SHA-1 there is no log-in, whatever the configuration says of weak algorithms.
  expect(identify(blob, trust, { algorithm: 'ssh-rsa-cert-v01@openssh.com' }).refused).toBe(
    'the name of the algorithm does not fit the certificate',
  );
});
