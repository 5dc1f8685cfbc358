import { describe, expect, test } from 'vitest';
import { identifySshKey, reasonAgainst } from '../../gateway/identity/identify.ts';
import type { Principal } from '../../gateway/identity/principal.ts';
import { fingerprintOf, type SshPublicKey } from '../../gateway/identity/ssh-public-key.ts';

function key(seed: number, algorithm = 'ssh-ed25519'): SshPublicKey {
  const blob = Buffer.alloc(51, seed);
  return { algorithm, blob, fingerprint: fingerprintOf(blob), comment: '' };
}

function principal(name: string, sshKeys: SshPublicKey[], more: Partial<Principal> = {}): Principal {
  return { name, kind: 'human', groups: [], operator: [], disabled: false, sshKeys, ...more };
}

const people = [
  principal('engineer', [key(1), key(2)]),
  principal('bot', [key(3)], { kind: 'agent', onBehalfOf: 'engineer' }),
  principal('former', [key(4)], { disabled: true }),
  principal('bot of former', [key(5)], { kind: 'agent', onBehalfOf: 'former' }),
  principal('bot of nobody', [key(6)], { kind: 'agent', onBehalfOf: 'nobody' }),
  principal('bot of a bot', [key(7)], { kind: 'agent', onBehalfOf: 'bot' }),
  principal('rsa', [key(8, 'ssh-rsa')]),
];
const principals = new Map(people.map((someone) => [someone.name, someone]));

const identify = (keyBlob: Uint8Array, keyAlgorithm = 'ssh-ed25519', user = 'web-1') =>
  identifySshKey({ principals, user, keyAlgorithm, keyBlob });

describe('who somebody is comes from the key', () => {
  test('any key of a principal identifies it', () => {
    expect(identify(key(1).blob)).toEqual({ principal: people[0], fingerprint: key(1).fingerprint });
    expect(identify(key(2).blob)).toEqual({ principal: people[0], fingerprint: key(2).fingerprint });
    expect(identify(key(3).blob)).toEqual({ principal: people[1], fingerprint: key(3).fingerprint });
  });

  test('the user name, which says where to, changes nothing', () => {
    for (const user of ['', 'engineer', 'no-such-target', 'x'.repeat(10_000)])
      expect(identify(key(3).blob, 'ssh-ed25519', user)).toEqual(identify(key(3).blob));
  });

  test('an unknown key is refused, whatever the user name, with its fingerprint for the record', () => {
    for (const user of ['engineer', 'nobody']) {
      expect(identify(key(99).blob, 'ssh-ed25519', user)).toEqual({
        refused: 'no principal has this key',
        fingerprint: key(99).fingerprint,
      });
    }
  });

  test('a key that differs in one bit, is shorter or longer, or is empty is unknown', () => {
    const almost = Buffer.from(key(1).blob);
    almost[50] = (almost[50] ?? 0) ^ 1;
    for (const blob of [almost, key(1).blob.subarray(0, 50), Buffer.concat([key(1).blob, Buffer.from([1])]), Buffer.alloc(0)]) {
      expect(identify(blob)).toMatchObject({ refused: 'no principal has this key' });
    }
  });

  test('the algorithm has to be that of the key', () => {
    expect(identify(key(1).blob, 'ssh-rsa')).toMatchObject({ refused: 'the name of the algorithm does not fit the key' });
    for (const name of ['ssh-rsa', 'rsa-sha2-256', 'rsa-sha2-512'])
      expect(identify(key(8).blob, name)).toMatchObject({ principal: { name: 'rsa' } });
  });

  test('in an empty configuration everybody is unknown', () => {
    expect(identifySshKey({ principals: new Map(), user: 'x', keyAlgorithm: 'ssh-ed25519', keyBlob: key(1).blob })).toHaveProperty(
      'refused',
    );
  });
});

describe('who is known may still not enter', () => {
  test('a disabled principal', () => {
    const refusal = identify(key(4).blob);
    expect(refusal).toEqual({ refused: 'former is disabled', fingerprint: key(4).fingerprint });
  });

  test('an agent of a disabled human', () => {
    expect(identify(key(5).blob)).toMatchObject({ refused: 'bot of former acts for former, who is disabled' });
  });

  test('an agent of nobody, or of another agent', () => {
    expect(identify(key(6).blob)).toMatchObject({ refused: 'bot of nobody acts for nobody who is known' });
    expect(identify(key(7).blob)).toMatchObject({ refused: 'bot of a bot acts for nobody who is known' });
  });

  test('a reloaded configuration counts at once', () => {
    const reloaded = new Map([...principals, ['engineer', principal('engineer', [key(1)], { disabled: true })]]);
    expect(identifySshKey({ principals: reloaded, user: 'x', keyAlgorithm: 'ssh-ed25519', keyBlob: key(1).blob })).toMatchObject({
      refused: 'engineer is disabled',
    });
    expect(identifySshKey({ principals: reloaded, user: 'x', keyAlgorithm: 'ssh-ed25519', keyBlob: key(2).blob })).toMatchObject({
      refused: 'no principal has this key',
    });
    expect(people.map((someone) => reasonAgainst(someone, reloaded))[1]).toBe('bot acts for engineer, who is disabled');
  });
});
