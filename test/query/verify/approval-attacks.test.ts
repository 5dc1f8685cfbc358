import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../../contract/approval.ts';
import type { RecordDraft } from '../../../contract/record.ts';
import { canonicalBytes } from '../../../gateway/ledger/canonical-json.ts';
import { verdictLines } from '../../../gateway/query/verify/verdict.ts';
import { draft } from '../../store/support.ts';
import { approval, makeReviewer, type Reviewer, request } from '../../support/approval-records.ts';
import { Belongings } from '../../support/temp.ts';
import { AuditedData, agent, decided, finished } from '../audit/audited-data.ts';
import { verify } from './evidence.ts';

const belongings = new Belongings();
let alice: Reviewer;
let bob: Reviewer;
let engineer: Reviewer;
beforeAll(async () => {
  const directory = belongings.directory('reviewers');
  [alice, bob, engineer] = (await Promise.all(
    ['alice@example.com', 'bob@example.com', 'engineer@example.com'].map((name) => makeReviewer(directory, name)),
  )) as [Reviewer, Reviewer, Reviewer];
});
afterAll(() => belongings.release());

const OPENED = '2026-03-01T10:00:00';
const ASKED = '2026-03-01T10:00:01';
const DECIDED = '2026-03-01T10:00:20';
const USED = '2026-03-01T10:00:21';

interface Story {
  data: AuditedData;
  origin: string;
  session: string;
  asked: ApprovalRequest;
}

/** Nothing is recorded of its channels. */
function closed(session: string): RecordDraft<'session.close'> {
  const close = draft.sessionClose(session);
  return { ...close, body: { ...close.body, channels: 0 } };
}

const factsDigest = (facts: unknown) => createHash('sha256').update(canonicalBytes(facts)).digest('hex');

/** An agent's session in which something is asked for; what happens then is the test's. */
async function story(change: Partial<ApprovalRequest> = {}): Promise<Story> {
  const data = await AuditedData.open();
  const session = await data.openSession(OPENED);
  const asked = request(session, change);
  await data.at(ASKED, approval.asked(asked));
  return { data, origin: data.evidence.ledger.key.name, session, asked };
}

async function verdict({ data }: Pick<Story, 'data'>) {
  await data.close();
  return verify(data.directory);
}

/** Told as faults, each in words, without what else `verify` says of it. */
async function faults(told: Pick<Story, 'data'>): Promise<string[]> {
  const { faults: found } = await verdict(told);
  return found.map(({ code, words }) => `${code}: ${words}`);
}

const asks = (session: string, { action, facts, channel = 0 }: ApprovalRequest): RecordDraft<'action.decided'> => {
  const made = decided(session, action, { ...facts }, { channel });
  return {
    ...made,
    body: { ...made.body, digest: factsDigest(facts), decision: { ...made.body.decision, verdict: 'ask', rule: 'production' } },
  };
};
const ends = (session: string, { action, facts, channel = 0 }: ApprovalRequest): RecordDraft<'action.finished'> => {
  const made = finished(session, action, 0, channel);
  return { ...made, body: { ...made.body, digest: factsDigest(facts) } };
};

describe('approvals that nobody tampered with', () => {
  it('are intact, from the question to the use, and the report has the keys of the reviewers', async () => {
    const told = await story({ needed: 2 });
    const { data, origin, session, asked } = told;
    await data.at(ASKED, asks(session, asked));
    await data.at(DECIDED, await approval.decided(origin, asked, alice, { state: 'waiting' }), await approval.decided(origin, asked, bob));
    await data.at(USED, approval.used(asked), ends(session, asked));
    await data.at('2026-03-01T11:00:00', closed(session));
    const { faults: found, outcome } = await verdict(told);
    expect(found).toEqual([]);
    expect(outcome.records.approvals).toMatchObject({ asked: 1, decided: 2 });
    const lines = verdictLines(outcome, 0, 0);
    expect(lines).toContain(`reviewer   ${alice.name} signed 1 with ${alice.key.fingerprint}, 2026-03-01 to 2026-03-01`);
    expect(lines.find((line) => line.includes('no record says: compare the fingerprints'))).toBeDefined();
  });

  it('of a connection, for a session, for a time, expired, withdrawn, denied and reviewed are intact as well', async () => {
    const data = await AuditedData.open();
    const origin = data.evidence.ledger.key.name;
    const connecting = request('01951234-0000-7000-8000-000000000001', { action: 'connect', facts: {}, channel: undefined as never });
    delete connecting.channel;
    await data.at(ASKED, approval.asked(connecting));
    await data.at(DECIDED, await approval.decided(origin, connecting, alice));
    await data.at(USED, approval.used(connecting));
    const open = draft.sessionOpen(connecting.session);
    await data.at(USED, { ...open, body: { ...open.body, decision: { ...open.body.decision, verdict: 'ask', rule: 'production' } } });
    const { session } = connecting;
    const [forSession, forTime] = [request(session, { grants: 'session' }), request(session, { grants: 3600 })];
    const [late, gone, denied] = [request(session), request(session), request(session)];
    const glass = request(session, { breakGlass: true });
    await data.at(ASKED, ...[forSession, forTime, late, gone, denied, glass].map((each) => approval.asked(each)));
    await data.at(
      DECIDED,
      await approval.decided(origin, forSession, alice),
      await approval.decided(origin, forTime, alice),
      await approval.decided(origin, denied, alice, { verdict: 'deny' }),
    );
    await data.at(USED, approval.used(forSession), approval.used(forSession), approval.used(forTime), approval.used(glass));
    await data.at(
      '2026-03-01T10:30:00',
      approval.used(forTime, { channel: 3 }),
      approval.ended(late, 'approval.expired'),
      approval.ended(gone, 'approval.withdrawn'),
    );
    await data.at('2026-03-01T10:31:00', closed(session));
    await data.at('2026-03-02T10:00:00', await approval.reviewed(origin, glass, bob));
    expect(await faults({ data })).toEqual([]);
  });

  it('say of emergency access that nobody has reviewed it yet, and that is no fault', async () => {
    const told = await story({ breakGlass: true });
    await told.data.at(USED, approval.used(told.asked));
    await told.data.at('2026-03-01T11:00:00', closed(told.session));
    const { findings, faults: found } = await verdict(told);
    expect(found).toEqual([]);
    expect(findings.filter(({ code }) => code === 'unreviewed').map(({ words }) => words)).toEqual([
      'deploy-bot used emergency access (ssh:exec at web-1), and nobody has reviewed it so far',
    ]);
  });
});

type Attack = [attack: string, make: (told: Story) => Promise<void>, found: string[], request?: Partial<ApprovalRequest>];

const attacks: Attack[] = [
  [
    'an approval forged by the gateway, with a key of its own making under the name of the reviewer',
    async ({ data, origin, asked }) => {
      const forged = await approval.decided(origin, asked, alice);
      await data.at(DECIDED, {
        ...forged,
        body: { ...forged.body, signature: (await approval.decided(origin, asked, bob)).body.signature },
      });
    },
    [
      'forged: The decision (approve) is recorded as of alice@example.com, and the signature does not verify',
      'counts as approved with 0 of the 1',
    ],
  ],
  [
    'a signature under another request moved to this one',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, alice, { signed: { facts: { command: 'true', terminal: false } } }));
    },
    ['forged: The decision (approve) is recorded as of alice@example.com, and the signature does not verify', 'with 0 of the 1'],
  ],
  [
    'a denial turned into an approval',
    async ({ data, origin, asked }) => {
      const denial = await approval.decided(origin, asked, alice, { verdict: 'deny' });
      await data.at(DECIDED, { ...denial, body: { ...denial.body, verdict: 'approve', state: 'approved' } });
    },
    ['forged:', 'with 0 of the 1'],
  ],
  [
    'the signature of a decision at another gateway',
    async ({ data, asked }) => {
      await data.at(DECIDED, await approval.decided('gateway-2/00000000', asked, alice));
    },
    ['forged:', 'with 0 of the 1'],
  ],
  [
    'a request whose command was changed after it was approved',
    async ({ data, origin, session, asked }) => {
      const other = request(session, { facts: { command: 'rm -rf /', terminal: false }, digest: asked.digest });
      await data.at(ASKED, approval.asked(other));
      await data.at(DECIDED, await approval.decided(origin, other, alice));
    },
    ['inconsistent: The digest of the request is not that of what it asks for'],
  ],
  [
    'a grant used twice',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, alice));
      await data.at(USED, approval.used(asked), approval.used(asked));
    },
    ['inconsistent: The grant is used a second time, and is good for one use'],
  ],
  [
    'a grant used for another action',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, alice));
      await data.at(USED, approval.used(asked, { digest: 'd'.repeat(64) }));
    },
    ['inconsistent: The grant is used for something else than was approved: the digest differs'],
  ],
  [
    'a grant used before it was approved',
    async ({ data, origin, asked }) => {
      await data.at(ASKED, approval.used(asked));
      await data.at(DECIDED, await approval.decided(origin, asked, alice));
    },
    ['inconsistent: The grant is used before the request was approved'],
  ],
  [
    'a grant used although the request was denied',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, alice, { verdict: 'deny' }), approval.used(asked));
    },
    ['inconsistent: The grant is used although the request was denied'],
  ],
  [
    'a grant for a session used in another one',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, alice));
      await data.at(USED, approval.used(asked, { session: await data.openSession(USED) }));
    },
    ['inconsistent: The grant is used in another session'],
    { grants: 'session' },
  ],
  [
    'a grant for a minute used an hour later',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, alice));
      await data.at('2026-03-01T11:00:21', approval.used(asked));
    },
    ['inconsistent: The grant is used at 2026-03-01T11:00:21'],
    { grants: 60 },
  ],
  [
    'an approval by the human for whom the agent acts',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, engineer));
    },
    ['inconsistent: engineer@example.com decided on a request of deploy-bot, who acts for them', 'with 0 of the 1'],
  ],
  [
    "an approval by another of the human's agents",
    async ({ data, origin, asked }) => {
      const robot = { kind: 'agent', onBehalfOf: 'engineer@example.com' } as const;
      await data.at(DECIDED, await approval.decided(origin, asked, { name: 'build-bot', key: bob.key }, { actor: robot }));
    },
    ['inconsistent: build-bot acts for engineer@example.com, for whom the request was made as well', 'with 0 of the 1'],
  ],
  [
    'one reviewer who approves for two',
    async ({ data, origin, asked }) => {
      await data.at(
        DECIDED,
        await approval.decided(origin, asked, alice, { state: 'waiting' }),
        await approval.decided(origin, asked, alice),
      );
    },
    ['inconsistent: alice@example.com decided on the same request a second time', 'with 1 of the 2'],
    { needed: 2 },
  ],
  [
    'one key that approves for two',
    async ({ data, origin, asked }) => {
      await data.at(
        DECIDED,
        await approval.decided(origin, asked, alice, { state: 'waiting' }),
        await approval.decided(origin, asked, { name: 'carol@example.com', key: alice.key }),
      );
    },
    ['signed with a key that has decided on the same request already', 'with 1 of the 2'],
    { needed: 2 },
  ],
  [
    'an approval with one signature where two are needed',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, alice));
    },
    ['inconsistent: The request counts as approved with 1 of the 2 approvals that it needs'],
    { needed: 2 },
  ],
  [
    'an approval after the request expired',
    async ({ data, origin, asked }) => {
      await data.at('2026-03-01T10:02:00', approval.ended(asked, 'approval.expired'), await approval.decided(origin, asked, alice));
    },
    ['inconsistent: The decision of alice@example.com came after the end: the request was expired'],
  ],
  [
    'an approval after its deadline, which nobody wrote down',
    async ({ data, origin, asked }) => {
      await data.at('2026-03-01T10:02:00', await approval.decided(origin, asked, alice));
    },
    ['inconsistent: The decision of alice@example.com is dated 2026-03-01T10:02:00'],
  ],
  [
    'an approval without the reason that the rule wants',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, alice, { reason: ' ' }));
    },
    ['inconsistent: The rule wants a reason'],
  ],
  [
    'an approval that was never asked for',
    async ({ data, origin, session }) => {
      await data.at(DECIDED, await approval.decided(origin, request(session), alice), approval.used(request(session)));
    },
    ['missing: A decision is of the approval', 'missing: A use is of the approval'],
  ],
  [
    'a use that says of its approval that another session had asked for it',
    async ({ data, origin, asked }) => {
      await data.at(DECIDED, await approval.decided(origin, asked, alice));
      await data.at(USED, approval.used(asked, { askedIn: '01951234-0000-7000-8000-000000000003' }));
    },
    ['inconsistent: The grant is used as one that was asked for in another session than it was'],
  ],
  [
    'a command that ran without the grant that policy asks for',
    async ({ data, origin, session, asked }) => {
      await data.at(ASKED, asks(session, asked));
      await data.at(DECIDED, await approval.decided(origin, asked, alice));
      await data.at(USED, ends(session, asked));
    },
    ['inconsistent: The action ssh:exec was carried out although policy asks for an approval'],
  ],
  [
    'a command that ran twice on one grant',
    async ({ data, origin, session, asked }) => {
      await data.at(ASKED, asks(session, asked));
      await data.at(DECIDED, await approval.decided(origin, asked, alice));
      await data.at(USED, approval.used(asked), ends(session, asked), asks(session, asked), ends(session, asked));
    },
    ['inconsistent: The action ssh:exec was carried out although policy asks for an approval'],
  ],
  [
    'a session that was opened without the grant that policy asks for',
    async ({ data }) => {
      const open = draft.sessionOpen('01951234-0000-7000-8000-000000000002');
      await data.at(USED, { ...open, actor: agent, body: { ...open.body, decision: { ...open.body.decision, verdict: 'ask' } } });
    },
    ['inconsistent: The session was opened although policy asks for an approval of the connection'],
  ],
  [
    'a review of emergency access by whoever used it',
    async ({ data, origin, asked }) => {
      await data.at(USED, approval.used(asked));
      await data.at(USED, await approval.reviewed(origin, asked, engineer));
    },
    ['inconsistent: engineer@example.com decided on a request of deploy-bot'],
    { breakGlass: true },
  ],
];

describe('attacks on approvals', () => {
  it.each(attacks)('%s', async (_, make, found, change) => {
    const told = await story(change);
    await make(told);
    const said = await faults(told);
    expect(said, said.join('\n')).toHaveLength(found.length);
    for (const words of found)
      expect(
        said.some((each) => each.includes(words)),
        `${words}\n${said.join('\n')}`,
      ).toBe(true);
  });

  it('an approval by the key that the session was opened with', async () => {
    const data = await AuditedData.open();
    const session = await data.openSession(OPENED);
    const asked = request(session);
    await data.at(ASKED, approval.asked(asked, { authentication: { method: 'publickey', key: alice.key.fingerprint } }));
    await data.at(DECIDED, await approval.decided(data.evidence.ledger.key.name, asked, alice));
    expect(await faults({ data })).toEqual([expect.stringContaining('with which deploy-bot had logged in')]);
  });
});
