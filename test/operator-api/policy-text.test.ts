import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import type { Asking } from '../../gateway/operator-api/operations.ts';
import { policyTextOperations } from '../../gateway/operator-api/policy-text.ts';
import type { Policy } from '../../gateway/policy/policy.ts';
import { recordPolicy } from '../../gateway/serve/policy.ts';
import { Database } from '../../gateway/store/database.ts';
import { actor, temporaryDirectory } from '../store/support.ts';

/** The text of a policy, from however many records it stands in. */

const asking: Asking = { actor, signal: new AbortController().signal };
const gatewayName = 'gateway-1';

async function world() {
  const database = await Database.openForGateway(await temporaryDirectory());
  onTestFinished(() => database.close());
  const records = new Records(database.records, systemClock, gatewayName);
  let current = '';
  const { 'policy.text': text } = policyTextOperations({ reading: async () => database, policySet: () => current });
  return {
    database,
    records,
    enact: async (policy: Policy) => {
      await recordPolicy(policy, current === '' ? undefined : current, { records, gatewayName });
      current = policy.policySet;
    },
    read: (policySet: string) => text({ policySet }, asking),
  };
}

function policyOf(text: string): Policy {
  return { policySet: createHash('sha256').update(text).digest('hex'), source: 'cedar', text } as Policy;
}

test('is put together again from several records, of the last time that it came into force', async () => {
  const { database, enact, read } = await world();
  const long = policyOf('permit (principal, action, resource); // für alle 🙂 "quoted"\n'.repeat(3000));
  const short = policyOf('forbid (principal, action, resource);');
  for (const policy of [long, short, long]) await enact(policy);
  const rows = (await database.records.after(0, 100)).filter(({ type }) => type === 'policy.changed');
  expect(rows.length).toBeGreaterThan(8);
  const { policySet, source, text } = long;
  const since = rows.at(-1)?.time;
  expect(await read(policySet)).toEqual({ policySet, source, text, since, current: true });
  expect(await read(short.policySet)).toMatchObject({ text: short.text, current: false });
});

test('is not told from a part of its records', async () => {
  const { records, enact, read } = await world();
  const policySet = 'd'.repeat(64);
  const half = (part: number) =>
    records.append({
      type: 'policy.changed',
      outcome: 'success',
      actor: records.gateway,
      target: { name: gatewayName, kind: 'gateway' },
      body: { policySet, source: 'cedar', text: `half ${part} `, part, parts: 2 },
    });
  await enact(policyOf('permit (principal, action, resource);'));
  await half(1);
  await expect(read(policySet)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await half(2);
  // It was begun to be written down again, and the gateway stopped.
  await half(1);
  expect((await read(policySet)).text).toBe('half 1 half 2 ');
  await expect(read('e'.repeat(64))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
