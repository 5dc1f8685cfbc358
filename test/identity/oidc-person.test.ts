import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { personOf } from '../../gateway/identity/oidc-person.ts';
import type { IdTokenClaims } from '../../gateway/identity/oidc-token.ts';
import type { OperatorRole, Principal } from '../../gateway/identity/principal.ts';

const roles: Record<OperatorRole, string[]> = { reviewer: ['sre'], auditor: ['audit', 'Domain Users'], admin: ['root'] };
const settings = { nameClaim: 'email', groupsClaim: 'groups', unlisted: false, roles };
const open = { ...settings, unlisted: true };

function principal(name: string, more: Partial<Principal> = {}): Principal {
  return { name, kind: 'human', groups: [], sshKeys: [], operator: [], disabled: false, ...more };
}
const principals = new Map(
  [
    principal('alice@example.com', { groups: ['platform'], operator: ['auditor'] }),
    principal('gone@example.com', { disabled: true }),
    principal('Straße@example.com'),
    principal('deploy-bot', { kind: 'agent', onBehalfOf: 'alice@example.com' }),
  ].map((entry) => [entry.name, entry]),
);

function claims(more: Record<string, unknown> = {}): IdTokenClaims {
  return { iss: 'https://id.example.com', sub: '42', iat: 1, email: 'alice@example.com', email_verified: true, ...more };
}

describe('a listed human', () => {
  it('has the groups and roles of both the configuration and the provider', () => {
    expect(personOf(claims({ groups: ['sre', 'platform'] }), settings, principals)).toEqual({
      person: {
        name: 'alice@example.com',
        groups: ['platform', 'sre'],
        claimedGroups: ['sre', 'platform'],
        roles: ['reviewer', 'auditor'],
        listed: true,
        issuer: 'https://id.example.com',
        subject: '42',
      },
    });
  });

  it('has no role by a group that only the configuration gives', () => {
    const inFile = new Map([['alice@example.com', principal('alice@example.com', { groups: ['root'] })]]);
    expect(personOf(claims(), settings, inFile).person).toMatchObject({ groups: ['root'], roles: [] });
  });

  it('is not let in when disabled, whatever the provider says', () => {
    for (const which of [settings, open])
      expect(personOf(claims({ email: 'gone@example.com', groups: ['root'] }), which, principals)).toEqual({
        refused: 'gone@example.com is disabled',
      });
  });

  it('is no agent', () => {
    const named = { ...open, nameClaim: 'preferred_username' };
    expect(personOf(claims({ preferred_username: 'deploy-bot' }), named, principals)).toEqual({ refused: 'deploy-bot is an agent' });
  });

  it('may be known by another claim, whose name no property of objects can stand in for', () => {
    const named = { ...settings, nameClaim: 'upn' };
    expect(personOf(claims({ upn: 'alice@example.com', email_verified: false }), named, principals)).toHaveProperty(
      'person.name',
      'alice@example.com',
    );
    expect(personOf(claims(), { ...settings, nameClaim: 'constructor' }, principals)).toHaveProperty('refused');
  });
});

describe('an address that the provider has not verified', () => {
  it.each([false, 'true', 1, null, undefined])('is nobody (%j)', (verified) => {
    expect(personOf(claims({ email_verified: verified }), open, principals)).toEqual({
      refused: 'the provider has not verified the address in the claim email',
    });
  });
});

describe('a name', () => {
  it.each([
    ['alice@example.com '],
    [' alice@example.com'],
    ['alice@example.com\n'],
    ['alice@example.com\u0000'],
    ['al\u200bice@example.com'],
    ['\u202ealice@example.com'],
    ['alice@example.com\u001b[2J'],
    [''],
    ['a'.repeat(129)],
    ['alice@example.com,admin@example.com'],
    ['<b>alice</b>'],
  ])('%j is none', (email) => {
    expect(personOf(claims({ email }), open, principals)).toEqual({ refused: 'the claim email is no name of a principal' });
  });

  it.each([[undefined], [null], [42], [['alice@example.com']], [{ toString: 'alice' }]])('%j is none either', (email) => {
    expect(personOf(claims({ email }), open, principals)).toHaveProperty('refused');
  });

  it('is compared as it is: case and form make another one, which nobody is', () => {
    for (const email of ['Alice@example.com', 'ALICE@EXAMPLE.COM', 'аlice@example.com'])
      expect(personOf(claims({ email }), settings, principals)).toEqual({
        refused: `${email} is not among the humans of the configuration`,
      });
  });
});

describe('somebody who is not listed', () => {
  it('is refused, unless the configuration lets everybody in whom the provider knows', () => {
    const bob = claims({ email: 'bob@example.com', groups: ['Domain Users', 'staff'] });
    expect(personOf(bob, settings, principals)).toEqual({ refused: 'bob@example.com is not among the humans of the configuration' });
    expect(personOf(bob, open, principals)).toMatchObject({
      person: { name: 'bob@example.com', listed: false, groups: ['Domain Users', 'staff'], roles: ['auditor'] },
    });
  });

  it.each([
    ['Alice@example.com', 'Alice@example.com differs from the listed alice@example.com in case or form only'],
    ['STRASSE@example.com', 'STRASSE@example.com differs from the listed Straße@example.com in case or form only'],
    ['GONE@example.com', 'GONE@example.com differs from the listed gone@example.com in case or form only'],
    ['ａlice@example.com', 'ａlice@example.com is written in a form that only looks like its name'],
    ['Deploy-Bot', 'Deploy-Bot differs from the listed deploy-bot in case or form only'],
    ['Gateway', 'Gateway has a meaning of its own in records'],
    ['unknown', 'unknown has a meaning of its own in records'],
  ])('cannot take the name %s', (name, refused) => {
    expect(personOf(claims({ upn: name }), { ...open, nameClaim: 'upn' }, principals)).toEqual({ refused });
  });
});

describe('groups', () => {
  it.each([
    [undefined, []],
    [[], []],
    ['sre', ['sre']],
    [['sre', 'sre'], ['sre']],
    [
      ['/eu/ops', 'Domain Users', '5f0c9a3e-0000'],
      ['/eu/ops', 'Domain Users', '5f0c9a3e-0000'],
    ],
  ])('%j are taken', (groups, taken) => {
    expect(personOf(claims({ email: 'alice@example.com', groups }), { ...settings }, principals).person?.groups).toEqual([
      'platform',
      ...taken,
    ]);
  });

  it.each([
    [[1]],
    [['a\nb']],
    [[' sre']],
    [['sre ']],
    [['s\u200bre']],
    [['']],
    [['a'.repeat(129)]],
    [{ sre: true }],
    [Array.from({ length: 501 }, (_, index) => `g${index}`)],
  ])('that cannot all be named keep everybody out: %j', (groups) => {
    expect(personOf(claims({ groups }), settings, principals)).toHaveProperty('refused');
  });

  it('that the provider keeps elsewhere keep everybody out, for a policy may forbid something to one of them', () => {
    expect(
      personOf(claims({ _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://x' } } }), settings, principals),
    ).toEqual({
      refused: 'the ID token does not have all groups: the provider keeps groups elsewhere',
    });
    expect(personOf(claims({ _claim_names: { address: 'src1' } }), settings, principals)).toHaveProperty('person');
  });
});

describe('how somebody was authenticated', () => {
  it('is told as it is, or keeps them out', () => {
    expect(personOf(claims({ amr: ['hwk', 'user'], acr: 'phr' }), settings, principals).person).toMatchObject({
      amr: ['hwk', 'user'],
      acr: 'phr',
    });
    for (const wrong of [
      { amr: 'pwd' },
      { amr: [1] },
      { amr: ['a\n'] },
      { amr: Array(33).fill('x') },
      { acr: 1 },
      { acr: 'a\u001b' },
      { acr: 'a'.repeat(257) },
    ])
      expect(personOf(claims(wrong), settings, principals)).toHaveProperty('refused');
  });
});

it('nothing that a provider could claim breaks anything, and whoever gets in has a name that can be written down', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('email', 'email_verified', 'groups', 'amr', 'acr', '_claim_names', '__proto__'), fc.anything()),
      (said) => {
        const { person } = personOf(claims(said), open, principals);
        if (person !== undefined) expect(person.name).toMatch(/^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,127}$/u);
      },
    ),
  );
});
