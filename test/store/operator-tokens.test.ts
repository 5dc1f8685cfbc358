import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { RecordDraft } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { Database } from '../../gateway/store/database.ts';
import { temporaryDirectory } from './support.ts';

const YEAR_3000 = 32_503_680_000_000_000;

function token(id: string, expires = YEAR_3000) {
  return { id, hash: randomBytes(32), operator: 'auditor@example.com', roles: ['auditor'], expires };
}

it('a token counts from the record of its issue to that of its end, also when everything is made anew from the records', async () => {
  const directory = await temporaryDirectory();
  const database = await Database.openForGateway(directory);
  const records = new Records(database.records, systemClock, 'gateway-1');
  const envelope = { outcome: 'success', actor: records.gateway, target: { name: 'gateway-1', kind: 'gateway' } } as const;
  const issued = (id: string): RecordDraft => ({
    ...envelope,
    type: 'credential.issued',
    body: {
      credential: 'operator-token',
      id,
      principal: 'auditor@example.com',
      roles: ['auditor'],
      validFrom: '2026-03-01T00:00:00.000000Z',
      validTo: '3000-01-01T00:00:00.000000Z',
      proof: {},
    },
  });
  const revoked = (id: string, credential: 'operator-token' | 'ssh-certificate' = 'operator-token'): RecordDraft => ({
    ...envelope,
    type: 'credential.revoked',
    body: { credential, id, reason: 'over' },
  });
  const [good, ended, expired, unrecorded] = [token('a'), token('b'), token('c', 1), token('d')];
  for (const each of [good, ended, expired, unrecorded]) await database.operatorTokens.prepare(each);
  for (const { id } of [good, ended, expired]) await records.append(issued(id));
  await records.append(revoked('b'));
  // A certificate may have the same number as a token.
  await records.append(revoked('a', 'ssh-certificate'));
  await database.rebuildProjections();
  expect((await database.operatorTokens.inForce(2)).map((row) => ({ ...row, hash: Buffer.from(row.hash) }))).toEqual([good]);
  // What was prepared and never recorded is gone for good.
  await records.append(issued('d'));
  expect((await database.operatorTokens.inForce(2)).map(({ id }) => id)).toEqual(['a']);
  await database.close();
});
