import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../gateway/base/clock.ts';
import { loadConfig } from '../../gateway/config.ts';
import { type Evidence, openEvidence } from '../../gateway/evidence.ts';
import { openNote, parseVerifierKey } from '../../gateway/ledger/signed-note.ts';
import { temporaryDirectory } from '../store/support.ts';
import { KeptLog, readLedger } from './support.ts';

const pem = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Opens what a configuration with this section `ledger` says, in a directory of the test. */
async function open(directory: string, section = '{}'): Promise<Evidence> {
  const file = join(directory, 'gateway.yaml');
  await writeFile(file, `gateway: { listen: { ssh: "127.0.0.1:0" }, data: ./data, name: bastion-1 }\nledger: ${section}\n`);
  const config = loadConfig(file);
  const evidence = await openEvidence(config, config.gateway.data, { clock: systemClock, log: new KeptLog() });
  onTestFinished(() => evidence.close());
  return evidence;
}

async function verifierKey(directory: string) {
  return parseVerifierKey(await readFile(join(directory, 'data/keys/ledger.pub'), 'utf8'));
}

describe('a data directory', () => {
  it('gets a key of its own, which nobody else may read, an origin, and a signed ledger', async () => {
    const directory = await temporaryDirectory();
    const evidence = await open(directory);
    const { origin } = evidence.ledger.head;
    expect(origin).toMatch(/^bastion-1\/[0-9a-f]{8}$/);
    expect((await stat(join(directory, 'data/keys/ledger.key'))).mode & 0o777).toBe(0o600);
    await readLedger(join(directory, 'data'), [await verifierKey(directory)]);
    await evidence.close();
    const again = await open(directory);
    expect(again.ledger.head.origin).toBe(origin);
    expect(await again.database.records.count()).toBe(1);
  });

  it('is signed so that openssl verifies it with keys/ledger.pem', async () => {
    const directory = await temporaryDirectory();
    await (await open(directory)).close();
    const script = `
      sed '/^$/,$d' ledger/checkpoint > ../text
      sed -n 's/^— [^ ]* //p' ledger/checkpoint | head -n 1 | openssl base64 -d -A | tail -c +5 > ../signature
      openssl pkeyutl -verify -pubin -inkey keys/ledger.pem -rawin -in ../text -sigfile ../signature`;
    expect(execFileSync('sh', ['-c', script], { cwd: join(directory, 'data'), encoding: 'utf8' })).toContain('Verified Successfully');
  });

  it('does not get another key in place of one that is gone', async () => {
    const directory = await temporaryDirectory();
    await (await open(directory)).close();
    await rm(join(directory, 'data/keys/ledger.key'));
    await expect(open(directory)).rejects.toMatchObject({ code: 'LEDGER_KEY_INVALID', message: expect.stringContaining('is missing') });
    const evidence = await open(directory, '{ former-key: lost }');
    await readLedger(join(directory, 'data'), [await verifierKey(directory)]);
    expect(await evidence.database.records.keyChanges()).toMatchObject([{ type: 'ledger.created' }, { type: 'key.rotated', index: 1 }]);
  });

  it('takes a key from a file or a variable, and keeps its public side at hand', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'one.key'), pem(), { mode: 0o600 });
    const evidence = await open(directory, '{ origin: example.com/log, key: { file: one.key } }');
    expect(evidence.ledger.head.origin).toBe('example.com/log');
    const key = await verifierKey(directory);
    expect(openNote(evidence.ledger.head.note, [key]).signedBy).toEqual([key]);
    await expect(stat(join(directory, 'data/keys/ledger.key'))).rejects.toThrow('ENOENT');
    await evidence.close();
    process.env.SALLYPORT_TEST_LEDGER_KEY = await readFile(join(directory, 'one.key'), 'utf8');
    onTestFinished(() => {
      delete process.env.SALLYPORT_TEST_LEDGER_KEY;
    });
    const again = await open(directory, '{ key: { env: SALLYPORT_TEST_LEDGER_KEY } }');
    expect(again.ledger.key.id).toBe(key.id);
  });

  it('passes from the key it made to the next one that it makes', async () => {
    const directory = await temporaryDirectory();
    await (await open(directory)).close();
    const before = await verifierKey(directory);
    await rename(join(directory, 'data/keys/ledger.key'), join(directory, 'old.key'));
    const evidence = await open(directory, '{ former-key: { file: old.key } }');
    const after = await verifierKey(directory);
    expect(after.id).not.toBe(before.id);
    expect(openNote(evidence.ledger.head.note, [before, after]).signedBy).toHaveLength(2);
    expect(await evidence.database.records.keyChanges()).toHaveLength(2);
  });

  it('is let go of again when its ledger cannot be opened', async () => {
    const directory = await temporaryDirectory();
    await (await open(directory)).close();
    const checkpoint = join(directory, 'data/ledger/checkpoint');
    await rename(checkpoint, `${checkpoint}.away`);
    await expect(open(directory)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
    await rename(`${checkpoint}.away`, checkpoint);
    expect((await open(directory)).ledger.head.size).toBe(1);
  });
});
