import { afterEach, describe, expect, it } from 'vitest';
import { decisionText } from '../../../contract/approval.ts';
import type { Action } from '../../../contract/policy.ts';
import type { ApprovalRule } from '../../../gateway/approval/approval-rule.ts';
import type { OpenRequest } from '../../../gateway/approval/open-request.ts';
import {
  FieldReader,
  MessageType,
  readChannelData,
  readExtendedData,
  writeMessage,
} from '../../../gateway/protocol/ssh/connection-messages.ts';
import { Supervision } from '../../../gateway/session/supervision.ts';
import { reviewerKey } from '../../support/reviewer-key.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { close, data, eof, openChannel, openSession, type RawSession, rawSession, request } from './session-world.ts';
import type { RawPeer, TestGateway, TestGatewayOptions } from './support.ts';

let belongings = new Belongings();
afterEach(async () => {
  await belongings.release();
  belongings = new Belongings();
});

const rule: ApprovalRule = {
  name: 'prod',
  reviewers: { groups: [], names: ['alice@example.com'] },
  needed: 1,
  withinSeconds: 60,
  reasonRequired: false,
  grants: 'once',
  breakGlass: false,
};
const alice = reviewerKey();
const reviewers = [{ name: 'alice@example.com', groups: [], active: true, keys: [alice.line] }];
const operator = { principal: 'alice@example.com', kind: 'human', source: '127.0.0.1:1' } as const;

function asking(...actions: Action[]): Partial<TestGatewayOptions> {
  return {
    rules: [rule],
    reviewers,
    decide: ({ action }) => (actions.includes(action) ? { verdict: 'ask', rule: 'prod' } : { verdict: 'allow' }),
  };
}

/** The request that waits, as soon as one does. */
function waiting({ parts }: TestGateway, index = 0): Promise<OpenRequest> {
  return until('a request that waits', () => Promise.resolve(parts.approvals.open().filter(({ state }) => state === 'waiting')[index]));
}

async function decide(gateway: TestGateway, verdict: 'approve' | 'deny', open?: OpenRequest): Promise<void> {
  const { request: wanted } = open ?? (await waiting(gateway));
  const reason = 'because';
  const signature = alice.sign(decisionText('test.example/log', wanted, { verdict, reviewer: operator.principal, reason }));
  await gateway.parts.approvals.decide(
    { approval: wanted.id, digest: wanted.digest, verdict, reason, key: alice.line, signature },
    operator,
  );
}

const commandsAt = (target: RawPeer): string[] =>
  target.of(MessageType.CHANNEL_REQUEST).flatMap((message) => {
    const fields = new FieldReader(message, 5);
    const name = fields.text();
    fields.boolean();
    return name === 'exec' ? [fields.text()] : [];
  });
const errorsOf = (client: RawPeer): string =>
  client
    .of(MessageType.CHANNEL_EXTENDED_DATA)
    .map((message) => readExtendedData(message).data.toString())
    .join('');
const dataAt = (peer: RawPeer): string =>
  peer
    .of(MessageType.CHANNEL_DATA)
    .map((message) => readChannelData(message).toString())
    .join('');

describe('a command that needs consent', () => {
  it('waits, and everything behind it on its channel in order, while the client is told and other channels go on', async () => {
    const session = await rawSession(belongings, asking('ssh:exec'));
    const { client, target, gateway } = session;
    const { clientId, targetId } = await openChannel(session);
    client.send(request(targetId, 'exec', true, 'rm -rf /srv/old'), data(targetId, 'first '), data(targetId, 'second'), eof(targetId));
    await client.next(MessageType.CHANNEL_EXTENDED_DATA);
    expect(errorsOf(client)).toMatch(
      /^sallyport: this command waits for approval by alice@example\.com, until \d\d:\d\d:\d\d UTC \(request [0-9a-f-]{36}\)\n$/,
    );
    const other = await openChannel(session, 8, 80);
    client.send(request(other.targetId, 'shell', true));
    await target.until('the shell of the other channel', () => target.of(MessageType.CHANNEL_REQUEST)[0]);
    expect(commandsAt(target)).toEqual([]);
    expect(target.of(MessageType.CHANNEL_DATA)).toEqual([]);

    await decide(gateway, 'approve');
    await target.next(MessageType.CHANNEL_EOF);
    expect(commandsAt(target)).toEqual(['rm -rf /srv/old']);
    expect(dataAt(target)).toBe('first second');
    const order = target.messages
      .map((message) => message[0])
      .filter((type) => type !== MessageType.CHANNEL_OPEN)
      .slice(1);
    expect(order).toEqual([MessageType.CHANNEL_REQUEST, MessageType.CHANNEL_DATA, MessageType.CHANNEL_DATA, MessageType.CHANNEL_EOF]);
    await until('the client is told', () => Promise.resolve(errorsOf(client).includes('approved by alice@example.com') || undefined));
    const types = gateway.ledger.stored.map(({ record }) => record.type);
    expect(types.indexOf('grant.used')).toBeGreaterThan(types.indexOf('approval.decided'));
    expect(gateway.ledger.of('action.decided').map(({ body }) => body.decision.verdict)).toEqual(['ask', 'allow']);
    void clientId;
  });

  it('that is denied ends its channel with the reason and a status, reaches nobody, and leaves other channels alone', async () => {
    const session = await rawSession(belongings, asking('ssh:exec'));
    const { client, target, gateway } = session;
    const other = await openChannel(session, 8, 80);
    const { clientId, targetId } = await openChannel(session);
    client.send(request(targetId, 'exec', true, 'reboot'), data(targetId, 'never'));
    await decide(gateway, 'deny');
    await client.next(MessageType.CHANNEL_CLOSE);
    expect(errorsOf(client)).toContain('sallyport: APPROVAL_DENIED: alice@example.com denied this: because\n');
    const status = client.of(MessageType.CHANNEL_REQUEST).map((message) => message.readUInt32BE(message.length - 4));
    expect(status).toEqual([255]);
    expect(client.of(MessageType.CHANNEL_SUCCESS)).toHaveLength(1);
    await target.next(MessageType.CHANNEL_CLOSE);
    expect(commandsAt(target)).toEqual([]);
    expect(target.of(MessageType.CHANNEL_DATA)).toEqual([]);
    // Both sides close it themselves, and what they still say on it is nobody's any more.
    client.send(data(targetId, 'late'), close(targetId));
    target.send(data(clientId, 'late'), close(clientId));
    client.send(request(other.targetId, 'exec', true, 'next'));
    await waiting(gateway);
    expect(dataAt(client)).toBe('');
    await until('the channel is closed', () => Promise.resolve(gateway.ledger.of('channel.close')[0]));
    expect(gateway.ledger.of('action.finished')).toEqual([]);
    expect(gateway.ledger.of('grant.used')).toEqual([]);
  });

  it('is withdrawn when the client closes the channel, and can be approved no more', async () => {
    const session = await rawSession(belongings, asking('ssh:exec'));
    const { client, target, gateway } = session;
    const { clientId, targetId } = await openChannel(session);
    client.send(request(targetId, 'exec', true, 'reboot'));
    const open = await waiting(gateway);
    client.send(close(targetId));
    target.send(close(clientId));
    await until('it is withdrawn', () => Promise.resolve(gateway.ledger.of('approval.withdrawn')[0]));
    await expect(decide(gateway, 'approve', open)).rejects.toMatchObject({ code: 'APPROVAL_NOT_FOUND' });
    await until('the channel is closed', () => Promise.resolve(gateway.ledger.of('channel.close')[0]));
    expect(commandsAt(target)).toEqual([]);
  });

  it('is withdrawn when the client has gone', async () => {
    const session = await rawSession(belongings, asking('ssh:exec'));
    const { client, gateway } = session;
    const { targetId } = await openChannel(session);
    client.send(request(targetId, 'exec', true, 'reboot'));
    await waiting(gateway);
    client.socket.destroy();
    const withdrawn = await until('it is withdrawn', () => Promise.resolve(gateway.ledger.of('approval.withdrawn')[0]));
    expect(withdrawn.body.reason).toBe('the client disconnected');
    await gateway.parts.live.drain();
  });

  it('keeps a bounded part of what the client goes on to send', async () => {
    const session = await rawSession(belongings, asking('ssh:exec'));
    const { client, target, gateway } = session;
    const { targetId } = await openChannel(session);
    client.send(request(targetId, 'exec', true, 'cat > /srv/x'));
    await waiting(gateway);
    const piece = Buffer.alloc(32_000, 'x');
    for (let sent = 0; sent < 64; sent += 1) client.send(data(targetId, piece));
    await decide(gateway, 'approve');
    await target.until('all of it', () => (dataAt(target).length === 64 * piece.length ? true : undefined));
  });

  it('says why to the reviewer where the client says so, and the target does not hear of it', async () => {
    const session = await rawSession(belongings, asking('ssh:exec'));
    const { client, target, gateway } = session;
    const { targetId } = await openChannel(session);
    client.send(request(targetId, 'env', false, 'SALLYPORT_REASON', 'ticket 4711\u001b[2J'), request(targetId, 'exec', true, 'reboot'));
    expect((await waiting(gateway)).request.justification).toBe('ticket 4711\\x1b[2J');
    await decide(gateway, 'approve');
    await target.until('the command', () => commandsAt(target)[0]);
    expect(target.of(MessageType.CHANNEL_REQUEST)).toHaveLength(1);
  });
});

describe('a forward that needs consent', () => {
  const forward = (sender: number): Buffer =>
    writeMessage(MessageType.CHANNEL_OPEN, 'direct-tcpip', sender, 65_536, 32_768, '10.0.0.9', 5432, '127.0.0.1', 4000);

  it('opens when it is approved and fails when it is denied', async () => {
    const session = await rawSession(belongings, asking('ssh:forward'));
    const { client, target, gateway } = session;
    client.send(forward(3));
    await decide(gateway, 'deny');
    const failure = await client.next(MessageType.CHANNEL_OPEN_FAILURE);
    expect(failure.toString('latin1')).toContain('denied this: because');
    client.send(forward(4));
    await decide(gateway, 'approve');
    await target.next(MessageType.CHANNEL_OPEN);
    expect(target.of(MessageType.CHANNEL_OPEN)).toHaveLength(1);
  });

  it('to listen at the target is answered in its place among other requests', async () => {
    const session = await rawSession(belongings, asking('ssh:forward'));
    const { client, target, gateway } = session;
    client.send(
      writeMessage(MessageType.GLOBAL_REQUEST, 'tcpip-forward', true, 'localhost', 8080),
      writeMessage(MessageType.GLOBAL_REQUEST, 'keepalive@openssh.com', true),
    );
    await waiting(gateway);
    expect(target.of(MessageType.GLOBAL_REQUEST)).toEqual([]);
    await decide(gateway, 'approve');
    await target.next(MessageType.GLOBAL_REQUEST);
    expect(client.of(MessageType.REQUEST_FAILURE)).toEqual([]);
    target.send(writeMessage(MessageType.REQUEST_SUCCESS));
    await client.next(MessageType.REQUEST_FAILURE);
    expect(client.messages.map((message) => message[0])).toEqual([MessageType.REQUEST_SUCCESS, MessageType.REQUEST_FAILURE]);
  });
});

describe('a connection that needs consent', () => {
  async function knock(options: Partial<TestGatewayOptions> = {}) {
    const { rawServer, sshTarget, testGateway, rawClient } = await import('./support.ts');
    const server = await rawServer(belongings);
    const gateway = await testGateway(belongings, { ...asking('connect'), ...options, targets: [sshTarget(server)] });
    const client = await rawClient(gateway, { username: 'web', privateKey: gateway.key });
    belongings.add(() => void client.socket.destroy());
    return { server, gateway, client };
  }

  it('tells the client in its terminal, and gives the target all that was said meanwhile', async () => {
    const { server, gateway, client } = await knock();
    client.send(openSession(7));
    const confirmed = await client.next(MessageType.CHANNEL_OPEN_CONFIRMATION);
    const room = confirmed.readUInt32BE(5);
    client.send(request(room, 'exec', true, 'uptime'), data(room, 'typed ahead'), eof(room));
    await client.next(MessageType.CHANNEL_EXTENDED_DATA);
    expect(errorsOf(client)).toMatch(/this connection waits for approval by alice@example\.com/);
    expect(gateway.ledger.of('session.open')).toEqual([]);
    await decide(gateway, 'approve');
    const target = await server.accepted();
    await target.next(MessageType.CHANNEL_OPEN);
    target.send(writeMessage(MessageType.CHANNEL_OPEN_CONFIRMATION, 7, 70, 2 * 1024 * 1024, 32_768));
    await target.next(MessageType.CHANNEL_EOF);
    expect(commandsAt(target)).toEqual(['uptime']);
    expect(dataAt(target)).toBe('typed ahead');
    target.send(writeMessage(MessageType.CHANNEL_SUCCESS, 7), data(7, 'up 3 days'));
    await client.next(MessageType.CHANNEL_SUCCESS);
    await client.next(MessageType.CHANNEL_DATA);
    expect(dataAt(client)).toBe('up 3 days');
    const types = gateway.ledger.stored.map(({ record }) => record.type);
    expect(types.indexOf('session.open')).toBeGreaterThan(types.indexOf('grant.used'));
    expect(gateway.ledger.of('session.open')[0]?.session).toBe(gateway.ledger.of('approval.asked')[0]?.session);
  });

  it('that is denied is told so with a status, and is a refusal on record', async () => {
    const { gateway, client } = await knock();
    client.send(openSession(7));
    const room = (await client.next(MessageType.CHANNEL_OPEN_CONFIRMATION)).readUInt32BE(5);
    client.send(request(room, 'exec', true, 'uptime'));
    await decide(gateway, 'deny');
    await client.next(MessageType.CHANNEL_CLOSE);
    expect(errorsOf(client)).toContain('APPROVAL_DENIED: alice@example.com denied this: because');
    client.send(close(room));
    expect(gateway.ledger.of('session.refused')[0]?.body).toMatchObject({ code: 'APPROVAL_DENIED' });
    expect(gateway.ledger.of('session.open')).toEqual([]);
    await client.ended;
  });

  it('that is approved and refused all the same leaves no grant behind', async () => {
    const { gateway, client } = await knock({ limits: { sessionsPerPrincipal: 0 } });
    const { approvals } = gateway.parts;
    const over: string[] = [];
    const sessionOver = approvals.sessionOver.bind(approvals);
    approvals.sessionOver = (id) => {
      over.push(id);
      sessionOver(id);
    };
    const { request: wanted } = await waiting(gateway);
    await decide(gateway, 'approve');
    await until('it is refused', () => Promise.resolve(gateway.ledger.of('session.refused')[0]));
    expect(over).toEqual([wanted.session]);
    client.socket.destroy();
  });

  it('is withdrawn when the client goes', async () => {
    const { gateway, client } = await knock();
    await waiting(gateway);
    client.socket.destroy();
    await until('it is withdrawn', () => Promise.resolve(gateway.ledger.of('approval.withdrawn')[0]));
    await until('it is refused', () => Promise.resolve(gateway.ledger.of('session.refused')[0]));
  });
});

describe('an operator', () => {
  async function running(options: Partial<TestGatewayOptions> = {}) {
    const session: RawSession = await rawSession(belongings, { rules: [{ ...rule, name: 'step' }], reviewers, ...options });
    const { clientId, targetId } = await openChannel(session);
    session.client.send(request(targetId, 'pty-req', false, 'xterm', 80, 24, 0, 0, ''), request(targetId, 'shell', false));
    await session.target.until('the shell', () => session.target.of(MessageType.CHANNEL_REQUEST)[1]);
    const { live, records, log } = session.gateway.parts;
    const [started] = live.all();
    if (started === undefined) throw new Error('no session runs');
    return { ...session, clientId, targetId, id: started.id, supervision: new Supervision({ live, records, log }) };
  }

  it('who pauses a session stops both directions, and nothing is lost when it goes on', async () => {
    const { client, target, clientId, targetId, id, supervision, gateway } = await running();
    expect(await supervision.pause({ session: id, reason: 'look here' }, operator)).toMatchObject({ paused: true });
    await client.next(MessageType.CHANNEL_DATA);
    expect(dataAt(client)).toContain('sallyport: paused by alice@example.com: look here');
    const before = dataAt(client).length;
    client.send(data(targetId, 'ls\r'));
    target.send(data(clientId, 'output'));
    // The line of the operator goes round what waits: when it is there, what came before it would be too.
    await supervision.message({ session: id, text: 'wait' }, operator);
    await until('the message', () => Promise.resolve(dataAt(client).includes('alice@example.com: wait') || undefined));
    expect(dataAt(client).slice(before)).not.toContain('output');
    expect(dataAt(target)).toBe('');
    await expect(supervision.pause({ session: id, reason: 'again' }, operator)).rejects.toMatchObject({ code: 'CONFLICT' });
    await supervision.resume({ session: id, reason: 'go on' }, operator);
    await target.until('what was typed', () => (dataAt(target) === 'ls\r' ? true : undefined));
    await client.until('what came', () => (dataAt(client).endsWith('output') ? true : undefined));
    const kinds = gateway.ledger.stored.map(({ record }) => record.type).filter((type) => type.startsWith('supervise.'));
    expect(kinds).toEqual(['supervise.pause', 'supervise.message', 'supervise.resume']);
  });

  it('who pauses a session while its target is still being reached stops it before anything crosses', async () => {
    const { rawServer, sshTarget, testGateway, rawClient } = await import('./support.ts');
    const server = await rawServer(belongings);
    const gateway = await testGateway(belongings, { targets: [sshTarget(server)] });
    const { live, records, log } = gateway.parts;
    const supervision = new Supervision({ live, records, log });
    const enter = live.enter.bind(live);
    const paused = new Promise<string>((resolve, reject) => {
      live.enter = (entering) => {
        enter(entering);
        supervision.pause({ session: entering.id, reason: 'look here' }, operator).then(() => resolve(entering.id), reject);
      };
    });
    const client = await rawClient(gateway, { username: 'web', privateKey: gateway.key });
    belongings.add(() => void client.socket.destroy());
    client.send(openSession(7));
    const target = await server.accepted();
    const id = await paused;
    client.send(openSession(8));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(target.of(MessageType.CHANNEL_OPEN)).toEqual([]);
    await supervision.resume({ session: id, reason: 'go on' }, operator);
    await target.until('both channels', () => (target.of(MessageType.CHANNEL_OPEN).length === 2 ? true : undefined));
  });

  it('who ends a session is answered when both legs are closed and the end is on record', async () => {
    const { client, target, id, supervision, gateway } = await running();
    await supervision.terminate({ session: id, reason: 'enough' }, operator);
    expect(await client.ended).toContain('');
    await target.ended;
    expect(gateway.parts.live.size).toBe(0);
    expect(gateway.ledger.of('session.close')[0]?.body).toMatchObject({
      code: 'SESSION_TERMINATED',
      reason: 'alice@example.com ended this session: enough',
    });
    await expect(supervision.terminate({ session: id, reason: 'again' }, operator)).rejects.toMatchObject({ code: 'SESSION_NOT_LIVE' });
  });

  it('who ends a paused session is not kept waiting by it', async () => {
    const { id, supervision, gateway } = await running();
    await supervision.pause({ session: id, reason: 'look' }, operator);
    await supervision.terminate({ session: id, reason: 'enough' }, operator);
    expect(gateway.ledger.of('session.close')).toHaveLength(1);
  });

  it('who steps through a session is asked about each line and each command, and about nothing any more when it is over', async () => {
    const { client, target, targetId, id, supervision, gateway } = await running();
    await supervision.step({ session: id, on: true, reason: 'careful' }, operator);
    client.send(data(targetId, 'rm -rf /\rls\r'));
    const first = await waiting(gateway);
    expect(first.request).toMatchObject({ rule: 'step', action: 'ssh:input', facts: { line: 'rm -rf /' } });
    await target.until('what was typed', () => (dataAt(target).length >= 8 ? true : undefined));
    expect(dataAt(target)).toBe('rm -rf /');
    await decide(gateway, 'deny', first);
    // The line was not sent: it still stands there, and the next Enter asks for all of it.
    const second = await until('the next line', () =>
      Promise.resolve(gateway.parts.approvals.open().find(({ request: { id: other } }) => other !== first.request.id)),
    );
    expect(second.request.facts).toEqual({ line: 'rm -rf /ls' });
    await decide(gateway, 'approve', second);
    await target.until('the line', () => (dataAt(target) === 'rm -rf /ls\r' ? true : undefined));
    await supervision.step({ session: id, on: false, reason: 'fine' }, operator);
    client.send(data(targetId, 'whoami\r'));
    await target.until('the line', () => (dataAt(target).endsWith('whoami\r') ? true : undefined));
    expect(gateway.parts.approvals.open()).toEqual([]);
  });

  it('who steps through a session is asked also about what would break the glass, and about what was granted before', async () => {
    const rules = [
      { ...rule, name: 'step' },
      { ...rule, name: 'emergency', breakGlass: true },
      { ...rule, name: 'prod', grants: 'session' as const },
    ];
    const asks = ({ facts }: { facts: Readonly<Record<string, unknown>> }) =>
      facts.command === undefined
        ? { verdict: 'allow' as const }
        : { verdict: 'ask' as const, rule: facts.command === 'reboot' ? 'emergency' : 'prod' };
    const session = await running({ rules, decide: asks });
    const { client, target, gateway, id, supervision } = session;
    const granted = await openChannel(session, 8, 80);
    client.send(request(granted.targetId, 'exec', true, 'uptime'));
    await decide(gateway, 'approve');
    await target.until('the command', () => commandsAt(target)[0]);
    await supervision.step({ session: id, on: true, reason: 'careful' }, operator);
    for (const [index, command] of ['reboot', 'uptime'].entries()) {
      const { targetId } = await openChannel(session, 9 + index, 90 + index);
      client.send(request(targetId, 'exec', true, command));
      const open = await waiting(gateway);
      expect(open.request).toMatchObject({ facts: { command }, rule: command === 'reboot' ? 'step' : 'prod' });
      expect(commandsAt(target)).toEqual(['uptime']);
      await decide(gateway, 'deny', open);
    }
  });

  it('who steps through a session is asked at the other keys that hand over a line, and shown what was typed before', async () => {
    const { client, target, targetId, id, supervision, gateway } = await running();
    client.send(data(targetId, 'whoami\rrm '));
    await target.until('what was typed', () => (dataAt(target) === 'whoami\rrm ' ? true : undefined));
    await supervision.step({ session: id, on: true, reason: 'careful' }, operator);
    client.send(data(targetId, '-rf /\u000f'));
    const first = await waiting(gateway);
    expect(first.request.facts).toEqual({ line: 'rm -rf /', key: '^O' });
    await decide(gateway, 'deny', first);
    client.send(data(targetId, '\u0004'));
    const second = await waiting(gateway);
    expect(second.request.facts).toEqual({ line: 'rm -rf /', key: '^D' });
    await target.until('what was typed', () => (dataAt(target).length >= 15 ? true : undefined));
    expect(dataAt(target)).toBe('whoami\rrm -rf /');
    await decide(gateway, 'approve', second);
    client.send(data(targetId, `${'x'.repeat(5000)}\r`));
    expect((await waiting(gateway)).request.facts).toEqual({ line: 'x'.repeat(4096), truncated: true });
  });

  it('who steps through a session is asked about each line of a shell without a terminal before anything of it is sent', async () => {
    const session = await running();
    const { client, target, id, supervision, gateway } = session;
    const { clientId, targetId } = await openChannel(session, 8, 80);
    client.send(request(targetId, 'shell', false));
    await target.until('the shell', () => target.of(MessageType.CHANNEL_REQUEST)[2]);
    await supervision.step({ session: id, on: true, reason: 'careful' }, operator);
    client.send(data(targetId, 'rm -rf '), data(targetId, '/\nid\nreboot'), eof(targetId));
    for (const [line, verdict] of [
      ['rm -rf /', 'deny'],
      ['id', 'approve'],
      ['reboot', 'deny'],
    ] as const) {
      const open = await waiting(gateway);
      expect(open.request.facts).toMatchObject({ line });
      if (line === 'reboot') await target.until('the line that was approved', () => (dataAt(target) === '' ? undefined : true));
      expect(dataAt(target)).toBe(line === 'reboot' ? 'id\n' : '');
      await decide(gateway, verdict, open);
    }
    await target.next(MessageType.CHANNEL_EOF);
    expect(dataAt(target)).toBe('id\n');
    const returned = client.of(MessageType.CHANNEL_WINDOW_ADJUST).map((message) => [message.readUInt32BE(1), message.readUInt32BE(5)]);
    expect(returned).toEqual([
      [clientId, 'rm -rf /\n'.length],
      [clientId, 'reboot'.length],
    ]);
  });

  it('is not shown a secret that is typed while stepping', async () => {
    const { client, target, clientId, targetId, id, supervision, gateway } = await running();
    target.send(data(clientId, 'Password: '));
    await client.until('the prompt', () => (dataAt(client).includes('Password: ') ? true : undefined));
    await supervision.step({ session: id, on: true, reason: 'careful' }, operator);
    target.send(data(clientId, '\r\nPassword: '));
    await client.until('the prompt again', () => (dataAt(client).endsWith('\r\nPassword: ') ? true : undefined));
    client.send(data(targetId, 'hunter2\r'));
    expect((await waiting(gateway)).request.facts).toEqual({ secret: true });
    expect(JSON.stringify(gateway.ledger.stored.map(({ record }) => record))).not.toContain('hunter2');
  });

  it('shows nothing that drives the terminal', async () => {
    const { client, id, supervision } = await running();
    await supervision.message({ session: id, text: '\u001b]0;title\u0007\u202ereversed' }, operator);
    await until('the message', () => Promise.resolve(dataAt(client).includes('title') || undefined));
    expect(dataAt(client)).not.toMatch(/[\u001b\u0007\u202e]/);
  });
});

describe('a connection that was chosen in the menu and needs consent', () => {
  it('reaches its target with everything that was said before', async () => {
    const { rawServer, sshTarget, testGateway, rawClient } = await import('./support.ts');
    const server = await rawServer(belongings);
    const gateway = await testGateway(belongings, { ...asking('connect'), targets: [sshTarget(server)] });
    const client = await rawClient(gateway, { username: 'menu', privateKey: gateway.key });
    belongings.add(() => void client.socket.destroy());
    client.send(openSession(7));
    const menu = (await client.next(MessageType.CHANNEL_OPEN_CONFIRMATION)).readUInt32BE(5);
    client.send(request(menu, 'pty-req', true, 'xterm', 80, 24, 0, 0, ''), request(menu, 'shell', true), data(menu, 'web\rls\r'));
    await client.until('what it waits for', () => (dataAt(client).includes('waits for approval by alice@example.com') ? true : undefined));
    await decide(gateway, 'approve');
    const target = await server.accepted();
    await target.next(MessageType.CHANNEL_OPEN);
    target.send(writeMessage(MessageType.CHANNEL_OPEN_CONFIRMATION, 7, 70, 2 * 1024 * 1024, 32_768));
    await target.until('what was typed ahead', () => (dataAt(target) === 'ls\r' ? true : undefined));
    client.send(data(menu, 'exit\r'));
    await target.until('what is typed on', () => (dataAt(target) === 'ls\rexit\r' ? true : undefined));
  });
});

describe('a forward to the SSH server of a known target', () => {
  it('is refused, whatever policy says: it leads past the recording', async () => {
    const { rawServer, sshTarget, testGateway, rawClient } = await import('./support.ts');
    const server = await rawServer(belongings);
    const gateway = await testGateway(belongings, { targets: [sshTarget(server)], forwarding: ['local'] });
    const client = await rawClient(gateway, { username: 'web', privateKey: gateway.key });
    belongings.add(() => void client.socket.destroy());
    const target = await server.accepted();
    const spellings = ['127.0.0.1', 'web', '::ffff:127.0.0.1', 'localhost', '0.0.0.0', '::1', '0000000000177.0.0.1'];
    for (const [index, host] of spellings.entries()) {
      client.send(writeMessage(MessageType.CHANNEL_OPEN, 'direct-tcpip', index, 65_536, 32_768, host, server.port, '127.0.0.1', 4000));
      const failure = await client.next(MessageType.CHANNEL_OPEN_FAILURE, index);
      expect(failure.toString('latin1')).toContain('past the recording of web');
    }
    expect(target.of(MessageType.CHANNEL_OPEN)).toEqual([]);
    const socket = (path: Buffer | string, index: number): Buffer =>
      writeMessage(MessageType.CHANNEL_OPEN, 'direct-streamlocal@openssh.com', index, 65_536, 32_768, path, '', 0);
    client.send(socket('/run/ssh-unix-local/socket', 20));
    expect((await client.next(MessageType.CHANNEL_OPEN_FAILURE, spellings.length)).toString('latin1')).toContain(
      'past the recording of web',
    );
    const decided = await until('the decisions', () => {
      const found = gateway.ledger.of('action.decided');
      return Promise.resolve(found.length === spellings.length + 1 ? found : undefined);
    });
    client.send(socket(Buffer.from('/srv/\xff', 'latin1'), 21));
    expect((await client.next(MessageType.CHANNEL_OPEN_FAILURE, spellings.length + 1)).toString('latin1')).toContain(
      'not written in UTF-8',
    );
    expect(target.of(MessageType.CHANNEL_OPEN)).toEqual([]);
    for (const { body } of decided)
      expect(body.decision).toMatchObject({ verdict: 'deny', policies: ['gateway.no-way-past-the-recording'] });
  });
});

describe('a connection that comes through a forward to the client', () => {
  const incoming = (sender: number): Buffer =>
    writeMessage(MessageType.CHANNEL_OPEN, 'forwarded-tcpip', sender, 65_536, 32_768, 'localhost', 8080, '10.0.0.7', 40_000);

  it('needs consent of its own, and opens when it is given', async () => {
    const { client, target, gateway } = await rawSession(belongings, asking('ssh:forward'));
    client.send(writeMessage(MessageType.GLOBAL_REQUEST, 'tcpip-forward', true, 'localhost', 8080));
    await decide(gateway, 'approve');
    await target.next(MessageType.GLOBAL_REQUEST);
    target.send(writeMessage(MessageType.REQUEST_SUCCESS), incoming(5));
    const open = await waiting(gateway);
    expect(open.request.facts).toMatchObject({ direction: 'remote', from: '10.0.0.7:40000' });
    expect(client.of(MessageType.CHANNEL_OPEN)).toEqual([]);
    await decide(gateway, 'deny', open);
    await target.next(MessageType.CHANNEL_OPEN_FAILURE);
    target.send(incoming(6));
    await decide(gateway, 'approve');
    await client.next(MessageType.CHANNEL_OPEN);
    expect(client.of(MessageType.CHANNEL_OPEN)).toHaveLength(1);
  });
});
