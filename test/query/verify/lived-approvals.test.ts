import { afterAll, describe, expect, it } from 'vitest';
import { decisionText } from '../../../contract/approval.ts';
import type { ApprovalRule } from '../../../gateway/approval/approval-rule.ts';
import type { OpenRequest } from '../../../gateway/approval/open-request.ts';
import type { StoredRecord } from '../../../gateway/ledger/records.ts';
import { MessageType } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { RecordChecks } from '../../../gateway/query/verify/record-checks.ts';
import { close, openChannel, type RawSession, rawSession, request } from '../../protocol/ssh/session-world.ts';
import type { TestGateway } from '../../protocol/ssh/support.ts';
import { reviewerKey } from '../../support/reviewer-key.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const ORIGIN = 'test.example/log';
const [alice, bob] = [reviewerKey(), reviewerKey()];
const names = ['alice@example.com', 'bob@example.com'] as const;

const rule: ApprovalRule = {
  name: 'twice',
  reviewers: { groups: [], names: [] },
  needed: 2,
  withinSeconds: 60,
  reasonRequired: true,
  grants: 'once',
  breakGlass: false,
};
const rules: ApprovalRule[] = [
  rule,
  { ...rule, name: 'session', needed: 1, grants: 'session' },
  { ...rule, name: 'emergency', needed: 1, breakGlass: true },
];

async function decide({ parts }: TestGateway, open: OpenRequest, by: 0 | 1, verdict: 'approve' | 'deny' = 'approve'): Promise<void> {
  const [key, reviewer, reason] = [by === 0 ? alice : bob, names[by], 'because'];
  const signature = key.sign(decisionText(ORIGIN, open.request, { verdict, reviewer, reason }));
  const given = { approval: open.request.id, digest: open.request.digest, verdict, reason, key: key.line, signature };
  await parts.approvals.decide(given, { principal: reviewer, kind: 'human', source: '127.0.0.1:1' });
}

/** Runs a command on a channel of its own, and gives the request that it led to, if it waits. */
async function run(session: RawSession, number: number, command: string): Promise<void> {
  const { targetId } = await openChannel(session, number, number * 10);
  session.client.send(request(targetId, 'exec', false, command));
}

function openRequest({ parts }: TestGateway, command: string): Promise<OpenRequest> {
  return until(`a request for ${command}`, () =>
    Promise.resolve(parts.approvals.open().find(({ request: { facts } }) => facts.command === command)),
  );
}

/** What `verify` says of these records. */
function faultsOf(stored: readonly StoredRecord[]): { faults: string[]; asked: number; reviewers: string[] } {
  const checks = new RecordChecks({ origin: ORIGIN });
  const bytes = stored.map((each) => each.bytes);
  const batch = { indexes: stored.map((_, at) => at), lengths: bytes.map(({ length }) => length), bytes: Buffer.concat(bytes) };
  const found = [...checks.take(batch).findings, ...checks.finish().findings];
  const { asked, reviewers } = checks.totals().approvals;
  const faults = found.filter(({ severity }) => severity === 'fault').map(({ words }) => words);
  return { faults, asked, reviewers: reviewers.map(({ reviewer, fingerprint }) => `${reviewer} ${fingerprint}`) };
}

describe('what a gateway records of consent', () => {
  it('is intact as it is, and not when any one of its records is left out', async () => {
    const asks: Record<string, string> = { 'two have to agree': 'twice', 'not this': 'session', again: 'session', fire: 'emergency' };
    const session = await rawSession(belongings, {
      rules,
      reviewers: names.map((name, at) => ({ name, groups: [], active: true, keys: [at === 0 ? alice.line : bob.line] })),
      decide: ({ facts }) => {
        const asked = asks[String(facts.command)];
        return asked === undefined ? { verdict: 'allow' } : { verdict: 'ask', rule: asked };
      },
    });
    const { client, target, gateway } = session;
    const commands = () => target.of(MessageType.CHANNEL_REQUEST).length;

    await run(session, 1, 'two have to agree');
    const both = await openRequest(gateway, 'two have to agree');
    await decide(gateway, both, 0);
    await decide(gateway, both, 1);
    await run(session, 2, 'not this');
    await decide(gateway, await openRequest(gateway, 'not this'), 0, 'deny');
    await run(session, 3, 'again');
    await decide(gateway, await openRequest(gateway, 'again'), 1);
    await until('three commands', () => Promise.resolve(commands() === 2 || undefined));
    await run(session, 4, 'again');
    await run(session, 5, 'fire');
    await until('all commands', () => Promise.resolve(commands() === 4 || undefined));
    await decide(gateway, await openRequest(gateway, 'fire'), 0);
    for (const number of [1, 3, 4, 5]) target.send(request(number, 'exit-status', false), close(number));
    await until('all ends', () => Promise.resolve(gateway.ledger.of('action.finished').length >= 4 || undefined));
    client.socket.destroy();
    await gateway.parts.live.drain();

    const { stored } = gateway.ledger;
    const whole = faultsOf(stored);
    expect(whole.faults).toEqual([]);
    expect(whole.asked).toBe(4);
    expect(whole.reviewers).toEqual([`${names[0]} ${alice.fingerprint}`, `${names[1]} ${bob.fingerprint}`]);
    // The ledger has another answer to this; it is as if whoever wrote the records had never written one.
    for (const type of ['approval.asked', 'approval.decided', 'grant.used'] as const) {
      for (const left of stored.filter(({ record }) => record.type === type)) {
        // A denial that is missing leaves a request of which nothing came.
        if (left.record.type === 'approval.decided' && left.record.body.verdict === 'deny') continue;
        const faults = faultsOf(stored.filter((each) => each !== left)).faults;
        expect(faults, `${type} at ${left.index}`).not.toEqual([]);
      }
    }
  });
});
