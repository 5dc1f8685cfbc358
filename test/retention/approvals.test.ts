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
