import { describe, expect, it } from 'vitest';
import { type Addressed, jumpTarget, jumpTargets } from '../../../gateway/protocol/ssh/jump-target.ts';

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
    ['2001:db8::5%eth0', 22],
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

  it('takes no time worth mentioning for a hostile name', () => {
    const begun = performance.now();
    for (const host of ['.'.repeat(255), '['.repeat(255), '0'.repeat(255), '1.'.repeat(127), ':'.repeat(255)])
      jumpTarget(host, 22, targets);
    expect(performance.now() - begun).toBeLessThan(100);
  });
});
