import { once } from 'node:events';
import type { Socket } from 'node:net';
import ssh2 from 'ssh2';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Actor } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { MessageType, writeMessage } from '../../gateway/protocol/ssh/connection-messages.ts';
import { LiveSessions } from '../../gateway/session/live-sessions.ts';
import { Locks } from '../../gateway/session/locks.ts';
import { Database } from '../../gateway/store/database.ts';
import { data, openSession, request } from '../protocol/ssh/session-world.ts';
import { type RawPeer, rawClient, rawServer, shellTarget, sshTarget, type TestGateway, testGateway } from '../protocol/ssh/support.ts';
import { KeptLog } from '../recording/support.ts';
import { portOf, serveTcp } from '../support/tcp-server.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';

let belongings = new Belongings();
afterEach(async () => {
  await belongings.release();
  belongings = new Belongings();
});

const operator: Actor = { principal: 'reviewer@example.com', kind: 'human', source: '192.0.2.9:443' };
const because = { principal: 'deploy-bot', reason: 'it deletes things' };

async function openData(directory: string) {
  const database = await Database.openForGateway(directory);
  const log = new KeptLog();
  const live = new LiveSessions(() => ({ sessions: 10, sessionsPerPrincipal: 10 }));
  const records = new Records(database.records, systemClock, 'gateway-1');
  const changes: unknown[] = [];
  const locks = await Locks.load(database.locks, {
    records,
    live,
    clock: systemClock,
    log,
    gatewayName: 'gateway-1',
    changed: (change) => changes.push(change),
  });
  return { database, records, locks, changes };
}

/** A client in a session at a target that runs nothing. */
async function inSession(): Promise<{ gateway: TestGateway; client: RawPeer; target: RawPeer }> {
  const server = await rawServer(belongings);
  const gateway = await testGateway(belongings, { targets: [sshTarget(server), shellTarget()] });
  const [client, target] = await Promise.all([rawClient(gateway, { username: 'web', privateKey: gateway.key }), server.accepted()]);
  belongings.add(() => void client.socket.destroy());
  client.send(openSession(7));
  await target.next(MessageType.CHANNEL_OPEN);
  return { gateway, client, target };
}

function logsIn(gateway: TestGateway): Promise<boolean> {
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    client.once('ready', () => {
      client.destroy();
      resolve(true);
    });
    client.once('error', () => resolve(false));
    client.connect({ host: gateway.host, port: gateway.port, username: 'web', privateKey: gateway.key });
  });
}

describe('a lock', () => {
  it('outlasts the gateway, until it is lifted, and so does that', async () => {
    const directory = belongings.directory('locks');
    const first = await openData(directory);
    expect(await first.locks.set(because, operator)).toEqual({ sessions: 0 });
    await first.locks.set({ principal: 'somebody@example.com', reason: 'left' }, operator);
    const listed = first.locks.list();
    expect(listed.map(({ principal, reason, by }) => [principal, reason, by])).toEqual([
      ['deploy-bot', 'it deletes things', operator.principal],
      ['somebody@example.com', 'left', operator.principal],
    ]);
    await first.database.close();

    const second = await openData(directory);
    expect(second.locks.list()).toEqual(listed);
    expect(second.locks.isLocked('deploy-bot')).toBe(true);
    await second.locks.clear({ principal: 'deploy-bot', reason: 'mended' }, operator);
    expect(second.locks.isLocked('deploy-bot')).toBe(false);
    await second.database.rebuildProjections();
    expect(await second.database.locks.inForce()).toEqual(listed.slice(1));
    await second.database.close();

    const third = await openData(directory);
    expect(third.locks.list()).toEqual(listed.slice(1));
    const recorded = await third.database.records.after(0, 10);
    expect(recorded.map(({ type }) => type)).toEqual(['principal.locked', 'principal.locked', 'principal.unlocked']);
    expect(JSON.parse(Buffer.from(recorded[0]?.bytes ?? []).toString())).toMatchObject({
      actor: operator,
      body: { ...because, sessions: 0 },
    });
    expect(first.changes).toHaveLength(2);
    expect(second.changes).toMatchObject([{ principal: 'deploy-bot', locked: false, by: operator.principal }]);
    await third.database.close();
  });

  it('is set once and lifted once: the second word is a conflict', async () => {
    const { database, locks } = await openData(belongings.directory('locks'));
    const both = await Promise.allSettled([locks.set(because, operator), locks.set({ ...because, reason: 'other' }, operator)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(locks.set(because, operator)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('it deletes things'),
    });
    const lifted = await Promise.allSettled([locks.clear(because, operator), locks.clear(because, operator)]);
    expect(lifted.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(locks.clear(because, operator)).rejects.toMatchObject({ code: 'CONFLICT', message: 'deploy-bot is not locked' });
    await database.close();
  });

  it('ends the sessions of a principal, and is answered when their ends are recorded', async () => {
    const { gateway, client, target } = await inSession();
    expect(await gateway.locks.set(because, operator)).toEqual({ sessions: 1 });
    const types = gateway.ledger.stored.map(({ record }) => record.type);
    expect(types.indexOf('principal.locked')).toBeLessThan(types.indexOf('session.close'));
    expect(types.at(-1)).toBe('session.close');
    expect(gateway.ledger.of('session.close')[0]?.body).toMatchObject({
      code: 'PRINCIPAL_LOCKED',
      reason: 'deploy-bot was locked by reviewer@example.com: it deletes things',
    });
    expect(gateway.ledger.of('principal.locked')[0]?.body.sessions).toBe(1);
    await Promise.all([client.ended, target.ended]);
    expect(gateway.parts.live.size).toBe(0);
  });

  it('on a human ends the sessions of agents that act for them, and keeps them out like strangers', async () => {
    const { gateway, client } = await inSession();
    const human = { principal: 'engineer@example.com', reason: 'left' };
    expect(await gateway.locks.set(human, operator)).toEqual({ sessions: 1 });
    await client.ended;
    expect(await logsIn(gateway)).toBe(false);
    await until('a record of it', () => gateway.ledger.of('auth.refused')[0]);
    const [refused] = gateway.ledger.of('auth.refused');
    expect(refused?.body.reason).toBe('engineer@example.com is locked by reviewer@example.com: left');
    expect(refused?.actor.principal).toBe('unknown');
    await gateway.locks.clear({ ...human, reason: 'is back' }, operator);
    expect(await logsIn(gateway)).toBe(true);
  });

  it('on an agent leaves others of the same human alone', async () => {
    const { gateway } = await inSession();
    expect(await gateway.locks.set({ principal: 'another-bot', reason: 'x' }, operator)).toEqual({ sessions: 0 });
    expect(gateway.parts.live.size).toBe(1);
    expect(gateway.locks.isLocked('deploy-bot', 'engineer@example.com')).toBe(false);
  });

  it('reaches whoever has logged in and has no session yet', async () => {
    const { gateway } = await inSession();
    // One at the menu, one that may jump.
    const [menu, jumper] = await Promise.all(
      ['menu', 'somebody'].map((username) => rawClient(gateway, { username, privateKey: gateway.key })),
    );
    if (menu === undefined || jumper === undefined) throw new Error('nobody logged in');
    menu.send(openSession(1));
    await menu.next(MessageType.CHANNEL_OPEN_CONFIRMATION);
    const channel = (await menu.next(MessageType.CHANNEL_OPEN_CONFIRMATION)).readUInt32BE(5);
    menu.send(request(channel, 'pty-req', true, 'xterm', 80, 24, 0, 0, ''), request(channel, 'shell', true));
    await menu.next(MessageType.CHANNEL_DATA);
    await gateway.locks.set(because, operator);
    menu.send(data(channel, 'sh\r'));
    jumper.send(writeMessage(MessageType.CHANNEL_OPEN, 'direct-tcpip', 1, 1000, 1000, 'web', 22, '', 0));
    await jumper.next(MessageType.CHANNEL_OPEN_FAILURE);
    const refusals = await until('two refusals', () => {
      const all = gateway.ledger.of('session.refused');
      return all.length >= 2 ? all : undefined;
    });
    expect(refusals.map(({ body }) => body.code)).toEqual(['PRINCIPAL_LOCKED', 'PRINCIPAL_LOCKED']);
    expect(refusals.map(({ body }) => body.requested).toSorted()).toEqual(['direct-tcpip web:22', 'sh']);
    expect(gateway.ledger.of('session.open')).toHaveLength(1);
    menu.socket.destroy();
    jumper.socket.destroy();
  });

  it('breaks off a session that is being opened, whether target and client answer or not', async () => {
    const heard: Socket[] = [];
    const silent = await serveTcp(belongings, (socket) => heard.push(socket));
    const gateway = await testGateway(belongings, {
      targets: [sshTarget({ port: portOf(silent), hostKey: 'SHA256:AAAA' })],
      limits: { connect: 60, handshake: 60 },
    });
    const client = await rawClient(gateway, { username: 'web', privateKey: gateway.key });
    await until('the session has entered', () => (gateway.parts.live.size === 1 ? true : undefined), { everyMs: 5 });
    expect(await gateway.locks.set(because, operator)).toEqual({ sessions: 1 });
    expect(gateway.ledger.of('session.close')[0]?.body.code).toBe('PRINCIPAL_LOCKED');
    expect(gateway.ledger.of('session.refused')).toEqual([]);
    await client.ended;
    const [socket] = heard;
    if (socket?.destroyed === false) await once(socket, 'close');
    expect(heard).toHaveLength(1);
  });

  it('lets nobody slip in while it is being recorded', async () => {
    const { gateway, client } = await inSession();
    const append = gateway.parts.records.append.bind(gateway.parts.records);
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    vi.spyOn(gateway.parts.records, 'append').mockImplementation(async (draft) => {
      if (draft.type === 'principal.locked') await gate;
      return append(draft);
    });
    const locking = gateway.locks.set(because, operator);
    expect(gateway.locks.isLocked('deploy-bot')).toBe(true);
    expect(await logsIn(gateway)).toBe(false);
    // Not recorded, so not ended: what ends a session has to be in the records first.
    expect(gateway.parts.live.size).toBe(1);
    expect(client.closed).toBe(false);
    await expect(gateway.locks.clear(because, operator)).rejects.toMatchObject({ code: 'CONFLICT' });
    go();
    expect(await locking).toEqual({ sessions: 1 });
    await client.ended;
  });

  it('that cannot be recorded is in force, ends the sessions and says so; it can be set again', async () => {
    const { gateway, client } = await inSession();
    const append = gateway.parts.records.append.bind(gateway.parts.records);
    const refusing = vi.spyOn(gateway.parts.records, 'append').mockImplementation((draft) => {
      return draft.type.startsWith('principal.') ? Promise.reject(new Error('the disk is full')) : append(draft);
    });
    await expect(gateway.locks.set(because, operator)).rejects.toMatchObject({
      code: 'LEDGER_FAILED',
      message: expect.stringContaining('is locked and its sessions are ended, but that could not be recorded'),
    });
    await client.ended;
    expect(gateway.locks.isLocked('deploy-bot')).toBe(true);
    expect(await logsIn(gateway)).toBe(false);
    refusing.mockRestore();
    expect(await gateway.locks.set(because, operator)).toEqual({ sessions: 0 });
    const again = vi.spyOn(gateway.parts.records, 'append').mockRejectedValue(new Error('the disk is full'));
    await expect(gateway.locks.clear(because, operator)).rejects.toThrow();
    expect(gateway.locks.isLocked('deploy-bot'), 'a lock is not lifted without a record').toBe(true);
    again.mockRestore();
    await gateway.locks.clear(because, operator);
    expect(gateway.locks.list()).toEqual([]);
  });
});
