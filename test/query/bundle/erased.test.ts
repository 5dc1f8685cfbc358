import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exportBundle } from '../../../gateway/query/bundle/export-bundle.ts';
import { Database } from '../../../gateway/store/database.ts';
import { AgedData } from '../../retention/aged-data.ts';
import { sallyport } from '../../support/gateway.ts';
import { run } from '../../support/run.ts';
import { Belongings } from '../../support/temp.ts';
import { bareMachine, exported, filesBelow, runScript, unpacked } from './recorded-world.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

/** One session that is to be forgotten, refusals of the same time, and a session that stays. */
async function agedData(): Promise<{ aged: AgedData; old: string; young: string }> {
  const aged = await AgedData.open();
  const old = await aged.session({ daysAgo: 500, principal: 'old-bot', output: 'a thing to forget\n', command: 'forget me' });
  await aged.refusals('refused-long-ago', 500);
  const young = await aged.session({ daysAgo: 10, principal: 'young-bot', output: 'a thing to keep\n' });
  return { aged, old, young };
}

describe('a bundle after an erasure', () => {
  it('97 verifies, shows that something was erased, and has nothing of it', async () => {
    const { aged, old, young } = await agedData();
    await aged.run();
    await aged.close();
    const bundle = await exported(belongings, aged.directory);
    const bag = await unpacked(belongings, bundle);
    const read = (file: string) => readFile(join(bag, file), 'utf8');

    expect((await read('data/ledger/erased.txt')).split('\n').length - 1).toBeGreaterThan(5);
    const population = await read('data/population.csv');
    expect(population).toMatch(new RegExp(`^${old},yes,erased,`, 'm'));
    expect(population).toMatch(new RegExp(`^${young},yes,closed,`, 'm'));
    const query = await read('data/query.json');
    expect(query).toContain('1 session was erased before: the ledger still proves that it was there.');
    expect(JSON.parse(query)).toMatchObject({
      completeness: { elsewhere: 0, sessions: 2, leftOut: [{ session: old, reason: expect.stringMatching(/^erased/) as string }] },
    });
    for (const words of ['a thing to forget', 'forget me', 'old-bot', 'refused-long-ago']) {
      const found = await run('grep', ['-rl', words, bag]);
      expect(found.stdout.toString(), words).toBe('');
    }
    expect(filesBelow(bag).filter((file) => file.includes(old))).toEqual([`data/ledger/proofs/${old}.tlog-proof`]);

    const script = await runScript(await bareMachine(belongings, 'sh', 'awk'), bag);
    expect(script.stdout.toString()).not.toContain('FAULT');
    expect(script.stdout.toString()).toMatch(/of \d+ records only that hash is left/);
    expect(script.stdout.toString()).toContain('1 sessions were erased');
    expect(script.status).toBe(0);
    const verified = await sallyport(['verify', bundle]);
    expect(verified.status, verified.stdout.toString()).toBe(0);
  });

  it('is not made when the erasure happens while it is written', async () => {
    const { aged } = await agedData();
    const { note } = await aged.evidence.ledger.signed();
    const database = await Database.openForReading(aged.directory);
    const file = await open(join(belongings.directory('half'), 'bundle.zip'), 'w');
    const exporting = exportBundle(database, file, {
      question: { words: 'All sessions', parameters: {}, sessions: [], filter: {}, leaveOut: [] },
      gateway: { name: 'gateway-1', version: '0' },
      created: '2026-03-01T00:00:00.000000Z',
      checkpoint: note,
      attest: async (tagManifest, question) => {
        await aged.run();
        const gateway = { name: 'gateway-1', version: '0' };
        return aged.evidence.ledger.attest({ tagManifest, question, checkpoint: note, gateway, time: '2026-03-01T00:00:00.000000Z' });
      },
      unrecorded: undefined,
      progress: () => undefined,
      signal: new AbortController().signal,
    });
    await expect(exporting).rejects.toThrow('Records were erased while the bundle was written');
    await file.close();
    await database.close();
  });
});
