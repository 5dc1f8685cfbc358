import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Finding } from '../../../gateway/query/verify/finding.ts';
import { verifyBundle } from '../../../gateway/query/verify/verify-bundle.ts';
import { draft } from '../../store/support.ts';
import { signedOff } from '../../support/review-records.ts';
import { reviewerKey } from '../../support/reviewer-key.ts';
import { run } from '../../support/run.ts';
import { Belongings } from '../../support/temp.ts';
import { AuditedData } from '../audit/audited-data.ts';
import { exported, unpacked } from './recorded-world.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const alice = reviewerKey();

/** A session that was signed off twice, and of which, if so, the gateway made up a third word. */
async function signedSession(forged: boolean): Promise<{ data: AuditedData; session: string }> {
  const data = await AuditedData.open('2026-03-01T09:00:00');
  const origin = data.evidence.ledger.key.name;
  const session = await data.openSession('2026-03-01T10:00:00');
  const close = draft.sessionClose(session);
  await data.at('2026-03-01T11:00:00', { ...close, body: { ...close.body, channels: 0 } });
  const by = { session, segments: [], reviewer: 'alice@example.com', key: alice };
  await data.at('2026-03-01T12:00:00', signedOff(origin, by), signedOff(origin, by, { verdict: 'concern', reason: 'looked again' }));
  if (forged) await data.at('2026-03-01T13:00:00', signedOff(origin, by, { reason: 'all is well', signed: { verdict: 'concern' } }));
  await data.close();
  return { data, session };
}

async function faultsOf(path: string): Promise<{ faults: Finding[]; signOffs: number }> {
  const faults: Finding[] = [];
  const { records } = await verifyBundle(path, {}, (finding) => finding.severity === 'fault' && faults.push(finding));
  return { faults, signOffs: records.signOffs };
}

it('a bundle has each sign-off as it was signed, for stock tools, and verifies', async () => {
  const { data, session } = await signedSession(false);
  const path = await exported(belongings, data.directory);
  expect(await faultsOf(path)).toEqual({ faults: [], signOffs: 2 });
  const bag = await unpacked(belongings, path);
  const names = [1, 2].flatMap((number) => [`${session}.${number}.json`, `${session}.${number}.sig`]);
  expect(readdirSync(join(bag, 'data/reviews')).toSorted()).toEqual(names.toSorted());
  const signers = join(bag, 'data/keys/reviewers.allowed_signers');
  expect(readFileSync(signers, 'utf8')).toBe(`alice@example.com namespaces="sallyport-review" ${alice.line}\n`);
  for (const number of [1, 2]) {
    const text = readFileSync(join(bag, `data/reviews/${session}.${number}.json`));
    const signature = join(bag, `data/reviews/${session}.${number}.sig`);
    const flags = ['-Y', 'verify', '-f', signers, '-I', 'alice@example.com', '-n', 'sallyport-review', '-s', signature];
    expect((await run('ssh-keygen', flags, { input: text })).status).toBe(0);
    expect((await run('ssh-keygen', flags, { input: `${text.toString()} ` })).status).not.toBe(0);
  }
});

it('a sign-off that the gateway made up is found in its bundle too', async () => {
  const { data } = await signedSession(true);
  const { faults, signOffs } = await faultsOf(await exported(belongings, data.directory));
  expect(signOffs).toBe(3);
  expect(faults).toMatchObject([
    { code: 'forged', words: expect.stringContaining('The sign-off (fine) is recorded as of alice@example.com') },
  ]);
});
