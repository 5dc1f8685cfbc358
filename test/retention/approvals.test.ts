import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approval, makeReviewer, type Reviewer, request } from '../support/approval-records.ts';
import { Belongings } from '../support/temp.ts';
import { AgedData, asking } from './aged-data.ts';

const belongings = new Belongings();
let alice: Reviewer;
beforeAll(async () => {
  alice = await makeReviewer(belongings.directory('reviewers'), 'alice@example.com');
});
afterAll(() => belongings.release());

describe('a session with approvals', () => {
  it('is erased with what was asked for and signed in it, and what is left verifies, a review that comes afterwards too', async () => {
    const data = await AgedData.open();
    const origin = data.evidence.ledger.key.name;
    const session = await data.session({ daysAgo: 500 });
    const [asked, glass] = [request(session), request(session, { breakGlass: true })];
    data.clock.wall = Date.parse(asked.asked) * 1000;
    for (const each of [
      approval.asked(asked),
      approval.asked(glass),
      await approval.decided(origin, asked, alice),
      approval.used(asked),
      approval.used(glass),
    ])
      await data.evidence.records.append(each);
    data.clock.now();
    await data.retention.run({ dryRun: false }, asking);
    expect(await data.faults()).toEqual([]);
    await data.evidence.records.append(await approval.reviewed(origin, glass, alice));
    expect(await data.faults()).toEqual([]);
    // Of a session that is not erased it would be a fault.
    const other = request(await data.session({ daysAgo: 1 }));
    await data.evidence.records.append(await approval.decided(origin, other, alice));
    expect((await data.faults()).map((fault) => JSON.stringify(fault))).toEqual([
      expect.stringContaining('no record says that it was asked for'),
    ]);
  });
});

describe('records without a session', () => {
  it('of connections that never came about, log-ins and searches expire with the refusals, and what is left verifies', async () => {
    const data = await AgedData.open();
    const { records, database, ledger } = data.evidence;
    const { channel: _, ...connection } = request('01a00000-0000-7000-8000-00000000000a', { action: 'connect' });
    data.clock.daysAgo(500);
    await records.append(approval.asked(connection));
    await records.append(await approval.decided(ledger.key.name, connection, alice, { verdict: 'deny', state: 'denied' }));
    const gateway = { name: 'gateway-1', kind: 'gateway' } as const;
    const envelope = { outcome: 'success', actor: asking.actor, target: gateway } as const;
    await records.append({
      ...envelope,
      type: 'operator.login',
      body: { method: 'publickey', roles: ['admin'], token: 'a', validTo: connection.expires },
    });
    await records.append({ ...envelope, type: 'access.searched', body: { query: { text: 'secret project' }, results: 0 } });
    expect((await database.records.passing(0, 100)).map(({ type }) => type)).toEqual([
      'approval.asked',
      'approval.decided',
      'operator.login',
      'access.searched',
    ]);
    data.clock.now();
    expect(await data.retention.run({ dryRun: false }, asking)).toMatchObject({ records: 4 });
    expect(await database.records.passing(0, 100)).toEqual([]);
    expect(await data.faults()).toEqual([]);
    await database.rebuildProjections();
    expect(await data.faults()).toEqual([]);
  });
});
