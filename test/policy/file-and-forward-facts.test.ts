import { describe, expect, test } from 'vitest';
import { readFileFacts } from '../../gateway/policy/facts/file-facts.ts';
import { readForwardFacts } from '../../gateway/policy/facts/forward-facts.ts';
import { addressOfSource } from '../../gateway/policy/facts/plain-address.ts';

describe('a file', () => {
  const rows: [path: string, understood: string, opaque: boolean][] = [
    ['/etc/passwd', '/etc/passwd', false],
    ['//etc//passwd', '/etc/passwd', false],
    ['/etc/./passwd', '/etc/passwd', false],
    ['/etc/', '/etc', false],
    ['/', '/', false],
    ['/srv/app/../../etc/passwd', '/etc/passwd', true],
    ['/..', '/', true],
    ['etc/passwd', 'etc/passwd', true],
    ['./x', 'x', true],
    ['', '.', true],
    ['~/x', '~/x', true],
    ['/a\0b', '/a\0b', true],
    ['/a\u202eb', '/a\u202eb', true],
    ['/a\ufffd', '/a\ufffd', true],
    [`/${'x'.repeat(5000)}`, `/${'x'.repeat(4095)}`, true],
  ];

  test.each(rows)('%j', (path, understood, opaque) => {
    expect(readFileFacts({ operation: 'open', path })).toMatchObject({ path: understood, opaque });
    expect(readFileFacts({ operation: 'rename', path: '/a', to: path })).toMatchObject({ to: understood, opaque });
  });

  test('whose bytes are no text is opaque', () => {
    expect(readFileFacts({ operation: 'open', path: '/a', pathBytes: 'L2H/' })).toMatchObject({ opaque: true });
    expect(readFileFacts({ operation: 'rename', path: '/a', to: '/b', toBytes: 'L2L/' })).toMatchObject({ opaque: true });
  });

  test('that is not described is none', () => {
    for (const facts of [{}, { operation: 'open' }, { path: '/a' }, { operation: 1, path: '/a' }, { operation: 'open', path: ['/a'] }])
      expect(readFileFacts(facts)).toBeUndefined();
    expect(readFileFacts({ operation: 'rename', path: '/a', to: 1 })).toBeUndefined();
    expect(readFileFacts({ operation: 'open', path: '/a', flags: [1] })).toBeUndefined();
  });
});

describe('a forwarding', () => {
  const rows: [to: string, understood: object][] = [
    ['db.internal:5432', { host: 'db.internal', port: 5432, opaque: false }],
    ['DB.Internal.:5432', { host: 'db.internal', port: 5432, opaque: false }],
    ['10.0.0.1:22', { host: '10.0.0.1', address: '10.0.0.1', port: 22, opaque: false }],
    ['::1:22', { host: '::1', address: '::1', port: 22, opaque: false }],
    ['[::1]:22', { host: '::1', address: '::1', port: 22, opaque: false }],
    ['::ffff:127.0.0.1:22', { host: '127.0.0.1', address: '127.0.0.1', port: 22 }],
    ['127.1:22', { opaque: true }],
    ['2130706433:22', { opaque: true }],
    ['0x7f000001:22', { opaque: true }],
    ['0177.0.0.1:22', { opaque: true }],
    ['lo\u0441alhost:22', { opaque: true }],
    ['host with space:22', { opaque: true }],
    [':22', { host: '', opaque: true }],
    ['host:99999', { opaque: true }],
    ['/run/docker.sock', { host: '', port: 0, socket: '/run/docker.sock', opaque: false }],
    ['/run/a:22', { host: '', socket: '/run/a:22', opaque: false }],
    ['docker.sock', { socket: 'docker.sock', opaque: true }],
  ];

  test.each(rows)('to %j', (to, understood) => {
    expect(readForwardFacts({ direction: 'local', to })).toMatchObject({ direction: 'local', ...understood });
  });

  test('that listens everywhere is understood', () => {
    for (const listen of [':8080', '*:8080', 'localhost:8080'])
      expect(readForwardFacts({ direction: 'remote', listen })).toMatchObject({ direction: 'remote', port: 8080, opaque: false });
  });

  test('that is not described is none', () => {
    for (const facts of [{}, { direction: 'agent', to: 'a:1' }, { direction: 'local' }, { direction: 'local', to: 1 }, { to: 'a:1' }])
      expect(readForwardFacts(facts)).toBeUndefined();
  });
});

test('a client is known by its address', () => {
  expect(
    ['10.0.0.1:22', '[::1]:22', '::1:22', '[fe80::1%eth0]:22', '[::ffff:10.0.0.1]:22', '10.0.0.1', '::1'].map(addressOfSource),
  ).toEqual(['10.0.0.1', '::1', '::1', 'fe80::1', '10.0.0.1', '10.0.0.1', '::1']);
  for (const nobody of ['', 'gateway', 'host:22', '10.0.0.1:22:22']) expect(addressOfSource(nobody)).toBeUndefined();
});
