import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../contract/approval.ts';
import type { RecordDraft } from '../../contract/record.ts';
import { reviewSubject, statementText } from '../../contract/signed-statements.ts';
import { readRecord } from '../../renderer/evidence/record-facts.ts';
import { verifySshSignature } from '../../renderer/evidence/ssh-signature.ts';
import { step } from '../../renderer/evidence/step.ts';
import { checkApprovals } from '../../renderer/evidence/zip/check-approvals.ts';
import { approval, makeReviewer, type Reviewer, request, signedWith } from '../support/approval-records.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const ORIGIN = 'gateway-1/test';
const SESSION = '01a206a2-251b-7522-b64b-acc926086c1e';
const belongings = new Belongings();
const directory = belongings.directory('reviewers');
let alice: Reviewer;
let bob: Reviewer;
beforeAll(async () => {
  [alice, bob] = await Promise.all([makeReviewer(directory, 'alice@example.com'), makeReviewer(directory, 'bob@example.com')]);
});
afterAll(() => belongings.release());

/** What is said of these records, in their order. */
async function checked(...drafts: RecordDraft[]): Promise<{ state: string; result: string; faults: string[] }> {
  const records = drafts.flatMap((draft, index) => readRecord(index, JSON.stringify({ time: '', ...draft })) ?? []);
  const made = step('approvals', '', '', '');
  const result = await checkApprovals(records, { origin: ORIGIN, complete: (session) => session === SESSION }, made, () => undefined);
  return { state: made.state, result, faults: made.findings.map(({ words }) => words) };
}

const asked = (change: Partial<ApprovalRequest> = {}) => request(SESSION, change);

describe('signatures of reviewers in a bundle', () => {
  it('are good where the reviewer signed exactly this request', async () => {
    const one = asked({ needed: 2, facts: { command: 'echo "ü & </script>" \u2028', terminal: false } });
    const found = await checked(
      approval.asked(one),
      await approval.decided(ORIGIN, one, alice, { state: 'waiting' }),
      await approval.decided(ORIGIN, one, bob),
      approval.used(one),
    );
    expect(found.faults).toEqual([]);
    expect(found.result).toBe('2 signatures of alice@example.com, bob@example.com');
  });

  it.each<[string, () => Promise<RecordDraft[]>, RegExp]>([
    [
      'whose reason was written by somebody else',
      async () => {
        const one = asked();
        const decision = await approval.decided(ORIGIN, one, alice);
        return [approval.asked(one), { ...decision, body: { ...decision.body, reason: 'something else' } }];
      },
      /signature of alice@example.com does not hold: it does not fit/,
    ],
    [
      'of another command',
      async () => {
        const one = asked();
        return [approval.asked(one), await approval.decided(ORIGIN, one, alice, { signed: { facts: { command: 'true' } } })];
      },
      /does not hold/,
    ],
    [
      'of another ledger',
      async () => {
        const one = asked();
        return [approval.asked(one), await approval.decided('gateway-2/test', one, alice)];
      },
      /does not hold/,
    ],
    [
      'by another key than the record names',
      async () => {
        const one = asked();
        const decision = await approval.decided(ORIGIN, one, { name: alice.name, key: bob.key });
        return [approval.asked(one), { ...decision, body: { ...decision.body, key: alice.key.publicLine } }];
      },
      /another key than the record names/,
    ],
    [
      'on a request whose digest is not its own',
      async () => {
        const one = asked({ digest: 'a'.repeat(64) });
        return [approval.asked(one), await approval.decided(ORIGIN, one, alice)];
      },
      /digest of the request is not that/,
    ],
    [
      'by whoever asked',
      async () => {
        const one = asked({ principal: 'alice@example.com', kind: 'human' });
        return [approval.asked(one), await approval.decided(ORIGIN, one, alice)];
      },
      /decided on what they had asked for themselves/,
    ],
    [
      'of one where two are needed',
      async () => {
        const one = asked({ needed: 2 });
        return [approval.asked(one), await approval.decided(ORIGIN, one, alice)];
      },
      /approved with 1 of the 2 approvals/,
    ],
    [
      'by one person twice',
      async () => {
        const one = asked({ needed: 2 });
        return [
          approval.asked(one),
          await approval.decided(ORIGIN, one, alice, { state: 'waiting' }),
          await approval.decided(ORIGIN, one, alice),
        ];
      },
      /a second time/,
    ],
    [
      'that was used twice',
      async () => {
        const one = asked();
        return [approval.asked(one), await approval.decided(ORIGIN, one, alice), approval.used(one), approval.used(one)];
      },
      /for one use was used again/,
    ],
    [
      'that was used for something else',
      async () => {
        const one = asked();
        return [approval.asked(one), await approval.decided(ORIGIN, one, alice), approval.used(one, { digest: 'b'.repeat(64) })];
      },
      /used for something else/,
    ],
    [
      'on a request that was taken out of the records',
      async () => {
        const one = asked();
        return [await approval.decided(ORIGIN, one, alice), approval.used(one)];
      },
      /A decision of alice@example.com is of an approval that no record asks for(.|\n)*A use is of an approval/,
    ],
    [
      'that nobody gave, and was used',
      async () => {
        const one = asked();
        return [approval.asked(one), approval.used(one)];
      },
      /used that was not given/,
    ],
  ])('%s are found', async (_, records, words) => {
    expect((await checked(...(await records()))).faults.join('\n')).toMatch(words);
  });

  it('on requests of sessions that the bundle does not have are let be', async () => {
    const elsewhere = request('01a206a2-251b-7522-b64b-000000000000');
    expect((await checked(await approval.decided(ORIGIN, elsewhere, alice), approval.used(elsewhere))).faults).toEqual([]);
  });

  it('on a session are over what was sealed of it', async () => {
    const subject = 'd'.repeat(64);
    expect(reviewSubject(SESSION, [])).toContain(SESSION);
    const review = { session: SESSION, subject, verdict: 'fine', reviewer: alice.name, reason: 'watched it all' } as const;
    const { text, namespace } = statementText({ kind: 'review', origin: ORIGIN, review });
    const signature = await signedWith(alice.key, text, namespace);
    const record: RecordDraft<'session.reviewed'> = {
      type: 'session.reviewed',
      outcome: 'success',
      actor: { principal: alice.name, kind: 'human', source: '192.0.2.99:1' },
      target: { name: 'web-1', kind: 'ssh' },
      session: SESSION,
      body: { subject, verdict: 'fine', reason: 'watched it all', watched: { nanos: 1, of: 1 }, key: alice.key.publicLine, signature },
    };
    expect((await checked(record)).faults).toEqual([]);
    expect((await checked({ ...record, body: { ...record.body, verdict: 'concern' } })).faults.join()).toMatch(/does not hold/);
    expect((await checked({ ...record, body: { ...record.body, subject: 'e'.repeat(64) } })).faults.join()).toMatch(/does not hold/);
  });
});

describe('a signature of ssh-keygen', () => {
  const text = 'exactly this';

  it.each([
    ['Ed25519', ['-t', 'ed25519']],
    ['ECDSA with P-256', ['-t', 'ecdsa', '-b', '256']],
    ['ECDSA with P-384', ['-t', 'ecdsa', '-b', '384']],
    ['ECDSA with P-521', ['-t', 'ecdsa', '-b', '521']],
    ['RSA', ['-t', 'rsa', '-b', '3072']],
  ])('by %s is good for the text, the purpose and nothing else', async (name, type) => {
    const path = `${directory}/${name.replaceAll(' ', '-')}`;
    expect((await run('ssh-keygen', ['-q', '-N', '', '-C', '', ...type, '-f', path])).status).toBe(0);
    const key: Pick<KeyPair, 'path'> = { path };
    const signature = await signedWith(key as KeyPair, text, 'sallyport-test');
    expect(await verifySshSignature(signature, text, 'sallyport-test')).toMatchObject({ state: 'good' });
    expect(await verifySshSignature(signature, `${text} `, 'sallyport-test')).toMatchObject({ state: 'wrong' });
    expect(await verifySshSignature(signature, text, 'sallyport-approval')).toMatchObject({ state: 'wrong' });
    const lines = signature.split('\n');
    const bytes = Buffer.from(lines.slice(1, -2).join(''), 'base64');
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const forged = `${lines[0]}\n${changed.toString('base64')}\n${lines.at(-2)}\n`;
      const verdict = await verifySshSignature(forged, text, 'sallyport-test');
      expect(verdict.state, `byte ${at}`).not.toBe('good');
    }
  });

  it.each([
    '',
    'x',
    '-----BEGIN SSH SIGNATURE-----\n\n-----END SSH SIGNATURE-----',
    '-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----',
    'x'.repeat(100_000),
  ])('that is none is refused: %#', async (armored) => {
    expect(await verifySshSignature(armored, text, 'sallyport-test')).toMatchObject({ state: 'wrong' });
  });

  it('names the key as a line, which ssh-keygen writes the same', async () => {
    const key = await makeKey(directory, 'named');
    const verdict = await verifySshSignature(await signedWith(key, text, 'sallyport-test'), text, 'sallyport-test');
    expect(verdict).toEqual({ state: 'good', line: key.publicLine.split(' ').slice(0, 2).join(' ') });
  });
});
