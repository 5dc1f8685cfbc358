import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { erasedRefusals } from '../../gateway/retention/erased-records.ts';
import { selectForErasure } from '../../gateway/retention/select-for-erasure.ts';
import { draft } from '../store/support.ts';
import { approval, makeReviewer, type Reviewer, request } from '../support/approval-records.ts';
import { Belongings } from '../support/temp.ts';
import { AgedData, asking } from './aged-data.ts';

/** Later than every record: none is too young for what is asked. */
const ANY_TIME = '9999';
const ATTEMPT = '01a00000-0000-7000-8000-00000000000a';
const LATER = '01a00000-0000-7000-8000-00000000000c';

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

describe('a use of what nobody asked for', () => {
  /** A session that is erased by now, in which something was asked for, and approved for an hour. */
  const erased = async (data: AgedData, askedDaysAgo: number) => {
    const session = await data.session({ daysAgo: 500 });
    const asked = request(session, { grants: 3600 });
    data.clock.daysAgo(askedDaysAgo);
    await data.evidence.records.append(approval.asked(asked));
    await data.evidence.records.append(await approval.decided(data.evidence.ledger.key.name, asked, alice));
    data.clock.now();
    expect(await data.run()).toMatchObject({ expired: [{ session }] });
    return asked;
  };
  const used = async (data: AgedData, ...given: Parameters<typeof approval.used>) => {
    await data.evidence.records.append(approval.used(...given));
    return (await data.faults()).map(({ code, words }) => `${code}: ${words}`);
  };
  const stray = [expect.stringMatching(/^missing: A use is of the approval .* no record says that it was asked for/)];

  it('is found also where other sessions were erased, with what was asked for in them', async () => {
    const data = await AgedData.open();
    await erased(data, 1);
    expect(await used(data, request(await data.session({ daysAgo: 0 })))).toEqual(stray);
  });

  it('is none where it was asked for in a session that was erased, at a time from which its grant can have lasted', async () => {
    const data = await AgedData.open();
    const asked = await erased(data, 1);
    expect(await used(data, asked, { session: await data.session({ daysAgo: 0 }) })).toEqual([]);
  });

  it('is found where what was asked for in the erased session was over long before', async () => {
    const data = await AgedData.open();
    const asked = await erased(data, 9);
    expect(await used(data, asked, { session: await data.session({ daysAgo: 0 }) })).toEqual(stray);
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
    expect((await database.records.passing(0, 100, ANY_TIME)).map(({ type }) => type)).toEqual([
      'approval.asked',
      'approval.decided',
      'operator.login',
      'access.searched',
    ]);
    data.clock.now();
    expect(await data.retention.run({ dryRun: false }, asking)).toMatchObject({ records: 4 });
    expect(await database.records.passing(0, 100, ANY_TIME)).toEqual([]);
    expect(await data.faults()).toEqual([]);
    await database.rebuildProjections();
    expect(await data.faults()).toEqual([]);
  });
});

describe('consent to a connection', () => {
  const connection = (change: Parameters<typeof request>[1] = {}) => {
    const { channel: _, ...asked } = request(ATTEMPT, { action: 'connect', facts: { protocol: 'ssh' }, ...change });
    return asked;
  };
  const left = async ({ evidence }: AgedData) =>
    (await evidence.database.records.after(0, 100))
      .filter(({ bytes, session }) => bytes !== null && session !== null)
      .map(({ type }) => type);
  const expire = (data: AgedData) => {
    data.clock.now();
    return data.run();
  };

  it.each([
    ['that still waits', false],
    ['that nobody has reviewed', true],
  ])('%s does not expire, however old it is', async (_, breakGlass) => {
    const data = await AgedData.open();
    data.clock.daysAgo(500);
    await data.evidence.records.append(approval.asked(connection({ breakGlass })));
    expect(await expire(data)).toMatchObject({ records: 0 });
    expect(await left(data)).toEqual(['approval.asked']);
  });

  it('is not erased on request while its connection may still begin', async () => {
    const data = await AgedData.open();
    const { records, database, ledger } = data.evidence;
    const asked = connection();
    const question = { sessions: [], filter: { principal: asked.principal } };
    const selected = async () => (await selectForErasure(database, question, data.clock.wallMicros())).records;
    data.clock.daysAgo(10);
    await records.append(approval.asked(asked));
    await records.append(await approval.decided(ledger.key.name, asked, alice));
    const used = await records.append(approval.used(asked));
    expect(await selected()).toEqual([]);
    data.clock.daysAgo(9);
    expect(await selected()).toEqual([]);
    data.clock.daysAgo(7);
    expect((await selected()).at(-1)?.[1]).toBe(used.index);
  });

  it('goes as its erasure says, whatever is recorded between the two', async () => {
    const data = await AgedData.open();
    const { records, database, ledger } = data.evidence;
    const asked = connection();
    data.clock.daysAgo(500);
    const { index } = await records.append(approval.asked(asked));
    const decision = await records.append(await approval.decided(ledger.key.name, asked, alice));
    data.clock.now();
    const grounds = { basis: 'retention', reason: 'old', actor: asking.actor } as const;
    const gateway = { name: 'gateway-1', kind: 'gateway' } as const;
    await records.appendTogether(erasedRefusals([[index, decision.index]], grounds, gateway));
    await records.append(draft.sessionOpen(ATTEMPT));
    await expire(data);
    expect((await database.records.at(index + 1))?.bytes).toBeNull();
    expect(await data.faults()).toEqual([]);
  });

  it('stays as long as a session that was opened with its grant, and goes after that', async () => {
    const data = await AgedData.open();
    const { records, ledger } = data.evidence;
    const asked = connection({ grants: 3600 });
    data.clock.daysAgo(500);
    await records.append(approval.asked(asked));
    await records.append(await approval.decided(ledger.key.name, asked, alice));
    const session = await data.session({ daysAgo: 499 });
    data.clock.daysAgo(499);
    await records.append(approval.used(asked, { session }));
    const { hold } = await data.retention.setHold({ scope: { session }, reason: 'court' }, asking);
    expect(await expire(data)).toMatchObject({ records: 0, held: [{ session }] });
    expect(await left(data)).toContain('approval.decided');
    await data.retention.clearHold({ hold, reason: 'over' }, asking);
    expect(await expire(data)).toMatchObject({ records: 2, expired: [{ session }] });
    expect(await left(data)).toEqual(['erased']);
  });

  it('that was used by a connection that never began leaves nothing of it behind', async () => {
    const data = await AgedData.open();
    const asked = connection({ grants: 3600 });
    data.clock.daysAgo(500);
    await data.evidence.records.append(approval.used(asked, { session: LATER }));
    expect(await expire(data)).toMatchObject({ records: 1 });
    expect(await left(data)).toEqual([]);
    data.clock.now();
    await data.evidence.records.append(approval.used(asked, { session: LATER }));
    expect(await expire(data)).toMatchObject({ records: 0 });
  });
});
