import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readPart, replayDirectory } from '../../gateway/indexing/sidecar-file.ts';
import { AgedData, asking, filesWith } from './aged-data.ts';

const SECRET = 'the-pass-phrase-of-the-leaver';

/** Enough that it takes a moment to index, with a text that stands in it as it is. */
const output = (secret: string) => Array.from({ length: 20_000 }, (_, line) => `${line} ${secret}-${line % 97}\r\n`).join('');

async function hasParts(data: AgedData, session: string): Promise<boolean> {
  const rows = await data.evidence.database.segments.ofSession(session);
  const parts = await Promise.all(rows.map(({ segment, sha256 }) => readPart(data.directory, session, 0, segment, sha256)));
  return rows.length > 0 && parts.every((part) => part !== undefined);
}

it('what was made of an erased recording goes with it, and that of others stays', async () => {
  const data = await AgedData.open();
  const gone = await data.session({ output: output(SECRET) });
  const kept = await data.session({ output: output('what-stays'), daysAgo: 10 });
  data.indexing.indexer.begin();
  await data.indexing.indexer.idle();
  expect([await hasParts(data, gone), await hasParts(data, kept)]).toEqual([true, true]);
  const text = await data.indexing.text();
  expect((await text.stored(gone, 0)).length).toBeGreaterThan(0);

  expect((await data.run()).expired.map(({ session }) => session)).toEqual([gone]);
  expect(existsSync(join(data.directory, replayDirectory(gone, 0)))).toBe(false);
  expect(await text.stored(gone, 0)).toEqual([]);
  expect(filesWith(data.directory, SECRET)).toEqual([]);
  expect([await hasParts(data, kept), (await text.stored(kept, 0)).length > 0]).toEqual([true, true]);
  // And it does not come again.
  data.indexing.indexer.begin();
  data.indexing.indexer.want(gone, 0);
  await data.indexing.indexer.idle();
  expect(existsSync(join(data.directory, replayDirectory(gone, 0), '..'))).toBe(false);
  expect(await data.faults()).toEqual([]);
});

it('a session that is erased while it is being indexed leaves nothing', async () => {
  const data = await AgedData.open();
  const gone = await data.session({ output: output(SECRET).repeat(4) });
  const { indexer } = data.indexing;
  const erased = new Promise<void>((resolve, reject) => {
    const begun = setInterval(() => {
      if (indexer.status.queued === 0) return;
      clearInterval(begun);
      data.run().then(() => resolve(), reject);
    }, 1);
  });
  indexer.want(gone, 0);
  await erased;
  await indexer.idle();
  expect(existsSync(join(data.directory, replayDirectory(gone, 0), '..'))).toBe(false);
  expect(await (await data.indexing.text()).stored(gone, 0)).toEqual([]);
  expect(filesWith(data.directory, SECRET)).toEqual([]);
  // The thread was ended with it, and goes on with others.
  const kept = await data.session({ output: output('what-stays'), daysAgo: 10 });
  indexer.want(kept, 0);
  await indexer.idle();
  expect(await hasParts(data, kept)).toBe(true);
});

it('an erasure that was cut off before what was made is gone is finished by the next run', async () => {
  const data = await AgedData.open();
  const gone = await data.session({ output: output(SECRET) });
  data.indexing.indexer.begin();
  await data.indexing.indexer.idle();
  const settle = data.indexing.made.settle;
  let asked = 0;
  Object.assign(data.indexing.made, {
    settle: async () => {
      asked += 1;
      throw new Error('the disk is full');
    },
  });
  await data.run();
  expect(asked).toBe(1);
  expect((await data.evidence.database.erasures.unfinished(0, 9)).length).toBe(1);
  expect((await (await data.indexing.text()).stored(gone, 0)).length).toBeGreaterThan(0);
  Object.assign(data.indexing.made, { settle });
  await data.retention.finish(asking.signal);
  expect(await (await data.indexing.text()).stored(gone, 0)).toEqual([]);
  expect(await data.evidence.database.erasures.unfinished(0, 9)).toEqual([]);
});

it('a directory of what was made that is of no use does not keep the evidence from being erased', async () => {
  const data = await AgedData.open();
  const gone = await data.session({ output: output(SECRET), command: 'what-they-ran' });
  const [segment] = await data.evidence.database.segments.ofSession(gone);
  symlinkSync('replay', join(data.directory, 'replay'));
  expect((await data.run()).expired).toEqual([]);
  expect(existsSync(join(data.directory, segment?.file ?? ''))).toBe(false);
  expect(filesWith(data.directory, 'what-they-ran')).toEqual([]);
  // It is not over: what was made may come back.
  expect((await data.evidence.database.erasures.unfinished(0, 9)).length).toBe(1);
});

it('screen text that cannot be taken out does not keep what is erased in the log of the database', async () => {
  const data = await AgedData.open();
  await data.session({ command: 'what-they-ran' });
  Object.assign(data.indexing.made, { settle: () => Promise.reject(new Error('the disk is full')) });
  await data.run();
  expect(filesWith(data.directory, 'what-they-ran')).toEqual([]);
});
