import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { KnownGateways } from '../../electron/keep/known-gateways.ts';
import { LogIns } from '../../electron/keep/log-ins.ts';
import { Secrets } from '../../electron/keep/secrets.ts';
import { defaultSettings, openSettings } from '../../electron/keep/settings.ts';
import { SigningKey } from '../../electron/keep/signing-key.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { memorySafeStorage } from './test-desk.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

let folder: string;
let told: string[];
const tell = (what: string): void => void told.push(what);
beforeEach(() => {
  folder = belongings.directory('kept');
  told = [];
});

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('the signing key', () => {
  const open = (storage = memorySafeStorage(), allowed = false) =>
    new SigningKey(join(folder, 'deeper', 'signing-key'), new Secrets(storage, () => allowed));

  it('is kept sealed, for its owner alone, and signs after the next start what ssh-keygen takes', async () => {
    const storage = memorySafeStorage();
    expect(await open(storage).info()).toBeUndefined();
    const made = await open(storage).create();
    const path = join(folder, 'deeper', 'signing-key');
    expect(modeOf(path)).toBe(0o600);
    expect(readFileSync(path, 'latin1')).not.toContain('PRIVATE KEY');
    expect(readdirSync(join(folder, 'deeper'))).toEqual(['signing-key']);

    const again = open(storage);
    expect(await again.info()).toEqual(made);
    const { key, signature } = await again.sign('a text', 'sallyport-approval');
    writeFileSync(join(folder, 'signers'), `ada ${key}\n`);
    writeFileSync(join(folder, 'sig'), signature);
    const verify = ['-Y', 'verify', '-f', join(folder, 'signers'), '-I', 'ada', '-n', 'sallyport-approval', '-s', join(folder, 'sig')];
    expect(await run('ssh-keygen', verify, { input: 'a text' })).toMatchObject({ status: 0 });
  });

  it('is made once, however often it is asked for at once', async () => {
    const key = open();
    const made = await Promise.all(Array.from({ length: 5 }, () => key.create()));
    expect(new Set(made.map(({ line }) => line)).size).toBe(1);
  });

  it('is not made where the key store is only for show, unless the person wants it so', async () => {
    const refused = open(memorySafeStorage('basic_text'));
    await expect(refused.create()).rejects.toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' });
    expect(existsSync(join(folder, 'deeper', 'signing-key'))).toBe(false);
    await expect(open(memorySafeStorage('basic_text'), true).create()).resolves.toMatchObject({
      line: expect.stringMatching(/^ssh-ed25519 /),
    });
  });

  it('cannot be opened with another key store, and is not replaced by one that is made meanwhile', async () => {
    await open().create();
    const path = join(folder, 'deeper', 'signing-key');
    const before = readFileSync(path);
    const other = open(memorySafeStorage());
    await expect(other.sign('a text', 'sallyport-approval')).rejects.toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' });
    await expect(other.create()).rejects.toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' });
    expect(readFileSync(path)).toEqual(before);
    await other.forget();
    await other.create();
  });

  it('signs nothing once it is forgotten', async () => {
    const key = open();
    await key.create();
    await key.forget();
    await expect(key.sign('a text', 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('log-ins', () => {
  const ID = '0198c2c0-0000-4000-8000-000000000001';
  const logIn = { token: 'sp_secret', operator: 'ada', roles: ['reviewer'], expires: '2026-03-01T12:00:00.000Z' };
  const noon = Date.parse(logIn.expires);
  const open = (storage: ReturnType<typeof memorySafeStorage>, now: number) =>
    LogIns.open(join(folder, 'log-ins'), new Secrets(storage, () => false), () => now, tell);

  it('are there after the next start, sealed, until they run out', async () => {
    const storage = memorySafeStorage();
    await (await open(storage, noon - 1)).keep(ID, logIn);
    expect(readFileSync(join(folder, 'log-ins'), 'latin1')).not.toContain('secret');
    expect(modeOf(join(folder, 'log-ins'))).toBe(0o600);
    expect((await open(storage, noon - 1)).of(ID)).toEqual(logIn);
    expect((await open(storage, noon)).of(ID)).toBeUndefined();
  });

  it('end with the app where the key store cannot be used', async () => {
    const storage = memorySafeStorage('basic_text');
    const logIns = await open(storage, noon - 1);
    await logIns.keep(ID, logIn);
    expect(logIns.of(ID)).toEqual(logIn);
    expect(existsSync(join(folder, 'log-ins'))).toBe(false);
  });

  it('that cannot be opened are over, and that is said', async () => {
    await (await open(memorySafeStorage(), noon - 1)).keep(ID, logIn);
    expect((await open(memorySafeStorage(), noon - 1)).of(ID)).toBeUndefined();
    expect(told).toHaveLength(1);
  });

  it('that were ended leave nothing on the disk', async () => {
    const logIns = await open(memorySafeStorage(), noon - 1);
    await logIns.keep(ID, logIn);
    await logIns.drop(ID);
    expect(existsSync(join(folder, 'log-ins'))).toBe(false);
  });
});

describe('settings', () => {
  it('are kept, and the last of many changes stays', async () => {
    const path = join(folder, 'settings.json');
    const settings = await openSettings(path, tell);
    expect(settings.value).toEqual(defaultSettings);
    await Promise.all((['light', 'dark', 'light', 'dark'] as const).map((theme) => settings.set({ ...settings.value, theme })));
    expect((await openSettings(path, tell)).value).toEqual({ ...defaultSettings, theme: 'dark' });
    expect(readdirSync(folder)).toEqual(['settings.json']);
  });

  it.each([
    ['half of it is missing', '{"theme":"da'],
    ['a member is of another kind', JSON.stringify({ ...defaultSettings, confirmSignatures: 'no' })],
    ['there is a member that nobody knows', JSON.stringify({ ...defaultSettings, remote: true })],
    ['it is empty', ''],
    ['it is no text', Buffer.from([0xff, 0xfe, 0])],
  ])('are as at the first start, and that is said, when %s', async (_how, content) => {
    const path = join(folder, 'settings.json');
    writeFileSync(path, content);
    expect((await openSettings(path, tell)).value).toEqual(defaultSettings);
    expect(told).toEqual([expect.stringContaining('settings.json.damaged')]);
    expect(existsSync(`${path}.damaged`)).toBe(true);
  });

  it('that cannot be written are told of as such', async () => {
    const settings = await openSettings(join(folder, 'file', 'settings.json'), tell);
    writeFileSync(join(folder, 'file'), '');
    await expect(settings.set(defaultSettings)).rejects.toMatchObject({ code: 'FILE_FAILED' });
  });

  it('too large to be ours are not read', async () => {
    const path = join(folder, 'settings.json');
    writeFileSync(path, Buffer.alloc(5 * 1024 * 1024));
    chmodSync(path, 0o600);
    await expect(openSettings(path, tell)).rejects.toMatchObject({ code: 'FILE_FAILED' });
  });
});

describe('gateways', () => {
  const one = { origin: 'https://one.example:7443', fingerprint: Array(32).fill('AA').join(':'), name: 'one' };
  const two = { origin: 'https://two.example:7443', fingerprint: Array(32).fill('BB').join(':'), name: 'two' };

  it('are kept with the one in use', async () => {
    const path = join(folder, 'gateways.json');
    const known = await KnownGateways.open(path, tell);
    const first = await known.trust(one);
    const second = await known.trust(two);
    expect(known.current()).toEqual(first);
    await known.use(second.id);
    const again = await KnownGateways.open(path, tell);
    expect([again.all(), again.current()]).toEqual([[first, second], second]);
    await again.remove(second.id);
    expect(again.current()).toBeUndefined();
  });

  it('with another certificate are others, and the log-in of the one before is not theirs', async () => {
    const known = await KnownGateways.open(join(folder, 'gateways.json'), tell);
    const before = await known.trust(one);
    expect((await known.trust({ ...one, name: 'renamed' })).id).toBe(before.id);
    const after = await known.trust({ ...one, fingerprint: two.fingerprint });
    expect(after.id).not.toBe(before.id);
    expect([known.all().length, known.current()?.id]).toEqual([1, after.id]);
  });

  it('do not pass for one another: a ledger belongs to one of them, and to the same for ever', async () => {
    const known = await KnownGateways.open(join(folder, 'gateways.json'), tell);
    const [first, second] = [await known.trust(one), await known.trust(two)];
    await known.learnLedger(first.id, 'one.example/log');
    await known.learnLedger(first.id, 'one.example/log');
    await expect(known.learnLedger(second.id, 'one.example/log')).rejects.toMatchObject({ code: 'GATEWAY_MISMATCH' });
    await expect(known.learnLedger(first.id, 'two.example/log')).rejects.toMatchObject({ code: 'GATEWAY_MISMATCH' });
  });
});
