import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { Database } from '../../gateway/store/database.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { Belongings } from '../support/temp.ts';
import { draft, newSession } from './support.ts';

const MIB = 1024 * 1024;

async function smallDisk() {
  const belongings = new Belongings();
  onTestFinished(() => belongings.release());
  return mountSmallDisk(belongings, 16 * MIB);
}

async function idsIn(directory: string): Promise<string[]> {
  const reader = await Database.openForReading(directory);
  const rows = await reader.sessions.find({ limit: 1_000_000 });
  await reader.close();
  return rows.map(({ id }) => id).reverse();
}

// Mounting needs root, as CI has it.
describe.skipIf(process.getuid?.() !== 0)('on a full disk', () => {
  it('records are refused with LEDGER_FAILED, none of them half, and taken again when there is space', async () => {
    const disk = await smallDisk();
    const directory = join(disk.path, 'data');
    const database = await Database.openForGateway(directory);
    const records = new Records(database.records, systemClock, 'gateway-1');
    await disk.fillUpTo(256 * 1024);
    const durable: string[] = [];
    let refused: unknown;
    while (refused === undefined) {
      const sessions = Array.from({ length: 50 }, newSession);
      const outcomes = await Promise.allSettled(sessions.map((session) => records.append(draft.sessionOpen(session))));
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') durable.push(sessions[index] as string);
        else refused = outcome.reason;
      }
    }
    expect(refused).toMatchObject({ code: 'LEDGER_FAILED', remedy: expect.stringContaining('space') });
    expect(await idsIn(directory)).toEqual(durable);
    disk.empty();
    const later = newSession();
    await records.append(draft.sessionOpen(later));
    await database.close();
    expect(await idsIn(directory)).toEqual([...durable, later]);
  });

  it.each([
    { name: 'of a gateway that has stopped', killed: false, drop: [] },
    { name: 'of a gateway that was killed', killed: true, drop: [] },
    { name: 'that was copied without its shared memory', killed: true, drop: ['sallyport.db-shm'] },
  ])('a data directory $name can be read', async ({ killed, drop }) => {
    const disk = await smallDisk();
    const directory = join(disk.path, 'data');
    const session = newSession();
    const source = join(disk.path, 'source');
    const database = await Database.openForGateway(source);
    await new Records(database.records, systemClock, 'gateway-1').append(draft.sessionOpen(session));
    if (!killed) await database.close();
    await cp(source, directory, { recursive: true });
    if (killed) await database.close();
    for (const name of drop) await rm(join(directory, name));
    await disk.fillUpTo(0);
    expect(disk.free()).toBe(0);
    expect(await idsIn(directory)).toEqual([session]);
  });
});
