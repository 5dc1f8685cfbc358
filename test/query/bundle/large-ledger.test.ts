import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RecordDraft } from '../../../contract/record.ts';
import { systemClock } from '../../../gateway/base/clock.ts';
import { openEvidence } from '../../../gateway/evidence.ts';
import { KeptLog } from '../../recording/support.ts';
import { AgedData } from '../../retention/aged-data.ts';
import { sallyport } from '../../support/gateway.ts';
import { Belongings } from '../../support/temp.ts';
import { bareMachine, exported, filesBelow, runScript, unpacked } from './recorded-world.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const refusal: RecordDraft = {
  type: 'auth.refused',
  outcome: 'denied',
  actor: { principal: 'unknown', kind: 'unknown', source: '192.0.2.66:1' },
  target: { name: 'gateway-1', kind: 'gateway' },
  body: { protocol: 'ssh', method: 'publickey', user: 'nobody', reason: 'unknown key' },
};

async function refuse(data: AgedData, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 4096) {
    await Promise.all(Array.from({ length: Math.min(left, 4096) }, () => data.evidence.records.append(refusal)));
  }
}

describe('a bundle of a session in a large ledger', () => {
  it('has a few of its tiles, on three levels, and verifies; an older checkpoint can be compared', async () => {
    const data = await AgedData.open();
    await refuse(data, 65_536 + 300);
    const session = await data.session({ daysAgo: 1 });
    const { note } = await data.evidence.ledger.signed();
    const held = join(belongings.directory('held'), 'checkpoint');
    writeFileSync(held, note);
    await refuse(data, 700);
    await data.close();
    const bundle = await exported(belongings, data.directory, [session]);
    const bag = await unpacked(belongings, bundle);
    const tiles = filesBelow(join(bag, 'data/ledger/tile'));
    expect(tiles.length).toBeLessThan(12);
    expect(tiles).toContain('2/000.p/1');
    const script = await runScript(await bareMachine(belongings, 'sh', 'awk'), bag, ['--checkpoint', held]);
    expect(script.stdout.toString()).not.toContain('FAULT');
    expect(script.stdout.toString()).toMatch(/the first 658\d\d entries of this bundle's ledger are those that your checkpoint stands for/);
    expect(script.status).toBe(0);
    const verified = await sallyport(['verify', bundle]);
    expect(verified.status, verified.stdout.toString()).toBe(0);

    // One bit of a tile on the second level, by somebody who writes new manifests.
    const tile = join(bag, 'data/ledger/tile', tiles.find((name) => name.startsWith('1/')) ?? '');
    const bytes = readFileSync(tile);
    bytes[5] = (bytes[5] as number) ^ 1;
    writeFileSync(tile, bytes);
    const altered = await runScript(await bareMachine(belongings, 'sh', 'awk'), bag);
    expect(altered.stdout.toString()).toMatch(/does not add up to what stands above it|another root/);
    expect(altered.status).toBe(1);
  }, 240_000);
});

describe('a bundle after a change of keys', () => {
  it('is signed with the new key, and tells the history of both', async () => {
    const data = await AgedData.open();
    await data.session({ daysAgo: 2 });
    await data.close();
    const key = join(belongings.directory('keys'), 'new.key');
    writeFileSync(key, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const ledger = { key: { file: key }, 'former-key': { file: join(data.directory, 'keys/ledger.key') } };
    const config = join(belongings.directory('config'), 'gateway.yaml');
    writeFileSync(
      config,
      JSON.stringify({ gateway: { name: 'gateway-1', listen: { ssh: '127.0.0.1:0' }, data: data.directory }, targets: [], ledger }),
    );
    const evidence = await openEvidence(
      { gateway: { listen: {}, data: data.directory, name: 'gateway-1' }, ledger: { key: ledger.key, formerKey: ledger['former-key'] } },
      data.directory,
      { clock: systemClock, log: new KeptLog() },
    );
    await evidence.close();
    const bundle = join(belongings.directory('bundle'), 'bundle.zip');
    const made = await sallyport(['export', '--config', config, '-o', bundle]);
    expect(made.status, made.stderr).toBe(0);
    const bag = await unpacked(belongings, bundle);
    const history = JSON.parse(readFileSync(join(bag, 'data/keys/history.json'), 'utf8')) as {
      current: string;
      changes: { type: string; key: string }[];
    };
    expect(history.changes.map(({ type }) => type)).toEqual(['ledger.created', 'key.rotated']);
    expect(history.changes[1]?.key).toBe(history.current);
    expect(readFileSync(join(bag, 'data/keys/ledger.vkey'), 'utf8')).toBe(`${history.current}\n`);
    const script = await runScript(await bareMachine(belongings, 'sh', 'awk'), bag);
    expect(script.stdout.toString()).not.toContain('FAULT');
    expect(script.status).toBe(0);
    expect((await sallyport(['verify', bundle])).status).toBe(0);
  });
});
