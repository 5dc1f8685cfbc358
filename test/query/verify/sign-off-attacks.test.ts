import { describe, expect, it } from 'vitest';
import type { RecordDraft } from '../../../contract/record.ts';
import { verdictLines } from '../../../gateway/query/verify/verdict.ts';
import { draft } from '../../store/support.ts';
import { sealed, signedOff } from '../../support/review-records.ts';
import { reviewerKey } from '../../support/reviewer-key.ts';
import { AuditedData, agent } from '../audit/audited-data.ts';
import { verify } from './evidence.ts';

const OPENED = '2026-03-01T10:00:00';
const CLOSED = '2026-03-01T11:00:00';
const REVIEWED = '2026-03-02T09:00:00';

const alice = reviewerKey();
const mallory = reviewerKey();

interface Story {
  data: AuditedData;
  origin: string;
  session: string;
}

function close(session: string): RecordDraft<'session.close'> {
  const made = draft.sessionClose(session);
  return { ...made, body: { ...made.body, channels: 0 } };
}

/** An agent's session that is over, of which nothing is recorded but that it was. */
async function story(): Promise<Story> {
  const data = await AuditedData.open();
  const session = await data.openSession(OPENED);
  await data.at(CLOSED, close(session));
  return { data, origin: data.evidence.ledger.key.name, session };
}

type Change = Parameters<typeof signedOff>[2];

function signed({ origin, session }: Story, change: Change = {}, who: { reviewer?: string; key?: typeof alice } = {}) {
  return signedOff(origin, { session, segments: [], reviewer: who.reviewer ?? 'alice@example.com', key: who.key ?? alice }, change);
}

async function verdict(told: Story, ...records: RecordDraft[]) {
  await told.data.at(REVIEWED, ...records);
  await told.data.close();
  return verify(told.data.directory);
}

async function faults(told: Story, ...records: RecordDraft[]): Promise<string[]> {
  const { faults: found } = await verdict(told, ...records);
  return found.map(({ code, words }) => `${code}: ${words}`);
}

describe('sign-offs', () => {
  it('that nobody tampered with are intact, and the report has the keys of the reviewers', async () => {
    const told = await story();
    const { outcome, faults: found } = await verdict(
      told,
      signed(told),
      signed(told, { verdict: 'concern', reason: 'on second thoughts' }),
    );
    expect(found).toEqual([]);
    const lines = verdictLines(outcome, 0, 0);
    expect(lines).toContain('sign-offs  2 of whole sessions, each against what was sealed of it');
    expect(lines).toContain(`reviewer   alice@example.com signed 2 with ${alice.fingerprint}, 2026-03-02 to 2026-03-02`);
  });

  it('that the gateway made up are forged: it has no key of a reviewer', async () => {
    const told = await story();
    const made = signed(told);
    const other = signed(told, { signed: { session: '01951234-0000-7000-8000-000000000001' } });
    const elsewhere = signedOff('another.example/log', { session: told.session, segments: [], reviewer: 'alice@example.com', key: alice });
    const found = await faults(
      told,
      signed(told, { signature: mallory.sign('something else', 'sallyport-review') }),
      signed(told, { signed: { verdict: 'concern' } }),
      signed(told, { signed: { reason: 'other words' } }),
      signed(told, { signed: { reviewer: 'bob@example.com' } }),
      signed(told, { key: mallory.line }),
      { ...made, body: { ...made.body, reason: 'not what was signed' } },
      other,
      { ...elsewhere, body: { ...elsewhere.body, reason: 'looked at it elsewhere' } },
    );
    expect(found).toHaveLength(8);
    for (const words of found) expect(words).toMatch(/^forged: The sign-off/);
  });

  it('by whom the session is of are told, and by what is no human', async () => {
    const told = await story();
    expect(
      await faults(
        told,
        signed(told, {}, { reviewer: 'engineer@example.com' }),
        signed(told, {}, { reviewer: 'deploy-bot', key: mallory }),
        signed(told, { kind: 'agent', reason: 'I am a program' }),
      ),
    ).toEqual([
      expect.stringContaining('inconsistent: engineer@example.com signed it off, and in the session deploy-bot acted for'),
      expect.stringContaining("inconsistent: deploy-bot signed it off, and the session is deploy-bot's own"),
      expect.stringContaining('signed the session off, who is no human'),
    ]);
  });

  it('over another recording, of a session that runs, that is not there, or sent again are told', async () => {
    const told = await story();
    const running = await told.data.openSession('2026-03-01T12:00:00');
    const by = { segments: [], reviewer: 'alice@example.com', key: alice };
    const once = signed(told);
    expect(
      await faults(
        told,
        signed(told, { subject: 'f'.repeat(64) }),
        signedOff(told.origin, { ...by, session: running }),
        signedOff(told.origin, { ...by, session: '01951234-0000-7000-8000-000000000001' }),
        once,
        signed(told, { verdict: 'concern' }),
        once,
        signed(told, { reason: 'all of it', watched: { nanos: 9, of: 5 } }),
      ),
    ).toEqual([
      'inconsistent: The sign-off of alice@example.com is of another recording than the records of the session seal',
      'inconsistent: alice@example.com signed off a session that was not over',
      'missing: alice@example.com signed off a session of which no record says that it was opened',
      'inconsistent: The sign-off of alice@example.com stands in an earlier record already: it was put there again',
      'inconsistent: alice@example.com is said to have watched more of the session than there is',
    ]);
  });

  it('are of the last seal of each segment, in their order and not in that of the ledger', async () => {
    const data = await AuditedData.open();
    const origin = data.evidence.ledger.key.name;
    const session = await data.openSession(OPENED);
    const seal = (channel: number, segment: number, sha256: string) => sealed(session, agent, { channel, segment, sha256 });
    await data.at(
      '2026-03-01T10:30:00',
      seal(1, 1, '1'.repeat(64)),
      seal(0, 2, '2'.repeat(64)),
      seal(0, 1, '3'.repeat(64)),
      seal(0, 2, '4'.repeat(64)),
    );
    await data.at(CLOSED, close(session));
    const segments = [
      { channel: 0, segment: 1, sha256: '3'.repeat(64) },
      { channel: 0, segment: 2, sha256: '4'.repeat(64) },
      { channel: 1, segment: 1, sha256: '1'.repeat(64) },
    ];
    const by = { session, reviewer: 'alice@example.com', key: alice };
    const told = { data, origin, session };
    const found = await faults(told, signedOff(origin, { ...by, segments }), signedOff(origin, { ...by, segments: segments.slice(1) }));
    expect(found.filter((words) => words.includes('sign-off'))).toEqual([
      'inconsistent: The sign-off of alice@example.com is of another recording than the records of the session seal',
    ]);
  });
});
