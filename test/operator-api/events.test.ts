import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { operatorEvent } from '../../contract/operator-events.ts';
import type { RecordDraft } from '../../contract/record.ts';
import type { MadeToken } from '../../gateway/operator-api/log-ins.ts';
import type { Operator } from '../../gateway/operator-api/operators.ts';
import { Belongings } from '../support/temp.ts';
import { append, type Served, serve } from './served.ts';
import { masked, RawWebSocket } from './web-socket.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

/** The operators of the test, which it changes as a reload would. */
const people = new Map<string, Operator>();
const locked = new Set<string>();
const operators = {
  find: (name: string) => people.get(name),
  all: () => [...people.values()],
  isLocked: (name: string) => locked.has(name),
};

let served: Served;
beforeAll(async () => {
  served = await serve(belongings, 4, operators);
});

const opened: RawWebSocket[] = [];
afterEach(async () => {
  for (const { socket } of opened) socket.destroy();
  await Promise.all(opened.splice(0).map(({ ended }) => ended));
});

function logIn(name: string): MadeToken {
  const key = { blob: Buffer.alloc(0), fingerprint: 'SHA256:abc', line: 'ssh-ed25519 abc' };
  people.set(name, { name, roles: ['auditor'], groups: [], keys: [key], disabled: false });
  const made = served.logIns.make({ operator: name, authentication: { method: 'publickey', key: key.fingerprint } });
  served.logIns.put(made.known);
  return made;
}

/** Each operator from an address of their own: one may not open as many connections as all of them together. */
async function listen(
  token: string | undefined,
  headers: Readonly<Record<string, string>> = {},
  from = '127.0.0.1',
): Promise<RawWebSocket> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const socket = await RawWebSocket.open({ port: served.port, path: '/api/events', headers: { ...authorization, ...headers }, from });
  opened.push(socket);
  return socket;
}

function locking(principal: string, reason = 'for a test'): RecordDraft {
  const target = { name: 'bastion-1', kind: 'gateway' } as const;
  return {
    type: 'principal.locked',
    outcome: 'success',
    actor: served.evidence.records.gateway,
    target,
    body: { principal, reason, sessions: 0 },
  };
}

describe('events', () => {
  test('come when their records are durable, in their order, and fit the contract', async () => {
    const socket = await listen(logIn('first').token);
    expect(socket.status).toBe(101);
    await Promise.all(['a', 'b', 'c'].map((name) => served.evidence.records.append(locking(name))));
    await append(served.evidence, 1); // Of which nobody has to be told.
    await served.evidence.records.append(locking('d'));
    await socket.until(({ length }) => length >= 4);
    const events = socket.messages.map((text) => operatorEvent.parse(JSON.parse(text)));
    expect(events.map((event) => event.event === 'principal.locked' && event.principal)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('say that a session was noted on, and how it was signed off', async () => {
    const socket = await listen(logIn('reviewing').token);
    const session = '01a205e1-e790-7000-8000-000000000000';
    const common = {
      outcome: 'success',
      actor: { principal: 'reviewer@example.com', kind: 'human', source: '192.0.2.7:50022' },
      target: { name: 'web', kind: 'ssh' },
      session,
    } as const;
    const watched = { nanos: 1, of: 2 };
    const signed = { subject: 'a'.repeat(64), verdict: 'concern', reason: 'why that?', watched, key: 'k', signature: 's' } as const;
    await served.evidence.records.append({
      ...common,
      type: 'review.noted',
      body: { note: session, channel: 0, at: 5, text: 'look here' },
    });
    await served.evidence.records.append({ ...common, type: 'session.reviewed', body: signed });
    await socket.until(({ length }) => length >= 2);
    const events = socket.messages.map((text) => operatorEvent.parse(JSON.parse(text)));
    const by = 'reviewer@example.com';
    expect(events).toMatchObject([
      { event: 'session.reviewed', session, what: 'noted', by },
      { event: 'session.reviewed', session, what: 'concern', by },
    ]);
    // What was written stays where it was written.
    expect(socket.messages.join('')).not.toMatch(/look here|why that/);
  });

  test('are missed by a receiver that does not read, which is told how many; the others get all, and records go on', async () => {
    const [slow, quick] = [await listen(logIn('slow').token), await listen(logIn('quick').token)];
    slow.socket.pause();
    // More than the buffers of two sockets on loopback and the gateway's own.
    const [rounds, each] = [32, 500];
    for (let round = 0; round < rounds; round += 1)
      await Promise.all(Array.from({ length: each }, () => served.evidence.records.append(locking('x'.repeat(1000)))));
    await quick.until(({ length }) => length >= rounds * each);
    slow.socket.resume();
    await slow.until((messages) => messages.at(-1)?.includes('"missed"') === true);
    const missed = operatorEvent.parse(JSON.parse(slow.messages.at(-1) ?? ''));
    expect(missed.event === 'missed' && missed.count + slow.messages.length - 1).toBe(rounds * each);
    await served.evidence.records.append(locking('after'));
    await slow.until((messages) => messages.at(-1)?.includes('"after"') === true);
  });

  test.each<[string, number, { cookie?: boolean; token?: string; origin?: string; host?: string }]>([
    ['nobody', 401, {}],
    ['a token that nobody has', 401, { token: `sp_${'A'.repeat(43)}` }],
    ['a page of somebody else', 403, { cookie: true, origin: 'https://evil.example' }],
    ['a page of somebody else that has the token', 403, { token: 'own', origin: 'https://evil.example' }],
    ['a name that is not ours', 421, { cookie: true, origin: 'https://evil.example', host: 'evil.example' }],
  ])('are refused to %s before the upgrade', async (_who, status, { cookie, token, origin, host }) => {
    const own = logIn('refused').token;
    const headers = {
      ...(cookie === true ? { cookie: `__Host-sallyport=${own}` } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token === 'own' ? own : token}` }),
      ...(origin === undefined ? {} : { origin }),
    };
    const socket = await RawWebSocket.open({ port: served.port, path: '/api/events', headers, ...(host === undefined ? {} : { host }) });
    opened.push(socket);
    expect(socket.status).toBe(status);
  });

  test('need an Origin of a browser, whose cookie any page can have sent', async () => {
    const cookie = `__Host-sallyport=${logIn('browser').token}`;
    expect((await listen(undefined, { cookie })).status).toBe(403);
    expect((await listen(undefined, { cookie, origin: `https://127.0.0.1:${served.port}` })).status).toBe(101);
  });

  test('end with the log-in, with the role and with a lock', async () => {
    const { token, known } = logIn('revoked');
    const revoked = await listen(token);
    served.logIns.end(known.id);
    const off = await listen(logIn('off').token);
    people.set('off', { name: 'off', roles: ['admin'], groups: [], keys: [], disabled: true });
    const held = await listen(logIn('held').token);
    locked.add('held');
    const good = await listen(logIn('good').token);
    served.listener.logInsChanged();
    await Promise.all([revoked.ended, off.ended, held.ended]);
    expect([revoked, off, held].map(({ closed }) => closed?.code)).toEqual([4401, 4401, 4401]);
    expect(good.closed).toBeUndefined();
    await served.evidence.records.append(locking('still'));
    await good.until((messages) => messages.length > 0);
    expect(revoked.messages).toEqual([]);
  });

  test('are open as long as somebody is there', async () => {
    const { token } = logIn('present');
    const [here, gone] = [await listen(token), await listen(token)];
    gone.answersPings = false;
    const pinged = [here.pinged(), gone.pinged()];
    served.look();
    await Promise.all(pinged);
    await here.roundTrip(); // Behind the answer to the ping.
    served.look();
    await gone.ended;
    await served.evidence.records.append(locking('heard'));
    await here.until((messages) => messages.length > 0);
  });

  test('and other sockets end with the role that they take', async () => {
    const { token } = logIn('lesser');
    const auditor = people.get('lesser');
    if (auditor === undefined) throw new Error('nobody has logged in');
    const open = (path: string) => RawWebSocket.open({ port: served.port, path, headers: { authorization: `Bearer ${token}` } });
    const refused = await open('/api/for-admins');
    opened.push(refused);
    expect(refused.status).toBe(403);
    people.set('lesser', { ...auditor, roles: ['auditor', 'admin'] });
    const [asAdmin, asAuditor] = [await open('/api/for-admins'), await open('/api/events')];
    opened.push(asAdmin, asAuditor);
    people.set('lesser', auditor);
    served.listener.logInsChanged();
    await asAdmin.ended;
    expect([asAdmin.closed?.code, asAuditor.closed]).toEqual([4403, undefined]);
  });

  test('have as many receivers as there may be, of one operator and of all together, whoever else connects', async () => {
    const own = logIn('many').token;
    const first = await Promise.all(Array.from({ length: 16 }, () => listen(own)));
    expect(first.map(({ status }) => status)).toEqual(Array(16).fill(101));
    expect((await listen(own)).status).toBe(409);
    const names = Array.from({ length: 16 }, (_, index) => `many-${index}`);
    const statuses: number[] = [];
    for (const [index, name] of names.entries()) {
      const { token } = logIn(name);
      const sockets = await Promise.all(Array.from({ length: 16 }, () => listen(token, {}, `127.0.1.${index + 1}`)));
      statuses.push(...sockets.map(({ status }) => status));
    }
    expect(statuses.filter((status) => status === 101)).toHaveLength(256 - 16);
    expect(statuses.filter((status) => status === 409)).toHaveLength(16);
    // One of them ends, and there is room for another.
    first[0]?.socket.destroy();
    await first[0]?.ended;
    await expect.poll(async () => (await listen(logIn('late').token)).status).toBe(101);
  });

  test('of a client that sends too much end', async () => {
    const socket = await listen(logIn('loud').token);
    // A frame that says it has a mebibyte.
    socket.socket.write(Buffer.concat([Buffer.of(0x82, 0xff, 0, 0, 0, 0, 0, 16, 0, 0), Buffer.alloc(4)]));
    await socket.ended;
    const talking = await listen(logIn('talking').token);
    talking.socket.write(masked(0x81, Buffer.from('hello')));
    await served.evidence.records.append(locking('z'));
    await talking.until((messages) => messages.length > 0);
  });
});
