import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mountSmallDisk } from '../support/small-disk.ts';
import { Belongings } from '../support/temp.ts';
import { live, newKey, readLedger } from './support.ts';

// Mounting needs root, as CI has it.
describe.skipIf(process.getuid?.() !== 0)('on a disk without a byte left', () => {
  it('the ledger stays as it was published, and goes on from there when there is space', async () => {
    const belongings = new Belongings();
    onTestFinished(() => belongings.release());
    const disk = await mountSmallDisk(belongings, 16 * 1024 * 1024);
    const directory = join(disk.path, 'data');
    const key = newKey();
    const gateway = await live(directory, { key });
    await gateway.append(300);
    const before = await gateway.ledger.signed();
    await gateway.append(1);
    disk.fillToTheBrim();
    await expect(gateway.ledger.signed()).rejects.toMatchObject({ code: 'LEDGER_BEHIND' });
    // Every one is refused or durable, whatever the disk had left.
    const appended = await Promise.allSettled(Array.from({ length: 40 }, () => gateway.append(100)));
    const durable = await gateway.database.records.count();
    expect(appended.some(({ status }) => status === 'rejected')).toBe(true);
    expect((await readLedger(directory, [gateway.ledger.key], [before])).note).toBe(before.note);
    disk.empty();
    await gateway.append(10);
    const after = await gateway.ledger.signed();
    expect(after.size).toBe(durable + 10);
    await readLedger(directory, [gateway.ledger.key], [before]);
    await gateway.end();
    const next = await live(directory, { key });
    expect(next.ledger.head.note).toBe(after.note);
    await next.end();
  });
});
