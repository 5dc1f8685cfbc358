import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import type { Principal } from '../../gateway/identity/principal.ts';
import { parseSshPublicKey } from '../../gateway/identity/ssh-public-key.ts';
import { ERASE_NAMESPACE, prepareRequest } from '../../gateway/retention/erase-request.ts';
import { selectForErasure } from '../../gateway/retention/select-for-erasure.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { recordsOf } from '../support/records.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { AgedData, asking, filesWith, snapshot } from './aged-data.ts';

const belongings = new Belongings();
const directory = belongings.directory('erase-request');
afterAll(() => belongings.release());

const names = ['alice', 'alice-2', 'bob', 'disabled', 'reviewer', 'agent', 'stranger'] as const;
const keys = {} as Record<(typeof names)[number], KeyPair>;

beforeAll(async () => {
  for (const name of names) keys[name] = await makeKey(directory, name, name === 'bob' ? 'ecdsa' : 'ed25519');
});

function principal(name: string, own: readonly KeyPair[], change: Partial<Principal> = {}): Principal {
  const sshKeys = own.map(({ publicLine }) => {
    const parsed = parseSshPublicKey(publicLine);
    if ('fault' in parsed) throw new Error(parsed.fault);
    return parsed.key;
  });
  return { name, kind: 'human', groups: [], sshKeys, operator: ['admin'], disabled: false, ...change };
}

function principals(): Map<string, Principal> {
  const all = [
    principal('alice@example.com', [keys.alice, keys['alice-2']]),
    principal('bob@example.com', [keys.bob]),
    principal('carol@example.com', [keys.disabled], { disabled: true }),
    principal('dave@example.com', [keys.reviewer], { operator: ['reviewer', 'auditor'] }),
    principal('robot', [keys.agent], { kind: 'agent', onBehalfOf: 'alice@example.com' }),
  ];
  return new Map(all.map((each) => [each.name, each]));
}

/** As a person signs the file, with the stock program. */
async function sign(document: string, key: KeyPair, namespace: string = ERASE_NAMESPACE) {
  const file = join(mkdtempSync(join(directory, 'signing-')), 'request.json');
  writeFileSync(file, document);
  const done = await run('ssh-keygen', ['-Y', 'sign', '-n', namespace, '-f', key.path, file]);
  if (done.status !== 0) throw new Error(done.stderr);
  return { key: key.publicLine, signature: readFileSync(`${file}.sig`, 'utf8') };
}

const both = async (document: string) => [await sign(document, keys.alice), await sign(document, keys.bob)];

async function open(): Promise<AgedData> {
  return AgedData.open({ principals: principals() });
}

async function prepare(
  data: AgedData,
  question: Parameters<typeof selectForErasure>[1],
  change: Partial<Parameters<typeof prepareRequest>[0]> = {},
) {
  const { database, ledger } = data.evidence;
  const { sessions, records } = await selectForErasure(database, question, systemClock.wallMicros());
  const size = await database.records.count();
  return prepareRequest({ basis: 'request 4711', origin: ledger.key.name, size, sessions, records, ...change }, data.clock.wallMicros());
}

describe('a request that two admins signed', () => {
  it('erases what a person did, what agents did for that person, and refusals, and keeps the request for auditors', async () => {
    const data = await open();
    const own = await data.session({ principal: 'leaver@example.com', source: '198.51.100.7:1', command: 'cat /home/leaver', daysAgo: 5 });
    const agents = await data.session({ principal: 'bot', onBehalfOf: 'leaver@example.com', daysAgo: 4 });
    const other = await data.session({ principal: 'bot', daysAgo: 3 });
    await data.refusals('leaver@example.com', 2);
    const document = await prepare(data, { sessions: [], filter: { principal: 'leaver@example.com' } });
    expect(document).not.toContain('leaver');
    const signatures = await both(document);
    expect(await data.retention.erase({ document, signatures }, asking)).toMatchObject({ sessions: 2, files: 2 });

    expect(filesWith(data.directory, 'leaver', '198.51.100.7')).toEqual([]);
    const { database } = data.evidence;
    const states = (await database.sessions.find({ limit: 9 })).map(({ id, state }) => [id, state]);
    expect(Object.fromEntries(states)).toEqual({ [own]: 'erased', [agents]: 'erased', [other]: 'closed' });
    expect(await data.faults()).toEqual([]);

    const erased = await recordsOf(data.directory, 'erased');
    expect(erased).toHaveLength(3);
    for (const record of erased) {
      expect(record.body).toMatchObject({ basis: 'request', reason: 'request 4711', request: { document } });
      for (const { principal: signer, key, signature } of record.body.request?.signatures ?? []) {
        const folder = mkdtempSync(join(directory, 'auditor-'));
        writeFileSync(join(folder, 'allowed'), `${signer} ${key}\n`);
        writeFileSync(join(folder, 'a.sig'), signature);
        const verified = await run(
          'ssh-keygen',
          ['-Y', 'verify', '-f', join(folder, 'allowed'), '-I', signer, '-n', ERASE_NAMESPACE, '-s', join(folder, 'a.sig')],
          { input: document },
        );
        expect(verified.status, verified.stderr).toBe(0);
      }
    }
    expect(erased[0]?.body.request?.signatures.map((signature) => signature.principal)).toEqual(['alice@example.com', 'bob@example.com']);
  });

  it('is carried out once', async () => {
    const data = await open();
    const session = await data.session();
    const document = await prepare(data, { sessions: [session] });
    const signatures = await both(document);
    await data.retention.erase({ document, signatures }, asking);
    await expect(data.retention.erase({ document, signatures }, asking)).rejects.toMatchObject({
      code: 'ERASE_REFUSED',
      message: expect.stringContaining('was carried out before'),
    });
  });

  it('goes on where it was cut off', async () => {
    const data = await open();
    const sessions = [await data.session(), await data.session(), await data.session()];
    const document = await prepare(data, { sessions });
    const signatures = await both(document);
    const stop = new AbortController();
    const { carryOut } = data.retention;
    // Whoever stops the gateway does so between two sessions.
    data.retention.carryOut = (drafts) => carryOut.call(data.retention, drafts).finally(() => stop.abort());
    await expect(data.retention.erase({ document, signatures }, { ...asking, signal: stop.signal })).rejects.toMatchObject({
      code: 'GATEWAY_DRAINING',
    });
    data.retention.carryOut = carryOut;
    expect(await data.retention.erase({ document, signatures }, asking)).toMatchObject({ sessions: 2 });
    expect(await data.evidence.database.sessions.find({ state: 'erased', limit: 9 })).toHaveLength(3);
    expect(await data.faults()).toEqual([]);
  });
});

describe('a request is refused, and nothing changes,', () => {
  /** Every attack is on the same data; the last word is that they are as they were. */
  async function refused(
    data: AgedData,
    document: string,
    signatures: { key: string; signature: string }[],
    expected: string,
    code = 'ERASE_REFUSED',
  ) {
    await data.evidence.ledger.signed();
    const before = snapshot(data.directory);
    await expect(data.retention.erase({ document, signatures }, asking)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(expected),
    });
    expect(snapshot(data.directory)).toEqual(before);
  }

  async function target() {
    const data = await open();
    const session = await data.session();
    return { data, session, document: await prepare(data, { sessions: [session] }) };
  }

  it('without two signatures, or with the same person twice, whatever the keys', async () => {
    const { data, document } = await target();
    const alice = await sign(document, keys.alice);
    await refused(data, document, [], 'two different admins have to sign it, and 0 did');
    await refused(data, document, [alice], 'and 1 did');
    await refused(data, document, [alice, alice], 'alice@example.com signed twice');
    await refused(data, document, [alice, await sign(document, keys['alice-2'])], 'alice@example.com signed twice');
  });

  it.each([
    ['a disabled person', 'disabled', 'carol@example.com, who is disabled'],
    ['somebody who is no admin', 'reviewer', 'dave@example.com, who is not a human with the operator role admin'],
    ['an agent', 'agent', 'robot, who is not a human'],
    ['a stranger', 'stranger', 'belongs to nobody in the configuration'],
  ] as const)('when one of the signers is %s', async (_, name, expected) => {
    const { data, document } = await target();
    const bad = await sign(document, keys[name]);
    await refused(data, document, [await sign(document, keys.alice), bad], expected);
    await refused(data, document, [...(await both(document)), bad], expected);
  });

  it('when a signature was made for another purpose, of another document, or is forged', async () => {
    const { data, document } = await target();
    const alice = await sign(document, keys.alice);
    await refused(data, document, [alice, await sign(document, keys.bob, 'git')], 'it was made for "git"', 'SIGNATURE_INVALID');
    const other = await sign(document.replace('4711', '4712'), keys.bob);
    await refused(data, document, [alice, other], 'does not fit what was signed', 'SIGNATURE_INVALID');
    const claimed = { key: keys.bob.publicLine, signature: alice.signature };
    await refused(data, document, [alice, claimed], 'was not made with the key that is said to have made it');
    await refused(data, document, [alice, { key: keys.bob.publicLine, signature: 'signed, Bob' }], 'signature 2', 'SIGNATURE_INVALID');
  });

  it('when it was altered after it was signed, be it in its form alone', async () => {
    const { data, session, document } = await target();
    const signatures = await both(document);
    const another = await data.session();
    await refused(data, document.replace(session, another), signatures, 'does not fit', 'SIGNATURE_INVALID');
    const spaced = JSON.stringify(JSON.parse(document), undefined, 1);
    await refused(data, spaced, await both(spaced), 'not in the form in which it was prepared');
    const twice = document.replace(`["${session}"]`, `["${session}","${session}"]`);
    await refused(data, twice, await both(twice), 'names a session twice');
    const more = document.replace('{', '{"also":"everything",');
    await refused(data, more, await both(more), 'is not a request');
    await refused(data, 'erase everything', await both('erase everything'), 'it is not JSON');
  });

  it('when it has expired, was made to last, or is for other data', async () => {
    const { data, session, document } = await target();
    const signatures = await both(document);
    data.clock.daysAgo(-8);
    await refused(data, document, signatures, 'it expired at');
    data.clock.now();
    const lasting = document.replace(/"expires":"\d{4}/, '"expires":"2999');
    await refused(data, lasting, await both(lasting), 'its times are not those of a request');
    const elsewhere = await prepare(data, { sessions: [session] }, { origin: 'other.example.com' });
    await refused(data, elsewhere, await both(elsewhere), 'it is for the data of "other.example.com"');
    const future = await prepare(data, { sessions: [session] }, { size: 1_000_000 });
    await refused(data, future, await both(future), 'and this one has');
  });

  it('when it names what is not there, still runs, or is no refusal', async () => {
    const { data, session } = await target();
    const unknown = await prepare(data, { sessions: [session] }, { sessions: [session.replace(/.$/, 'f').replace(/^../, '00')] });
    await refused(data, unknown, await both(unknown), 'there is no session');
    const audit = await prepare(data, { sessions: [session] }, { records: [[0, 0]] });
    await refused(data, audit, await both(audit), 'record 0 is not one that may be erased by itself');
    const beyond = await prepare(data, { sessions: [session] }, { records: [[0, 9_000_000_000]] });
    await refused(data, beyond, await both(beyond), 'is no range of records');
    const live = uuidV7(systemClock.wallMicros());
    const decision = { verdict: 'allow' as const, policies: [], policySet: 'x' };
    await data.evidence.records.append({
      ...{ type: 'session.open', outcome: 'success', actor: asking.actor, target: { name: 'web-1', kind: 'ssh' }, session: live },
      body: { protocol: 'ssh', requested: 'web-1', client: 'x', decision },
    });
    const running = await prepare(data, { sessions: [session] }, { sessions: [session, live] });
    await refused(data, running, await both(running), `session ${live} is not over yet`);
    await expect(selectForErasure(data.evidence.database, { sessions: [live] }, systemClock.wallMicros())).rejects.toMatchObject({
      code: 'ERASE_REFUSED',
    });
  });

  it('when anything that it names is held, with the hold named', async () => {
    const { data, session } = await target();
    const free = await data.session({ target: 'web-2' });
    await data.refusals('mallory');
    const sessions = await prepare(data, { sessions: [session, free] });
    const refusals = await prepare(data, { sessions: [], filter: { principal: 'mallory' } });
    const { hold } = await data.retention.setHold({ scope: { target: 'web-1' }, reason: 'case 17' }, asking);
    await refused(data, sessions, await both(sessions), `is under the hold ${hold}: case 17`, 'SESSION_HELD');
    await refused(data, refusals, await both(refusals), `is under the hold ${hold}: case 17`, 'SESSION_HELD');
    await expect(selectForErasure(data.evidence.database, { sessions: [session] }, systemClock.wallMicros())).rejects.toMatchObject({
      code: 'SESSION_HELD',
    });
  });

  it('when it is too long to stand in a record', async () => {
    const { data } = await target();
    const sessions = Array.from({ length: 1000 }, (_, index) => `01900000-0000-7000-8000-${String(index).padStart(12, '0')}`);
    await expect(prepare(data, { sessions: [] }, { sessions })).rejects.toMatchObject({
      code: 'ERASE_REFUSED',
      message: expect.stringContaining('are too many for one request'),
    });
  });
});
