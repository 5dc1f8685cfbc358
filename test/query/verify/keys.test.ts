import { generateKeyPairSync } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sallyport, startGateway } from '../../support/gateway.ts';
import { Belongings } from '../../support/temp.ts';
import { copyOf, flip, sql, verify } from './evidence.ts';

const belongings = new Belongings();
/** A data directory whose ledger changed its key, with what somebody kept from before. */
let data: string;
let before: { checkpoint: string; vkey: string; pem: string };
beforeAll(async () => {
  const directory = belongings.directory('keys');
  const next = join(directory, 'next.pem');
  writeFileSync(next, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const first = await startGateway(belongings, { configuration: { gateway: { name: 'keys' } } });
  await first.stop();
  data = first.data;
  before = { checkpoint: join(directory, 'checkpoint'), vkey: join(directory, 'ledger.pub'), pem: join(directory, 'ledger.pem') };
  cpSync(join(data, 'ledger', 'checkpoint'), before.checkpoint);
  cpSync(join(data, 'keys', 'ledger.pub'), before.vkey);
  cpSync(join(data, 'keys', 'ledger.pem'), before.pem);
  const former = join(directory, 'former.pem');
  cpSync(join(data, 'keys', 'ledger.key'), former);
  const second = await startGateway(belongings, {
    data,
    configuration: { gateway: { name: 'keys' }, ledger: { key: { file: next }, 'former-key': { file: former } } },
  });
  await second.stop();
}, 180_000);
afterAll(() => belongings.release());

describe('a ledger whose key was changed', () => {
  it('verifies with the new key, and says that it was changed and how', async () => {
    const { faults, findings, outcome } = await verify(data, { checkpoint: before.checkpoint });
    expect(faults).toEqual([]);
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'key', words: expect.stringContaining('the former key signs the next checkpoint too') as string }),
    );
    // The checkpoint kept outside carries the signature of the former key.
    expect(outcome.compared?.continued).toBe(true);
  });

  it('verified with the former key does not: that key signs no more', async () => {
    const { faults } = await verify(data, { key: before.vkey });
    expect(faults.map(({ code }) => code).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['forged', 'inconsistent']);
  });

  it('takes a key in either form', async () => {
    for (const key of ['ledger.pub', 'ledger.pem']) {
      const { faults, outcome } = await verify(data, { key: join(data, 'keys', key) });
      expect(faults).toEqual([]);
      expect(outcome.key?.source).toBe('given');
    }
  });

  it('whose endorsement was edited is told', async () => {
    const copy = copyOf(belongings, data);
    const [name = ''] = readdirSync(join(copy, 'ledger', 'endorsed'));
    const path = join(copy, 'ledger', 'endorsed', name);
    const bytes = readFileSync(path);
    for (const at of [2, bytes.indexOf('\n') + 1, bytes.length - 10]) {
      writeFileSync(path, flip(bytes, at));
      const { faults } = await verify(copy);
      expect(faults.length).toBeGreaterThan(0);
      expect(faults.every(({ where }) => where.file === `ledger/endorsed/${name}`)).toBe(true);
    }
    // One signature of the two taken away.
    writeFileSync(path, bytes.toString().split('\n').slice(0, -2).concat('').join('\n'));
    expect((await verify(copy)).faults).toEqual([expect.objectContaining({ code: 'unsigned' })]);
  });

  it('whose record of the change is gone is told', async () => {
    const copy = copyOf(belongings, data);
    await sql(copy, "DELETE FROM records WHERE type = 'key.rotated'");
    const codes = (await verify(copy)).faults.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['missing', 'inconsistent']));
  });
});

describe('what an auditor gives', () => {
  it('that is no key and no checkpoint is misuse, with the reason', async () => {
    const nothing = join(belongings.directory('given'), 'file');
    writeFileSync(nothing, 'nothing\n');
    for (const words of [
      ['--key', nothing],
      ['--checkpoint', nothing],
      ['--key', '/nowhere/at/all'],
      ['--checkpoint', before.vkey],
    ]) {
      const done = await sallyport(['verify', '--data', data, ...words]);
      expect(done.status, done.stdout.toString()).toBe(2);
      expect(done.stderr).toContain(words[1] ?? '');
    }
  });

  it('a checkpoint that the key never signed counts for nothing, and that is a fault', async () => {
    const forged = join(belongings.directory('given'), 'checkpoint');
    const note = readFileSync(before.checkpoint, 'utf8');
    writeFileSync(
      forged,
      note.replace(/\n(\d+)\n/, (_, size: string) => `\n${Number(size) - 1}\n`),
    );
    const { faults, outcome } = await verify(data, { checkpoint: forged });
    expect(faults.map(({ code }) => code)).toContain('forged');
    expect(outcome.compared?.continued).toBe(false);
  });

  it('a checkpoint of another ledger is told as that', async () => {
    const other = await startGateway(belongings, { configuration: { gateway: { name: 'other' } } });
    await other.stop();
    const { faults, outcome } = await verify(data, { checkpoint: join(other.data, 'ledger', 'checkpoint') });
    expect(faults).toContainEqual(expect.objectContaining({ words: expect.stringContaining('is of the ledger other/') as string }));
    expect(outcome.compared?.continued).toBe(false);
  });
});
