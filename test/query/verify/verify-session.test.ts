import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RecordDraft } from '../../../contract/record.ts';
import { formatVerifierKey, noteSigner, signNote, unverifiedText } from '../../../gateway/ledger/signed-note.ts';
import { type SessionVerification, verifySession } from '../../../gateway/query/verify/verify-session.ts';
import { draft, newSession } from '../../store/support.ts';
import { approval, makeReviewer, type Reviewer, request } from '../../support/approval-records.ts';
import { signedOff } from '../../support/review-records.ts';
import { reviewerKey } from '../../support/reviewer-key.ts';
import { Belongings } from '../../support/temp.ts';
import { AuditedData, decided } from '../audit/audited-data.ts';
import { sql } from './evidence.ts';

const belongings = new Belongings();
const alice = reviewerKey();
let bob: Reviewer;
beforeAll(async () => {
  bob = await makeReviewer(belongings.directory('reviewers'), 'bob@example.com');
  return () => belongings.release();
});

interface Story {
  data: AuditedData;
  session: string;
  key: string;
}

/** A session with an approval and a sign-off; what else is recorded, and how it is attacked, is the test's. */
async function story(
  more: (told: { session: string; origin: string }) => RecordDraft[] | Promise<RecordDraft[]> = () => [],
): Promise<Story> {
  const data = await AuditedData.open();
  const { key } = data.evidence.ledger;
  const session = await data.openSession('2026-03-01T10:00:00');
  const origin = key.name;
  const asked = request(session);
  await data.at('2026-03-01T10:00:01', approval.asked(asked));
  await data.at('2026-03-01T10:00:20', await approval.decided(origin, asked, bob));
  await data.at('2026-03-01T10:00:21', approval.used(asked));
  const close = draft.sessionClose(session);
  await data.at('2026-03-01T11:00:00', { ...close, body: { ...close.body, channels: 0 } });
  await data.at('2026-03-02T09:00:00', signedOff(origin, { session, segments: [], reviewer: 'alice@example.com', key: alice }));
  await data.at('2026-03-02T10:00:00', ...(await more({ session, origin })));
  // Others, so that the session is a part of the ledger.
  for (let count = 0; count < 6; count += 1) await data.session(`2026-03-03T1${count}:00:00`, `2026-03-03T1${count}:30:00`);
  await data.close();
  return { data, session, key: formatVerifierKey(key) };
}

/** Names of the steps that fail. */
async function failing({ data, session, key }: Story): Promise<[string[], SessionVerification]> {
  const found = await verifySession(data.directory, session, key);
  expect(found.ok).toBe(found.faults.length === 0);
  return [found.steps.filter(({ ok }) => !ok).map(({ name }) => name), found];
}

const firstRecord = (session: string, type: string): string =>
  `seq = (SELECT min(seq) FROM records WHERE session = '${session}' AND type = '${type}')`;

describe('a session', () => {
  it('that nobody touched passes every step, and says what was looked at', async () => {
    const [names, found] = await failing(await story());
    expect(names).toEqual([]);
    expect(found).toMatchObject({ ok: true, records: 6, segments: 0, endSeq: 7 });
    expect(found.size).toBeGreaterThan(15);
    expect(found.steps.map(({ words }) => words)).toEqual([
      '6 records, each with the hash that stands beside it',
      `The checkpoint over ${found.size} records carries the signature of the ledger's key`,
      '6 records proved to stand in the log at their places',
      '0 files of recordings with 0 bytes, each what was sealed',
      '0 channels with 0 sealed segments, without a gap, and the lists agree',
      '1 request for approval with 1 decision, each signed by its reviewer',
      '1 sign-off, each signed by its reviewer',
    ]);
    for (const { millis } of found.steps) expect(millis).toBeGreaterThanOrEqual(0);
  });

  it('of which a record was edited fails, with or without the hash beside it', async () => {
    const edited = await story();
    const change = `bytes = CAST(replace(CAST(bytes AS TEXT), 'OpenSSH_9.2', 'OpenSSH_9.3') AS BLOB)`;
    await edited.data.tamper(`UPDATE records SET ${change} WHERE ${firstRecord(edited.session, 'session.open')}`);
    expect((await failing(edited))[0]).toEqual(['records']);

    const hashed = await story();
    await hashed.data.tamper(`UPDATE records SET ${change} WHERE ${firstRecord(hashed.session, 'session.open')}`);
    const [stored] = await sql<{ bytes: Buffer }>(
      hashed.data.directory,
      `SELECT bytes FROM records WHERE ${firstRecord(hashed.session, 'session.open')}`,
    );
    const hash = createHash('sha256')
      .update(stored?.bytes ?? '')
      .digest('hex');
    await hashed.data.tamper(`UPDATE records SET hash = x'${hash}' WHERE ${firstRecord(hashed.session, 'session.open')}`);
    expect((await failing(hashed))[0]).toEqual(['inclusion']);
  });

  it('whose end was deleted, or that the lists tell something else of, fails', async () => {
    const cut = await story();
    await cut.data.tamper(`DELETE FROM records WHERE ${firstRecord(cut.session, 'session.close')}`);
    expect((await failing(cut))[0]).toEqual(['inclusion', 'continuity', 'sign-offs']);
    const told = await story();
    await told.data.tamper(`UPDATE sessions SET target = 'web-2' WHERE id = '${told.session}'`);
    expect((await failing(told))[0]).toEqual(['continuity']);
    const reviewed = await story();
    await reviewed.data.tamper(`UPDATE sessions SET review = 'concern' WHERE id = '${reviewed.session}'`);
    expect((await failing(reviewed))[0]).toEqual(['continuity']);
  });

  it('under a checkpoint of another key, or over other tiles, fails', async () => {
    const signed = await story();
    const file = join(signed.data.directory, 'ledger', 'checkpoint');
    const text = unverifiedText(readFileSync(file, 'utf8'));
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(file, signNote(text, [noteSigner(signed.key.split('+')[0] ?? '', privateKey)]));
    expect((await failing(signed))[0]).toEqual(['checkpoint']);

    const tiles = await story();
    const { size } = await verifySession(tiles.data.directory, tiles.session, tiles.key);
    const tile = join(tiles.data.directory, 'ledger', 'tile', '0', '000.p', String(size));
    const bytes = readFileSync(tile);
    bytes[40] = (bytes[40] as number) ^ 1;
    writeFileSync(tile, bytes);
    const [names, found] = await failing(tiles);
    expect(names).toEqual(['inclusion']);
    expect(found.faults).toEqual([expect.stringContaining('its tiles do not add up to the root')]);
  });

  it('with an approval or a sign-off that nobody signed fails', async () => {
    const forged = await story(({ session, origin }) => [
      signedOff(
        origin,
        { session, segments: [], reviewer: 'alice@example.com', key: alice },
        { signed: { verdict: 'concern' }, reason: 'x' },
      ),
      signedOff(origin, { session, segments: [], reviewer: 'engineer@example.com', key: alice }, { reason: 'my own' }),
    ]);
    const [names, found] = await failing(forged);
    expect(names).toEqual(['sign-offs']);
    expect(found.faults).toHaveLength(2);
    expect(found.steps.at(-1)?.words).toContain(', and 1 more');

    const approved = await story(async ({ session, origin }) => {
      const asked = request(session, { id: newSession(), facts: { command: 'rm -rf /', terminal: false } });
      return [
        approval.asked(asked),
        await approval.decided(origin, asked, bob, { signed: { facts: { command: 'ls' } } }),
        decided(session, 'ssh:exec', {}),
      ];
    });
    expect((await failing(approved))[0]).toEqual(['continuity', 'approvals']);
  });

  it('that is erased is one of which the hashes are left, and they are proved', async () => {
    const told = await story(({ session }) => [
      {
        type: 'erased',
        outcome: 'success',
        actor: { principal: 'gateway', kind: 'gateway', source: 'gateway-1' },
        target: { name: 'web-1', kind: 'ssh' },
        session,
        body: {
          basis: 'retention',
          reason: 'its time was over',
          remains: { started: '2026-03-01T10:00:00.000000Z', ended: '2026-03-01T11:00:00.000000Z', protocol: 'ssh', channels: 0 },
          files: [],
          records: [[1, 6]],
          part: 1,
          parts: 1,
        },
      },
    ]);
    await told.data.tamper(`UPDATE records SET bytes = NULL WHERE session = '${told.session}' AND type <> 'erased'`);
    const [names, found] = await failing(told);
    expect({ names, faults: found.faults }).toEqual({ names: [], faults: [] });
    expect(found.steps[0]?.words).toContain('of 6 of them nothing but the hash is left');
  });
});
