import { describe, expect, it } from 'vitest';
import { type Addressed, isServerSocket, jumpTarget, jumpTargets, tunnelledTarget } from '../../../gateway/protocol/ssh/jump-target.ts';

const target = (name: string, host: string, port = 22): Addressed => ({ name, kind: 'ssh', address: { host, port } });
const targets = [
  target('web-1', '10.0.0.5'),
  target('Build', 'build.example.com', 2222),
  target('six', '2001:db8::5', 22),
  target('local', '127.0.0.1', 2022),
  target('deploy-web', '10.0.0.5'),
  { name: 'shell', kind: 'shell' },
  { name: 'orders', kind: 'postgres', address: { host: '10.0.0.9', port: 22 } },
  { name: 'in-words', kind: 'ssh', address: '10.0.0.10:22' },
];

describe('where a jump leads', () => {
  it.each([
    ['10.0.0.5', 22, 'web-1'],
    ['web-1', 22, 'web-1'],
    ['web-1', 2222, 'web-1'],
    ['WEB-1', 22, 'web-1'],
    ['web-1.', 22, 'web-1'],
    ['build', 22, 'Build'],
    ['build.example.com', 2222, 'Build'],
    ['Build.Example.COM.', 2222, 'Build'],
    ['2001:db8::5', 22, 'six'],
    ['[2001:db8::5]', 22, 'six'],
    ['2001:0DB8:0:0:0:0:0:5', 22, 'six'],
    ['::ffff:10.0.0.5', 22, 'web-1'],
    ['[::ffff:a00:5]', 22, 'web-1'],
    ['0:0:0:0:0:ffff:0a00:0005', 22, 'web-1'],
    ['10.5', 22, 'web-1'],
    ['0x0a.0.0.5', 22, 'web-1'],
    ['0x0a000005', 22, 'web-1'],
    ['167772165', 22, 'web-1'],
    ['012.0.0.05', 22, 'web-1'],
    ['127.1', 2022, 'local'],
    ['0000000000012.0.0.5', 22, 'web-1'],
    ['0x00000000a000005', 22, 'web-1'],
    ['10.0.0.5 x', 22, 'web-1'],
    ['10.0.0.5\0.example.com', 22, 'web-1'],
    ['2001:db8::5%eth0', 22, 'six'],
    ['2001:db8::5%1', 22, 'six'],
  ])('%s port %i is %s', (host, port, name) => {
    expect(jumpTarget(host, port, targets)?.name).toBe(name);
  });

  it.each([
    ['10.0.0.5', 2222],
    ['build.example.com', 22],
    ['example.com', 2222],
    ['localhost', 2022],
    ['10.0.0.6', 22],
    ['10.0.0.5.', 23],
    ['10.0.0.0005x', 22],
    ['10.0.0.08', 22],
    ['10.0.0.5.0', 22],
    ['10.0.0.261', 22],
    ['10.0.65541', 22],
    ['fe80::5%eth0', 22],
    ['[', 22],
    ['', 22],
    ['.', 22],
    ['web-1..', 22],
    ['shell', 22],
    ['orders', 22],
    ['10.0.0.9', 22],
    ['__proto__', 22],
  ])('%s port %i is no target', (host, port) => {
    expect(jumpTarget(host, port, targets)).toBeUndefined();
  });

  it('gives every target of one host, and those that are called so first', () => {
    expect(jumpTargets('10.0.0.5', 22, targets).map(({ name }) => name)).toEqual(['web-1', 'deploy-web']);
    const confusing = [target('a', 'b'), target('B', '10.0.0.1'), target('b', '10.0.0.2')];
    expect(jumpTargets('b', 22, confusing).map(({ name }) => name)).toEqual(['b', 'B', 'a']);
  });

  const own = target('own', '10.0.0.7', 2222);
  const through = [...targets, own, target('neighbour', '10.0.0.7', 2223)];

  it.each([
    'localhost',
    'LOCALHOST.',
    'localhost.localdomain',
    'a.localhost',
    'ip6-localhost',
    '',
    '_outbound',
    '127.0.0.1',
    '127.8.9.10',
    '0177.1',
    '0.0.0.0',
    '0',
    '::1',
    '[::1]',
    '::1%7',
    '::',
    '::ffff:127.0.0.1',
    '0:0:0:0:0:ffff:0:0',
  ])('through a target, "%s" is that target', (host) => {
    const reached = (port: number) => tunnelledTarget(host, port, through, own)?.name;
    expect(reached(22)).toBe('own');
    expect(reached(2222)).toBe('own');
    expect(reached(65_536 + 22)).toBe('own');
    expect(reached(2223)).toBe('neighbour');
    expect(reached(5432)).toBeUndefined();
  });

  it('through a target leads to others by their names and addresses, and to no SSH server of ours otherwise', () => {
    expect(tunnelledTarget('10.0.0.5', 22, through, own)?.name).toBe('web-1');
    expect(tunnelledTarget('10.0.0.5', 8080, through, own)).toBeUndefined();
    expect(tunnelledTarget('128.0.0.1', 22, through, own)).toBeUndefined();
    expect(tunnelledTarget('::2', 22, through, own)).toBeUndefined();
    expect(tunnelledTarget('localhost', 22, [], { name: 'shell', kind: 'shell' })?.name).toBe('shell');
  });

  it.each([
    ['/run/ssh-unix-local/socket', true],
    ['/run//ssh-unix-local/./x/../socket', true],
    ['/var/run/ssh-unix-local/socket\0.sock', true],
    ['/run/host/unix-export/ssh', true],
    ['/run/postgresql/.s.PGSQL.5432', false],
    ['/srv/socket', false],
  ])('the socket %s is one of an SSH server: %s', (path, is) => {
    expect(isServerSocket(path)).toBe(is);
  });

  it('takes no time worth mentioning for a hostile name', () => {
    // Of the processor, not of the clock: others want it too.
    const begun = process.cpuUsage();
    for (const host of ['.'.repeat(255), '['.repeat(255), '0'.repeat(255), '1.'.repeat(127), ':'.repeat(255)])
      jumpTarget(host, 22, targets);
    const { user, system } = process.cpuUsage(begun);
    expect((user + system) / 1000).toBeLessThan(1000);
  });
});
