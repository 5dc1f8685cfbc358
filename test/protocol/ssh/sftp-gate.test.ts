import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { decisionText } from '../../../contract/approval.ts';
import type { ApprovalRule } from '../../../gateway/approval/approval-rule.ts';
import { readFileFacts } from '../../../gateway/policy/facts/file-facts.ts';
import { FieldReader, MessageType, readChannelData, writeMessage } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { fileAction } from '../../../gateway/protocol/ssh/sftp-actions.ts';
import { SftpType } from '../../../gateway/protocol/ssh/sftp-packets.ts';
import { Supervision } from '../../../gateway/session/supervision.ts';
import { reviewerKey } from '../../support/reviewer-key.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { data, eof, openChannel, type RawSession, rawSession, request } from './session-world.ts';
import type { RawPeer, TestGatewayOptions } from './support.ts';

let belongings = new Belongings();
afterEach(async () => {
  await belongings.release();
  belongings = new Belongings();
});

const alice = reviewerKey();
const operator = { principal: 'alice@example.com', kind: 'human', source: '127.0.0.1:1' } as const;
const stepRule: ApprovalRule = {
  name: 'step',
  reviewers: { groups: [], names: [operator.principal] },
  needed: 1,
  withinSeconds: 60,
  reasonRequired: false,
  grants: 'once',
  breakGlass: false,
};

type Field = number | string | Uint8Array;

function packet(type: number, ...fields: Field[]): Buffer {
  const body = writeMessage(type, ...fields);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

const READ_FLAG = 1;
const WRITE_FLAG = 2;
const openFile = (id: number, path: string, flags: number): Buffer => packet(SftpType.OPEN, id, path, flags, 0);
const remove = (id: number, path: string): Buffer => packet(SftpType.REMOVE, id, path);
const stat = (id: number, path: string): Buffer => packet(SftpType.STAT, id, path);
const said = (peer: RawPeer): Buffer => Buffer.concat(peer.of(MessageType.CHANNEL_DATA).map(readChannelData));

/** Whole packets of a stream: their types and numbers. */
function packets(stream: Buffer): { type: number; id: number; code: number | undefined }[] {
  const found = [];
  for (let at = 0; at + 4 <= stream.length; ) {
    const length = stream.readUInt32BE(at);
    const type = stream[at + 4] as number;
    found.push({ type, id: stream.readUInt32BE(at + 5), code: type === SftpType.STATUS ? stream.readUInt32BE(at + 9) : undefined });
    at += 4 + length;
  }
  return found;
}

/** A channel of SFTP where nothing below /srv may be changed. */
async function sftp(options: Partial<TestGatewayOptions> = {}): Promise<RawSession & { clientId: number; targetId: number }> {
  const session = await rawSession(belongings, {
    decide: ({ action, facts }) =>
      action === 'ssh:write-file' && String(facts.path).startsWith('/srv')
        ? { verdict: 'deny', reason: 'policy0 forbids it' }
        : { verdict: 'allow' },
    ...options,
  });
  const ids = await openChannel(session);
  session.client.send(request(ids.targetId, 'subsystem', false, 'sftp'));
  await session.target.next(MessageType.CHANNEL_REQUEST);
  return { ...session, ...ids };
}

describe('SFTP through a policy', () => {
  it('lets pass what is allowed with the bytes that came, and answers itself what is not', async () => {
    const { client, target, targetId, gateway } = await sftp();
    const allowed = [stat(1, '/srv/a'), openFile(2, '/srv/a', READ_FLAG), remove(4, '/tmp/b'), packet(SftpType.MKDIR, 6, '/tmp/c', 0)];
    client.send(
      data(
        targetId,
        Buffer.concat([
          allowed[0] as Buffer,
          allowed[1] as Buffer,
          remove(3, '/srv/a'),
          allowed[2] as Buffer,
          openFile(5, '/srv/a', WRITE_FLAG),
          allowed[3] as Buffer,
        ]),
      ),
    );
    await target.until('what is allowed', () => (said(target).equals(Buffer.concat(allowed)) ? true : undefined));
    await client.until('both refusals', () => (packets(said(client)).length === 2 ? true : undefined));
    expect(packets(said(client))).toEqual([
      { type: SftpType.STATUS, id: 3, code: 3 },
      { type: SftpType.STATUS, id: 5, code: 3 },
    ]);
    expect(said(client).toString('latin1')).toContain('sallyport: policy0 forbids it');
    // What was refused does not count against what the client may still send.
    const given = client.of(MessageType.CHANNEL_WINDOW_ADJUST).map((message) => message.readUInt32BE(5));
    expect(given).toEqual([remove(3, '/srv/a').length, openFile(5, '/srv/a', WRITE_FLAG).length]);
    const decided = await until('four decisions', () => {
      const found = gateway.ledger.of('action.decided').filter(({ body }) => body.action.endsWith('-file'));
      return Promise.resolve(found.length === 5 ? found : undefined);
    });
    expect(decided.map(({ body }) => [body.action, body.facts.operation, body.facts.path, body.decision.verdict])).toEqual([
      ['ssh:read-file', 'open', '/srv/a', 'allow'],
      ['ssh:write-file', 'remove', '/srv/a', 'deny'],
      ['ssh:write-file', 'remove', '/tmp/b', 'allow'],
      ['ssh:write-file', 'open', '/srv/a', 'deny'],
      ['ssh:write-file', 'mkdir', '/tmp/c', 'allow'],
    ]);
  });

  it('finds every request however it is cut, and delivers none that is refused', async () => {
    const { client, target, targetId } = await sftp();
    const stream: Buffer[] = [];
    const passed: Buffer[] = [];
    for (let id = 1; id <= 60; id += 1) {
      const each = [
        stat(id, '/srv/x'),
        remove(id, '/srv/x'),
        remove(id, '/tmp/x'),
        packet(SftpType.WRITE, id, 'h', 0, id, Buffer.alloc(300, id)),
      ][id % 4] as Buffer;
      stream.push(each);
      if (id % 4 !== 1) passed.push(each);
    }
    const whole = Buffer.concat(stream);
    const sizes = fc.sample(fc.integer({ min: 1, max: 200 }), { numRuns: 400, seed: 7 });
    for (let at = 0, next = 0; at < whole.length; next += 1) {
      const size = sizes[next % sizes.length] as number;
      client.send(data(targetId, whole.subarray(at, at + size)));
      at += size;
    }
    await target.until('everything that is allowed', () => (said(target).length >= Buffer.concat(passed).length ? true : undefined));
    expect(said(target).equals(Buffer.concat(passed))).toBe(true);
    await client.until('all refusals', () => (packets(said(client)).length === 15 ? true : undefined));
  });

  it('answers between two packets of the target, never within one', async () => {
    const { client, target, clientId, targetId } = await sftp();
    const reply = packet(SftpType.DATA, 9, Buffer.alloc(1000, 'd'));
    target.send(data(clientId, reply.subarray(0, 400)));
    await client.next(MessageType.CHANNEL_DATA);
    client.send(data(targetId, Buffer.concat([remove(3, '/srv/a'), stat(4, '/srv/a')])));
    await target.until('what follows it', () => (said(target).length > 0 ? true : undefined));
    expect(said(client).length).toBe(400);
    target.send(data(clientId, Buffer.concat([reply.subarray(400), packet(SftpType.STATUS, 10, 0, 'ok', ''), reply.subarray(0, 100)])));
    await client.until('all of it', () => (said(client).subarray(400).length > 700 ? true : undefined));
    expect(
      packets(said(client))
        .slice(0, 3)
        .map(({ type, id }) => [type, id]),
    ).toEqual([
      [SftpType.DATA, 9],
      [SftpType.STATUS, 10],
      [SftpType.STATUS, 3],
    ]);
  });

  it.each([
    ['an unknown extension', packet(SftpType.EXTENDED, 3, 'evil@example.com', '/srv/a')],
    ['a hard link', packet(SftpType.EXTENDED, 3, 'hardlink@openssh.com', '/etc/shadow', '/srv/a')],
    ['a rename of OpenSSH', packet(SftpType.EXTENDED, 3, 'posix-rename@openssh.com', '/srv/a', '/tmp/a')],
    ['an unknown request', packet(99, 3, '/srv/a')],
    ['attributes of a file that is open for reading only', packet(SftpType.FSETSTAT, 3, 'unknown', 4, 0o777)],
  ])('does not let %s slip past', async (_what, bytes) => {
    const { client, target, targetId } = await sftp({
      decide: ({ action }) => (action === 'ssh:write-file' ? { verdict: 'deny', reason: 'no changes' } : { verdict: 'allow' }),
    });
    client.send(data(targetId, Buffer.concat([bytes, stat(4, '/srv/a')])));
    await target.until('what follows it', () => (said(target).length > 0 ? true : undefined));
    expect(said(target).equals(stat(4, '/srv/a'))).toBe(true);
    await client.until('the refusal', () => (packets(said(client)).length === 1 ? true : undefined));
  });

  const MODE = 4;
  const given = { uid: 0, gid: 7, mode: '4777', accessed: '1970-01-01T00:00:01Z', modified: '2026-03-01T00:00:00Z' };
  const attributes = [2 | MODE | 8, 0, 7, 0o4777, 1, 1_772_323_200] as const;
  it.each([
    ['setstat', packet(SftpType.SETSTAT, 3, '/srv/a', ...attributes), { operation: 'setstat', path: '/srv/a', ...given }],
    ['setstat that cuts a file off', packet(SftpType.SETSTAT, 3, '/srv/a', 1, 0, 0), { operation: 'setstat', path: '/srv/a', size: 0 }],
    ['setstat by an unknown handle', packet(SftpType.FSETSTAT, 3, 'h', MODE, 0o644), { operation: 'setstat', path: '', mode: '0644' }],
    [
      'setstat of a link',
      packet(SftpType.EXTENDED, 3, 'lsetstat@openssh.com', '/srv/a', ...attributes),
      { operation: 'setstat', path: '/srv/a', ...given },
    ],
    ['mkdir', packet(SftpType.MKDIR, 3, '/srv/a', MODE, 0o755), { operation: 'mkdir', path: '/srv/a', mode: '0755' }],
    [
      'open',
      packet(SftpType.OPEN, 3, '/srv/a', WRITE_FLAG, MODE, 0o100600),
      { operation: 'open', path: '/srv/a', flags: ['write'], mode: '100600' },
    ],
    ['open without any', openFile(3, '/srv/a', WRITE_FLAG), { operation: 'open', path: '/srv/a', flags: ['write'] }],
    [
      'mkdir with those of a vendor',
      packet(SftpType.MKDIR, 3, '/srv/a', 0x8000_0000, 1, 'acl@example.com', 'everybody'),
      { operation: 'mkdir', path: '/srv/a', moreAttributesSha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ],
  ])('has the attributes decided with the rest: %s', (_what, bytes, facts) => {
    const wanted = fileAction(bytes[4] as number, new FieldReader(bytes, 9), () => undefined);
    expect(wanted).toEqual({ action: 'ssh:write-file', facts });
    expect(readFileFacts(facts)).toMatchObject({ operation: facts.operation, opaque: facts.path === '' });
  });

  it.each([
    ['before its name is known to be free again', true],
    ['that was closed before it was given', false],
  ])('takes no handle for the file it stood for, %s', async (_what, given) => {
    const { client, target, clientId, targetId, gateway } = await sftp({
      decide: ({ action, facts }) =>
        action === 'ssh:write-file' && facts.operation === 'setstat' ? { verdict: 'deny', reason: 'no changes' } : { verdict: 'allow' },
    });
    const opened = openFile(1, '/tmp/mine', WRITE_FLAG);
    const close = packet(SftpType.CLOSE, 2, 'h');
    const other = openFile(3, '/tmp/other', READ_FLAG);
    const before = given ? [opened] : [opened, close, other];
    client.send(data(targetId, Buffer.concat(before)));
    await target.until('the file to write', () => (said(target).equals(Buffer.concat(before)) ? true : undefined));
    const handle = packet(SftpType.HANDLE, 1, 'h');
    target.send(data(clientId, handle));
    await client.until('its handle', () => (said(client).equals(handle) ? true : undefined));
    // The target closes it, opens the other file and calls that one h, too; its replies are on their way.
    const chmod = packet(SftpType.FSETSTAT, 4, 'h', 4, 0o4777);
    client.send(data(targetId, Buffer.concat([...(given ? [close, other] : []), chmod, stat(5, '/tmp/other')])));
    const passed = Buffer.concat([opened, close, other, stat(5, '/tmp/other')]);
    await target.until('what follows', () => (said(target).length >= passed.length ? true : undefined));
    expect(said(target).equals(passed)).toBe(true);
    await client.until('the refusal', () => (packets(said(client)).length === 2 ? true : undefined));
    const decided = gateway.ledger.of('action.decided').filter(({ body }) => body.facts.operation === 'setstat');
    expect(decided.map(({ body }) => [body.facts.path, body.decision.verdict])).toEqual([['', 'deny']]);
  });

  it.each([
    ['a length that no request has', Buffer.from([0x7f, 0xff, 0xff, 0xff, 13, 0, 0, 0, 3])],
    ['no length at all', Buffer.from([0, 0, 0, 0, 13, 0, 0, 0, 3])],
    ['a path longer than its request', packet(SftpType.REMOVE, 3, Buffer.from([0, 0, 0xff])).fill(0xff, 9, 13)],
  ])('ends a channel with %s: what cannot be decoded cannot be decided', async (_what, bytes) => {
    const { client, target, targetId } = await sftp();
    client.send(data(targetId, bytes), data(targetId, remove(4, '/srv/a')), eof(targetId));
    await client.next(MessageType.CHANNEL_CLOSE);
    await target.next(MessageType.CHANNEL_CLOSE);
    expect(said(target).length).toBe(0);
  });

  it('decides from the next request on when an operator begins to step in the middle of one, wherever requests are cut', async () => {
    const { client, target, targetId, gateway } = await sftp({
      decide: undefined as never,
      rules: [stepRule],
      reviewers: [{ name: operator.principal, groups: [], active: true, keys: [alice.line] }],
    });
    const first = Buffer.concat([stat(1, '/srv/a'), stat(2, '/srv/b')]);
    const removes = [3, 4, 5, 6].map((id) => remove(id, `/srv/${id}`));
    const stream = Buffer.concat([first, ...removes, stat(7, '/srv/c')]);
    // Each message ends one byte into the next request, so that none of them begins where a request does.
    const ends = [first.length - 10, first.length + 1];
    for (const each of removes) ends.push((ends.at(-1) as number) + each.length);
    client.send(data(targetId, stream.subarray(0, ends[0])));
    await target.until('the first message', () => (said(target).length === ends[0] ? true : undefined));
    const { live, records, log } = gateway.parts;
    const [session] = live.all();
    await new Supervision({ live, records, log }).step({ session: session?.id as string, on: true, reason: 'careful' }, operator);
    for (const [index, end] of ends.entries()) client.send(data(targetId, stream.subarray(end, ends[index + 1])));
    const asked: unknown[] = [];
    while (asked.length < removes.length) {
      const { request: wanted } = await until('a request that waits', () =>
        Promise.resolve(
          gateway.parts.approvals.open().find(({ state, request: { facts } }) => state === 'waiting' && !asked.includes(facts.path)),
        ),
      );
      await target.until('what came before them', () => (said(target).length >= first.length ? true : undefined));
      expect(said(target).equals(first)).toBe(true);
      asked.push(wanted.facts.path);
      const signature = alice.sign(
        decisionText('test.example/log', wanted, { verdict: 'deny', reviewer: operator.principal, reason: 'because' }),
      );
      await gateway.parts.approvals.decide(
        { approval: wanted.id, digest: wanted.digest, verdict: 'deny', reason: 'because', key: alice.line, signature },
        operator,
      );
    }
    expect(asked).toEqual(['/srv/3', '/srv/4', '/srv/5', '/srv/6']);
    const passed = Buffer.concat([first, stat(7, '/srv/c')]);
    await target.until('what follows', () => (said(target).equals(passed) ? true : undefined));
  });

  it('passes what is no SFTP where files are not decided about', async () => {
    const { client, target, targetId } = await sftp({ decide: undefined as never });
    const odd = Buffer.from('this is no SFTP at all, and is relayed all the same');
    client.send(data(targetId, odd.subarray(0, 3)), data(targetId, odd.subarray(3)));
    await target.until('all of it', () => (said(target).equals(odd) ? true : undefined));
  });
});
