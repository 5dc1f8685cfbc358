import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import { describe, expect, it } from 'vitest';
import { AgedData, asking, filesWith } from './aged-data.ts';

/** Names of different lengths that occur nowhere else, so that rows grow, shrink and move between pages. */
const person = (number: number) => `person-${String(number).padStart(4, '0')}-${'x'.repeat(number % 90)}@example.com`;

async function bare(data: AgedData, number: number, daysAgo: number): Promise<void> {
  data.clock.daysAgo(daysAgo);
  await data.bareSession({ principal: person(number), source: `10.9.${number}.1:5`, command: `secret-command-${number}.` });
}

function statement(database: sqlite3.Database, sql: string): Promise<void> {
  return new Promise((resolve, reject) => database.exec(sql, (error) => (error ? reject(error) : resolve())));
}

describe('what is erased', () => {
  it('stands in no file of the data directory any more, whatever was written around it, in any number of runs', {
    timeout: 240_000,
  }, async () => {
    const data = await AgedData.open();
    const ages = [900, 700, 500, 300];
    // Interleaved: what goes in one run has neighbours that go in another, or never.
    for (let number = 0; number < 240; number += 1) await bare(data, number, ages[number % ages.length] ?? 0);
    const texts = (age: number) =>
      Array.from({ length: 240 }, (_, number) => number)
        .filter((number) => ages[number % ages.length] === age)
        .flatMap((number) => [person(number), `10.9.${number}.1:5`, `secret-command-${number}.`]);
    for (const [index, keep] of [800, 600, 400].entries()) {
      const settings = { recording: { retainSeconds: keep * 86_400, retainByTag: [] }, targets: new Map() };
      data.settings = settings;
      expect((await data.run()).expired).toHaveLength(60);
      for (const gone of ages.slice(0, index + 1)) expect(filesWith(data.directory, ...texts(gone))).toEqual([]);
      // Those that stay can be found this way, so the search can fail.
      expect(filesWith(data.directory, ...texts(300)).length).toBeGreaterThanOrEqual(180);
    }
    expect(await data.faults()).toEqual([]);
  });

  it('is gone from the log of the database as soon as nobody reads an older state of it', async () => {
    const data = await AgedData.open();
    await data.session({ principal: 'leaver' });
    const reader = new sqlite3.Database(join(data.directory, 'sallyport.db'), sqlite3.OPEN_READONLY);
    await statement(reader, 'BEGIN; SELECT count(*) FROM records;');
    await data.run();
    expect(data.log.lines.map(({ message }) => message).join()).toContain('erased bytes still stand in the log of the database');
    expect(readFileSync(join(data.directory, 'sallyport.db-wal')).length).toBeGreaterThan(0);
    expect((await data.evidence.database.erasures.unfinished(0, 9)).length).toBe(1);

    await statement(reader, 'COMMIT');
    await new Promise<void>((resolve) => reader.close(() => resolve()));
    await data.retention.finish(asking.signal);
    expect(filesWith(data.directory, 'leaver')).toEqual([]);
    expect(await data.evidence.database.erasures.unfinished(0, 9)).toEqual([]);
  });

  it('is not said by the name of somebody else, who stays', async () => {
    const data = await AgedData.open();
    await data.session({ principal: 'agent-a', onBehalfOf: 'both@example.com' });
    const kept = await data.session({ principal: 'agent-b', onBehalfOf: 'both@example.com', daysAgo: 3 });
    await data.run();
    expect(await data.evidence.database.sessions.find({ onBehalfOf: 'both@example.com', limit: 5 })).toMatchObject([
      { id: kept, principal: 'agent-b', onBehalfOf: 'both@example.com' },
    ]);
    const again = await data.session({ principal: 'agent-a', daysAgo: 2 });
    expect(await data.evidence.database.sessions.find({ principal: 'agent-a', limit: 5 })).toMatchObject([{ id: again }]);
  });
});
