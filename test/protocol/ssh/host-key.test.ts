import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, describe, expect, it } from 'vitest';
import { makeEd25519Key } from '../../../gateway/protocol/ssh/ed25519-key.ts';
import { loadOrMakeHostKey } from '../../../gateway/protocol/ssh/host-key.ts';
import { Belongings } from '../../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

describe('the host key', () => {
  it('is one, also for several starts at the same moment, and stays', async () => {
    const directory = belongings.directory('host-key');
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrMakeHostKey(directory)));
    expect(new Set(keys.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect(await loadOrMakeHostKey(directory)).toEqual(keys[0]);
    expect(readdirSync(join(directory, 'keys'))).toEqual(['ssh_host_ed25519_key']);
    expect(statSync(join(directory, 'keys', 'ssh_host_ed25519_key')).mode & 0o777).toBe(0o600);
  });

  it('that is none is said to be none, and is not replaced', async () => {
    const directory = belongings.directory('host-key');
    await loadOrMakeHostKey(directory);
    writeFileSync(join(directory, 'keys', 'ssh_host_ed25519_key'), 'nonsense');
    await expect(loadOrMakeHostKey(directory)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_INVALID' });
  });

  it('can always be read again: 2,000 fresh keys', () => {
    for (let count = 0; count < 2000; count += 1) expect(ssh2.utils.parseKey(makeEd25519Key('x').privateKey)).not.toBeInstanceOf(Error);
  });
});
