import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { describe, expect, it } from 'vitest';
import { MAX_RECORD_BYTES, type RecordDraft, recordSchema } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { type RecordStore, Records, type SealedRecord } from '../../gateway/ledger/records.ts';
import { draft, newSession } from '../store/support.ts';

/** A disk whose every write is finished, or fails, when the test says so. */
class HeldStore implements RecordStore {
  readonly groups: { records: readonly SealedRecord[]; resolve: () => void; reject: (error: Error) => void }[] = [];
  #next = 0;
  append(records: readonly SealedRecord[]): Promise<number> {
    const resolveWith = (resolve: (first: number) => void) => () => {
      this.#next += records.length;
      resolve(this.#next - records.length);
    };
    return new Promise((resolve, reject) => this.groups.push({ records, resolve: resolveWith(resolve), reject }));
  }
}

/** Lets everything that waits for a settled promise go on. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function recordsOn(store: RecordStore): Records {
  return new Records(store, systemClock, 'gateway-1');
}

function refused(user: string): RecordDraft<'auth.refused'> {
  return {
    type: 'auth.refused',
    outcome: 'denied',
    actor: { principal: 'unknown', kind: 'unknown', source: '192.0.2.1:4' },
    target: { name: 'gateway', kind: 'gateway' },
    body: { protocol: 'ssh', method: 'publickey', user, reason: 'unknown key' },
  };
}

function command(text: string): RecordDraft<'channel.open'> {
  return draft.channelOpen(newSession(), 0, 'exec', { command: text });
}

describe('Records', () => {
  it('stores the canonical JSON of a whole valid record and its SHA-256', async () => {
    const store = new HeldStore();
    const appended = recordsOn(store).append(draft.sessionOpen(newSession()));
    store.groups[0]?.resolve();
    const { record, bytes, hash } = await appended;
    expect(recordSchema('session.open').parse(JSON.parse(Buffer.from(bytes).toString()))).toEqual(record);
    expect(Buffer.from(bytes).toString()).toBe(canonicalize(record));
    expect(Buffer.from(hash)).toEqual(createHash('sha256').update(bytes).digest());
  });

  it('writes what arrives while a group is on its way as the next group, in the order of the calls', async () => {
    const store = new HeldStore();
    const records = recordsOn(store);
    const users = Array.from({ length: 2500 }, (_, index) => `user-${index}`);
    const appended = users.map((user) => records.append(refused(user)));
    expect(records.pending).toBe(2500);
    for (let group = 0; group < store.groups.length; group += 1) {
      store.groups[group]?.resolve();
      await settle();
    }
    const stored = await Promise.all(appended);
    expect(store.groups.map(({ records: group }) => group.length)).toEqual([1, 1024, 1024, 451]);
    expect(store.groups.flatMap(({ records: group }) => group)).toEqual(stored.map(({ record, bytes, hash }) => ({ record, bytes, hash })));
    expect(stored.map(({ index }) => index)).toEqual(users.map((_, index) => index));
    expect(stored.map(({ record }) => (record.type === 'auth.refused' ? record.body.user : ''))).toEqual(users);
    expect(records.pending).toBe(0);
  });

  it('writes records that belong together in one group, wherever the border of a group would be', async () => {
    const store = new HeldStore();
    const records = recordsOn(store);
    const first = records.append(refused('on its way'));
    const before = Array.from({ length: 1020 }, (_, index) => records.append(refused(`before-${index}`)));
    const together = records.appendTogether(Array.from({ length: 10 }, (_, index) => refused(`together-${index}`)));
    for (let group = 0; group < store.groups.length; group += 1) {
      store.groups[group]?.resolve();
      await settle();
    }
    await Promise.all([first, ...before]);
    expect(store.groups.map((group) => group.records.length)).toEqual([1, 1020, 10]);
    expect((await together).map(({ index }) => index)).toEqual(Array.from({ length: 10 }, (_, index) => 1021 + index));
  });

  it('writes none of the records that belong together when one of them is not valid', async () => {
    const store = new HeldStore();
    const wrong = { ...refused('b'), outcome: 'perhaps' } as unknown as RecordDraft;
    await expect(recordsOn(store).appendTogether([refused('a'), wrong])).rejects.toMatchObject({ code: 'LEDGER_FAILED' });
    expect(store.groups).toHaveLength(0);
  });

  it('gives every record an id and a nonce of its own', async () => {
    const store: RecordStore = { append: async () => 0 };
    const records = recordsOn(store);
    const stored = await Promise.all(Array.from({ length: 3000 }, () => records.append(refused('x'))));
    expect(new Set(stored.map(({ record }) => record.nonce)).size).toBe(3000);
    expect(new Set(stored.map(({ record }) => record.id)).size).toBe(3000);
  });

  it('is not resolved before its own group is durable', async () => {
    const store = new HeldStore();
    const records = recordsOn(store);
    const done: string[] = [];
    const first = records.append(refused('first')).then(() => done.push('first'));
    const second = records.append(refused('second')).then(() => done.push('second'));
    store.groups[0]?.resolve();
    await first;
    await settle();
    expect(done).toEqual(['first']);
    store.groups[1]?.resolve();
    await second;
    expect(done).toEqual(['first', 'second']);
  });

  it('rejects the records of a group that could not be written with LEDGER_FAILED, and takes later ones again', async () => {
    const store = new HeldStore();
    const records = recordsOn(store);
    const first = records.append(refused('a'));
    const later = records.append(refused('b'));
    store.groups[0]?.reject(new Error('SQLITE_FULL: database or disk is full'));
    await expect(first).rejects.toMatchObject({ code: 'LEDGER_FAILED', message: expect.stringContaining('SQLITE_FULL') });
    store.groups[1]?.resolve();
    await expect(later).resolves.toBeDefined();
  });

  it('refuses a draft that the schema refuses, and names the member', async () => {
    const records = recordsOn(new HeldStore());
    const wrong = { ...refused('x'), body: { ...refused('x').body, password: 'hunter2' } } as RecordDraft;
    await expect(records.append(wrong)).rejects.toMatchObject({ code: 'LEDGER_FAILED', message: expect.stringContaining('password') });
    expect(records.pending).toBe(0);
  });

  it('takes no more when 65,536 wait: it does not grow with a disk that stands still', async () => {
    const store = new HeldStore();
    const records = recordsOn(store);
    const waiting = Array.from({ length: 65_537 }, () => records.append(refused('x')));
    await expect(records.append(refused('one too many'))).rejects.toMatchObject({ code: 'LEDGER_FAILED' });
    for (const { reject } of store.groups) reject(new Error('the end'));
    await expect(waiting[0]).rejects.toMatchObject({ code: 'LEDGER_FAILED' });
    for (let group = 1; records.pending > 0; group += 1) {
      store.groups[group]?.resolve();
      await settle();
    }
    await expect(Promise.all(waiting.slice(1))).resolves.toHaveLength(65_536);
  });

  it('flushes when nothing is pending any more, also after a failure', async () => {
    const store = new HeldStore();
    const records = recordsOn(store);
    await records.flush();
    const failing = records.append(refused('x'));
    let flushed = false;
    const flush = records.flush().then(() => (flushed = true));
    await settle();
    expect(flushed).toBe(false);
    store.groups[0]?.reject(new Error('no'));
    await expect(failing).rejects.toBeDefined();
    await flush;
  });
});

describe('a record that is too long', () => {
  async function stored(record: RecordDraft): Promise<{ text: string; length: number }> {
    const store = new HeldStore();
    const appended = recordsOn(store).append(record);
    store.groups[0]?.resolve();
    const { record: kept, bytes } = await appended;
    const text = Buffer.from(bytes).toString();
    expect(recordSchema(record.type).safeParse(JSON.parse(text)).error).toBeUndefined();
    expect(text).toBe(canonicalize(kept));
    return { text, length: bytes.length };
  }

  it('keeps the beginning of a long string with its full length and SHA-256', async () => {
    const long = `rm -rf ${'é'.repeat(100_000)}`;
    const { text, length } = await stored(command(long));
    const sha256 = createHash('sha256').update(long).digest('hex');
    expect(length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    expect(text).toContain('rm -rf é');
    expect(text).toContain(`…[shortened: ${long.length} characters, sha256 ${sha256}]`);
  });

  it('is left alone at exactly the limit', async () => {
    const { length: overhead } = await stored(command(''));
    const { text, length } = await stored(command('x'.repeat(MAX_RECORD_BYTES - overhead)));
    expect(length).toBe(MAX_RECORD_BYTES);
    expect(text).not.toContain('shortened');
  });

  it('keeps the shape of a list, however long', async () => {
    const listeners = Array.from({ length: 9000 }, (_, index) => `ssh 127.0.0.1:${index}`);
    const { text, length } = await stored({
      type: 'gateway.start',
      outcome: 'success',
      actor: { principal: 'gateway', kind: 'gateway', source: 'gateway-1' },
      target: { name: 'gateway', kind: 'gateway' },
      body: { version: '1', runtime: 'node', crypto: 'native', configuration: '0'.repeat(64), listeners },
    });
    expect(length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    expect(text).toContain('…[shortened: 9000 elements, sha256 ');
  });

  it('replaces free-form facts whole when they are many and not long', async () => {
    const facts = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`name-${index}`, index]));
    const { text, length } = await stored(draft.channelOpen(newSession(), 0, 'exec', facts));
    expect(length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    expect(text).toMatch(/"detail":\{"shortened":"\d+ bytes of canonical JSON, sha256 [0-9a-f]{64}"\}/);
  });

  it('is shortened where a hostile client chose the string: its user name', async () => {
    const { length } = await stored(refused('\u0000'.repeat(60_000)));
    expect(length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
  });

  it('is written with U+FFFD where a string holds half a surrogate pair', async () => {
    const { text } = await stored(command('a\ud800b'));
    expect(text).toContain('a\ufffdb');
  });
});
