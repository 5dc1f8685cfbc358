import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OperationName, type OperationShape, operations, type Role } from '../../contract/operator-api.ts';
import { Database } from '../../gateway/store/database.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { Belongings } from '../support/temp.ts';
import { type Answer, ask, askOnSocket, logIn, makeOperators, send } from './api-client.ts';

/** Every operation of the table, asked for by everybody that there can be, of one gateway that runs. */

const belongings = new Belongings();
afterAll(() => belongings.release());

const session = '01a205e1-e790-7000-8000-000000000000';
const reason = 'for a test';
const nothing = 'a'.repeat(64);

/** An input that fits, and at which nothing is there or would be lost. */
const inputs: { readonly [N in OperationName]: Record<string, unknown> } = {
  'gateway.status': {},
  'config.reload': {},
  'session.list': { limit: 1 },
  'search.content': { query: 'nothing', limit: 1 },
  'session.show': { session },
  'session.activity': { sessions: [session] },
  'session.records': { session },
  'recording.open': { session, channel: 0 },
  'recording.outline': { session, channel: 0 },
  'recording.text': { session, channel: 0 },
  'session.message': { session, text: 'hello' },
  'session.pause': { session, reason },
  'session.resume': { session, reason },
  'session.step': { session, on: true, reason },
  'session.terminate': { session, reason },
  'lock.list': {},
  'lock.set': { principal: 'nobody', reason },
  'lock.clear': { principal: 'nobody', reason },
  'approval.list': { all: true },
  'approval.show': { approval: session },
  'approval.decide': { approval: session, digest: nothing, verdict: 'deny', reason, key: 'ssh-ed25519 AAAA', signature: 'x' },
  'policy.text': { policySet: nothing },
  'review.show': { session },
  'review.note': { session, channel: 0, at: 0, text: 'hm' },
  'review.sign': { session, subject: nothing, verdict: 'fine', reason, key: 'ssh-ed25519 AAAA', signature: 'x' },
  'evidence.status': {},
  'evidence.verify': {},
  'session.verify': { session },
  'audit.questions': {},
  'audit.ask': { question: 'changes', to: '2000-01-01' },
  'export.start': { sessions: [session] },
  'export.show': { export: session },
  'export.cancel': { export: session },
  'policy.try': { principal: 'engineer', target: 'nowhere', action: 'connect' },
  'login.challenge': { operator: 'nobody' },
  'login.ssh': { challenge: 'none', signature: 'none' },
  'login.oidc': { idToken: 'none' },
  'login.provider': {},
  'login.link': {},
  'login.code': { code: 'none' },
  'key.list': {},
  'key.add': { key: 'ssh-ed25519 AAAA', label: 'laptop', signature: 'none' },
  'key.remove': { fingerprint: 'none', reason },
  logout: {},
  whoami: {},
  'operator.list': {},
  'operator.token': { operator: 'nobody', roles: ['reviewer'], days: 1, reason },
  'operator.revoke': { token: 'none', reason },
  'credential.issue': { key: 'none' },
  'credential.revoke': { serial: '1', reason },
  'credential.authority': {},
  'ledger.sign': {},
  'export.recorded': { question: {}, sessions: 0, records: 0, leftOut: 0, manifest: nothing },
  'search.recorded': { query: { query: 'nothing' }, results: 0 },
  'view.recorded': { session, how: 'play' },
  'attestation.sign': { tagManifest: nothing, question: {}, checkpoint: 'none' },
  'hold.set': { scope: { session }, reason },
  'hold.clear': { hold: session, reason },
  'retention.run': { dryRun: true },
  'erase.run': { document: '{}', signatures: [] },
  'index.rebuild': { session },
};

const names = Object.keys(operations) as OperationName[];
const overHttps = names.filter((name) => shapeOf(name).http !== undefined);
const people: Readonly<Record<string, readonly Role[]>> = {
  reviewer: ['reviewer'],
  auditor: ['auditor'],
  admin: ['admin'],
  both: ['reviewer', 'auditor'],
};
/** A token of a program with fewer roles than its operator. */
const PROGRAM = 'program of both, as reviewer';

let gateway: Gateway;
const tokens = new Map<string, string>();
const rolesOf = (who: string): readonly Role[] => (who === PROGRAM ? ['reviewer'] : (people[who] ?? []));
const askers = ['nobody', ...Object.keys(people), PROGRAM];

beforeAll(async () => {
  const { humans, keyOf } = await makeOperators(belongings.directory('operators'), people);
  gateway = await startGateway(belongings, {
    https: true,
    configuration: { humans, agents: [], targets: [], limits: { lockout: { failures: 200 } } },
  });
  for (const name of Object.keys(people)) tokens.set(name, await logIn(gateway, name, keyOf(name)));
  const made = await ask(
    gateway,
    'operator.token',
    { operator: 'both', roles: ['reviewer'], days: 1, reason },
    { token: tokens.get('admin') },
  );
  tokens.set(PROGRAM, String(made.body.token));
});

function shapeOf(name: OperationName): OperationShape {
  return operations[name];
}

function askAs(who: string, name: OperationName): Promise<Answer> {
  return ask(gateway, name, inputs[name], { token: tokens.get(who) });
}

/** What the table says, read here anew. */
function may(name: OperationName, who: string): 'may' | 'log-in' | 'role' {
  const { may: rule } = shapeOf(name);
  if (rule === 'anyone') return 'may';
  if (who === 'nobody') return 'log-in';
  if (rule === 'operator') return 'may';
  return rule !== 'local' && rolesOf(who).some((role) => rule.includes(role)) ? 'may' : 'role';
}

async function recordCount(): Promise<number> {
  const database = await Database.openForReading(gateway.data);
  try {
    return await database.records.count();
  } finally {
    await database.close();
  }
}

const everybody = askers.flatMap((who) => overHttps.map((name) => ({ who, name, rule: may(name, who) })));

describe('over HTTPS', () => {
  test('98 whoever may not is refused with the reason, and nothing is done', async () => {
    const refused = everybody.filter(({ rule }) => rule !== 'may');
    const before = await recordCount();
    for (const { who, name, rule } of refused) {
      const { status, body } = await askAs(who, name);
      const expected = rule === 'log-in' ? { status: 401, code: 'LOGIN_REQUIRED' } : { status: 403, code: 'ROLE_MISSING' };
      expect({ who, name, status, code: body.code }).toEqual({ who, name, ...expected });
    }
    expect(refused.length).toBeGreaterThan(60);
    expect(await recordCount()).toBe(before);
  });

  test('98 whoever may comes as far as the operation itself', async () => {
    // Last what ends the log-in that asks.
    const allowed = everybody
      .filter(({ rule }) => rule === 'may')
      .toSorted((a, b) => Number(a.name === 'logout') - Number(b.name === 'logout'));
    for (const { who, name } of allowed) {
      const { status, body } = await askAs(who, name);
      const fine =
        status < 500 &&
        body.code !== 'ROLE_MISSING' &&
        (body.code !== 'LOGIN_REQUIRED' || (name === 'credential.issue' && who === 'nobody'));
      expect({ who, name, status, body, fine }).toMatchObject({ who, name, fine: true });
    }
    expect(allowed.length).toBeGreaterThan(80);
    for (const who of [...Object.keys(people), PROGRAM]) expect((await askAs(who, 'whoami')).status).toBe(401);
  });

  test.each(names.filter((name) => shapeOf(name).http === undefined))('%s has no address', async (name) => {
    for (const path of [`/operations/${name}`, `/api/${name}`, `/api/${name.replace('.', '/')}`])
      expect(await send(gateway, { method: 'POST', path, body: {} })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});

describe('on the control socket', () => {
  test.each(names)('98 %s is done or refused as the table says', async (name) => {
    const { status, body } = await askOnSocket(gateway, name, inputs[name]);
    if (shapeOf(name).onSocket) expect([401, 'LOGIN_REQUIRED', 'ROLE_MISSING']).not.toContain(body.code ?? status);
    else expect({ status, code: body.code }).toEqual({ status: 403, code: 'ROLE_MISSING' });
  });
});
