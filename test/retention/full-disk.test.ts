import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sallyport } from '../commands/run-cli.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { Belongings } from '../support/temp.ts';
import { AgedData, faultsIn } from './aged-data.ts';

const MIB = 1024 * 1024;

async function fullOfSessions() {
  const belongings = new Belongings();
  onTestFinished(() => belongings.release());
  const disk = await mountSmallDisk(belongings, 24 * MIB);
  const directory = join(disk.path, 'data');
  const data = await AgedData.open({ directory, releaseReserve: () => rmSync(join(directory, 'reserve'), { force: true }) });
  // Bytes that do not compress.
  const noise = () => randomBytes(2 * MIB);
  const sessions = [await data.session({ binary: noise() }), await data.session({ binary: noise() })];
  // As large as a gateway with a real disk keeps it.
  writeFileSync(join(directory, 'reserve'), Buffer.alloc(MIB, 1));
  return { belongings, disk, directory, data, sessions };
}

// Mounting needs root, as CI has it.
describe.skipIf(process.getuid?.() !== 0)('on a full disk', () => {
  it('a run gives space back: it begins with what is kept for when there is no other', async () => {
    const { disk, data, sessions } = await fullOfSessions();
    disk.fillToTheBrim();
    expect(disk.free()).toBeLessThan(4096);
    const { expired, bytes } = await data.run();
    expect(expired.map(({ session }) => session)).toEqual(sessions);
    expect(bytes).toBeGreaterThan(3 * MIB);
    expect(disk.free()).toBeGreaterThan(3 * MIB);
    expect(data.log.lines.map(({ message }) => message).join()).toContain('the reserve is released');
    expect(await data.faults()).toEqual([]);
  });

  it('an administrator gives space back without a gateway', async () => {
    const { belongings, disk, directory, data } = await fullOfSessions();
    await data.close();
    const config = join(belongings.directory('config'), 'gateway.yaml');
    writeFileSync(config, JSON.stringify({ gateway: { listen: { ssh: '127.0.0.1:0' }, data: directory, name: 'gateway-1' } }));
    disk.fillToTheBrim();
    const shown = await sallyport('retention', 'show', '--config', config);
    expect(shown.stdout).toMatch(/web-1 +400 days +2 +2 /);
    const done = await sallyport('retention', 'run', '--config', config, '--yes');
    expect(done.stderr).not.toContain('sallyport:');
    expect(done.stdout).toContain('2 sessions expired');
    expect(disk.free()).toBeGreaterThan(3 * MIB);
    disk.empty();
    expect(await faultsIn(directory)).toEqual([]);
  });
});
