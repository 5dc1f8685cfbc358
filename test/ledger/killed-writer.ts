import { createPrivateKey } from 'node:crypto';
import { writeSync } from 'node:fs';
import { systemClock } from '../../gateway/base/clock.ts';
import type { LedgerStorage } from '../../gateway/ledger/ledger-storage.ts';
import { openLedger } from '../../gateway/ledger/open-ledger.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { Database } from '../../gateway/store/database.ts';
import { openLedgerForGateway } from '../../gateway/store/ledger-writer.ts';
import { draft, newSession } from '../store/support.ts';

/*
 * A gateway's records and ledger, as a process that is to be killed: `killed-writer.ts DIRECTORY KEY STEP COUNT` appends
 * groups of records, prints every checkpoint that it was given as a line of JSON, and kills itself when STEP of its
 * storage happens for the COUNTth time. It prints `open` when it has begun.
 */
const [directory = '', pem = '', step = '', count = ''] = process.argv.slice(2);

let left = Number(count);
function mayDie(at: string): void {
  if (at !== step) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}

function mortal(storage: LedgerStorage): LedgerStorage {
  const around =
    <A extends unknown[]>(name: string, call: (...given: A) => Promise<void>) =>
    async (...given: A) => {
      mayDie(`before ${name}`);
      await call(...given);
      mayDie(`after ${name}`);
    };
  return {
    ...storage,
    writeTiles: around('tiles', storage.writeTiles),
    writeCheckpoint: around('checkpoint', storage.writeCheckpoint),
    removePartial: around('removal', storage.removePartial),
  };
}

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (_facts: object, message: string) => process.stderr.write(`${message}\n`),
};
const database = await Database.openForGateway(directory);
const storage = mortal(openLedgerForGateway(directory));
const { ledger, news } = await openLedger(
  { key: createPrivateKey(pem), newOrigin: () => 'example.com/log' },
  { storage, records: database.records, clock: systemClock, log },
);
const records = new Records(database.records, systemClock, 'gateway-1', ledger);
for (const fact of news)
  await records.append({ ...fact, outcome: 'success', actor: records.gateway, target: { name: 'gateway-1', kind: 'gateway' } });
writeSync(1, 'open\n');
for (let group = 1; ; group = (group * 7 + 3) % 97) {
  await Promise.all(Array.from({ length: group }, () => records.append(draft.sessionOpen(newSession()))));
  if (group % 2 === 0) continue;
  const { note } = await ledger.signed();
  writeSync(1, `${JSON.stringify(note)}\n`);
}
