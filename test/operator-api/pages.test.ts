import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { boundText } from '../../contract/approval.ts';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { asSallyportError } from '../../gateway/base/errors.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { approvalOperations } from '../../gateway/operator-api/approval-operations.ts';
import type { Asking } from '../../gateway/operator-api/operations.ts';
import { type SessionReading, sessionOperations } from '../../gateway/operator-api/session-operations.ts';
import { VerifiedSessions } from '../../gateway/operator-api/verified-sessions.ts';
import { Database } from '../../gateway/store/database.ts';
import { actor, draft, newSession, target, temporaryDirectory } from '../store/support.ts';
import { approvalsIn } from '../support/approvals.ts';

/** Lists are whole, page after page, whatever happens between two of them. */

const asking: Asking = { actor, signal: new AbortController().signal };

/** What a caller leaves out of `session.list`. */
const undetailed = { detailed: false, offset: 0 };

async function world() {
  const database = await Database.openForGateway(await temporaryDirectory());
  onTestFinished(() => database.close());
  return { database, records: new Records(database.records, systemClock, 'gateway-1') };
}

function readingOf(database: Database, records: Records): SessionReading {
  return {
    reading: async () => database,
    records,
    gatewayName: 'gateway-1',
    liveState: () => undefined,
    targets: () => new Map(),
    signed: () => 0,
    verified: new VerifiedSessions(),
  };
}

test('sessions: newest first, without a gap and without one twice, though others open meanwhile', async () => {
  const { database, records } = await world();
  const opened: string[] = [];
  for (let count = 0; count < 7; count += 1) {
    const id = newSession();
    await records.append(draft.sessionOpen(id));
    opened.unshift(id);
  }
  const { 'session.list': list } = sessionOperations(readingOf(database, records));
  const seen: string[] = [];
  let page: OperationOutput<'session.list'> | undefined;
  do {
    const cursor = page?.cursor === undefined ? {} : { cursor: page.cursor };
    page = await list({ ...undetailed, limit: 3, principal: actor.principal, ...cursor }, asking);
    seen.push(...page.sessions.map(({ id }) => id));
    await records.append(draft.sessionOpen(newSession()));
  } while (page.cursor !== undefined);
  expect(seen).toEqual(opened);
  await expect(list({ ...undetailed, limit: 3, cursor: newSession() }, asking)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  await expect(list({ ...undetailed, limit: 3, cursor: '7' }, asking)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
});

test('94 a search is on record before what it found is told, each of its pages and whatever cursor it begins at', async () => {
  const { database, records } = await world();
  for (let count = 0; count < 3; count += 1) await records.append(draft.sessionOpen(newSession()));
  const { 'session.list': list } = sessionOperations(readingOf(database, records));
  const text = actor.principal.slice(1);
  const first = await list({ ...undetailed, limit: 2, text }, asking);
  expect(first.sessions).toHaveLength(2);
  await list({ ...undetailed, limit: 2, text, cursor: first.cursor }, asking);
  await list({ ...undetailed, limit: 2, text: 'other words', cursor: first.sessions[0]?.id }, asking);
  await list({ ...undetailed, limit: 2 }, asking);
  const rows = (await database.records.after(0, 100)).filter(({ type }) => type === 'access.searched');
  expect(rows.map(({ bytes }) => (JSON.parse(Buffer.from(bytes ?? '').toString()) as { body: unknown }).body)).toEqual([
    { query: { text }, results: 2 },
    { query: { text }, results: 1 },
    { query: { text: 'other words' }, results: 0 },
  ]);
});

test('approvals: those that wait, the next to expire first; all of them, the newest first; and each as its records have it', async () => {
  const { database, records } = await world();
  const rule = { reviewers: { groups: [], names: [] }, needed: 1, reasonRequired: false, grants: 'once', breakGlass: false } as const;
  const approvals = approvalsIn({
    append: (record) => records.append(record),
    reviewers: () => [{ name: 'reviewer@example.com', groups: [], active: true, keys: ['ssh-ed25519 AAAA'] }],
    rules: [
      { ...rule, name: 'slow', withinSeconds: 900 },
      { ...rule, name: 'quick', withinSeconds: 300 },
    ],
  });
  onTestFinished(() => approvals.close());
  const session = newSession();
  const leaving = new AbortController();
  const ask = (name: string, command: string, signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      const resource = { ...target, kind: 'ssh' as const };
      const bound = {
        principal: actor.principal,
        onBehalfOf: 'engineer@example.com',
        target: resource,
        action: 'ssh:exec',
        facts: { command },
      } as const;
      approvals
        .obtain(
          {
            ...bound,
            kind: 'agent',
            source: actor.source,
            session,
            policies: ['p'],
            policySet: 'a'.repeat(64),
            rule: name,
            actor,
            resource,
          },
          signal,
          ({ id }) => resolve(id),
        )
        // One of them is withdrawn, and the others wait for longer than the test.
        .catch((thrown: unknown) => {
          const error = asSallyportError(thrown);
          if (error.code !== 'APPROVAL_UNAVAILABLE') reject(error);
        });
    });
  const ids: string[] = [];
  for (let count = 0; count < 6; count += 1)
    ids.push(await ask(count % 2 === 0 ? 'slow' : 'quick', `command ${count}`, count === 5 ? leaving.signal : asking.signal));
  const operations = approvalOperations({ approvals, reading: async () => database, origin: 'test.example/log' });
  const all = async (input: { all: boolean; session?: string }) => {
    const seen: OperationOutput<'approval.list'>['approvals'] = [];
    let page: OperationOutput<'approval.list'> | undefined;
    do {
      page = await operations['approval.list'](
        { limit: 2, ...input, ...(page?.cursor === undefined ? {} : { cursor: page.cursor }) },
        asking,
      );
      seen.push(...page.approvals);
    } while (page.cursor !== undefined);
    return seen;
  };
  const order = (approval: { request: { id: string } }) => ids.indexOf(approval.request.id);
  expect((await all({ all: false })).map(order)).toEqual([1, 3, 5, 0, 2, 4]);
  leaving.abort();
  await expect.poll(async () => (await all({ all: false, session })).map(order)).toEqual([1, 3, 0, 2, 4]);
  expect(await all({ all: false, session: newSession() })).toEqual([]);
  const everything = await all({ all: true });
  expect(everything.map(order)).toEqual([5, 4, 3, 2, 1, 0]);
  expect(everything.map(({ state }) => state)).toEqual(['withdrawn', 'waiting', 'waiting', 'waiting', 'waiting', 'waiting']);
  for (const { request, yours } of everything) {
    // What a reviewer's program recomputes before it has anything signed.
    expect(
      createHash('sha256')
        .update(boundText({ ...request, onBehalfOf: request.onBehalfOf ?? '', target }))
        .digest('hex'),
    ).toBe(request.digest);
    expect(yours).toMatchObject({ may: false });
  }
  const over = {
    approval: ids[5] ?? '',
    digest: everything[0]?.request.digest ?? '',
    verdict: 'approve',
    reason: '',
    key: 'k',
    signature: 's',
  } as const;
  await expect(operations['approval.decide'](over, asking)).rejects.toMatchObject({ code: 'APPROVAL_OVER' });
  await expect(operations['approval.decide']({ ...over, approval: newSession() }, asking)).rejects.toMatchObject({
    code: 'APPROVAL_NOT_FOUND',
  });
  await expect(operations['approval.show']({ approval: newSession() }, asking)).rejects.toMatchObject({ code: 'APPROVAL_NOT_FOUND' });
});
