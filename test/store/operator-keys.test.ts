import { expect, it } from 'vitest';
import type { RecordBody } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { Database } from '../../gateway/store/database.ts';
import { temporaryDirectory } from './support.ts';

it('registered keys are those whose record has none after it that takes them back, also when the table is made anew', async () => {
  const directory = await temporaryDirectory();
  const database = await Database.openForGateway(directory);
  const records = new Records(database.records, systemClock, 'gateway-1');
  const append = (outcome: 'success' | 'denied', body: Partial<RecordBody<'operator.key'>>): Promise<unknown> => {
    const whole = {
      operator: 'alice',
      change: 'added',
      key: 'ssh-ed25519 AAAA',
      fingerprint: 'SHA256:a',
      label: 'laptop',
      ...body,
    } as const;
    return records.append({
      type: 'operator.key',
      outcome,
      actor: records.gateway,
      target: { name: 'gateway-1', kind: 'gateway' },
      body: whole,
    });
  };
  await append('success', {});
  await append('success', { operator: 'bob', fingerprint: 'SHA256:b', label: "bob's" });
  await append('denied', { fingerprint: 'SHA256:c' });
  await append('denied', { change: 'removed', fingerprint: 'SHA256:b' });
  await append('success', { change: 'removed' });
  await append('success', { operator: 'alice', fingerprint: 'SHA256:d', label: 'desk' });
  const registered = await database.operatorKeys.registered();
  expect(registered.map(({ operator, fingerprint, label }) => [operator, fingerprint, label])).toEqual([
    ['bob', 'SHA256:b', "bob's"],
    ['alice', 'SHA256:d', 'desk'],
  ]);
  await database.rebuildProjections();
  expect(await database.operatorKeys.registered()).toEqual(registered);
  await database.close();
});
