import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { JournalSync } from '../../gateway/recording/journal-sync.ts';
import { StretchFile } from '../../gateway/recording/stretch-file.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

/** Resolves with how long it took until everything is synced. */
async function whenClean(files: readonly StretchFile[]): Promise<number> {
  const start = performance.now();
  while (files.some((file) => file.dirty)) await new Promise((resolve) => setImmediate(resolve));
  return performance.now() - start;
}

test('journals that were written are synced by themselves, again and again', async () => {
  const directory = belongings.directory('sync');
  const sync = new JournalSync();
  belongings.add(() => sync.close());
  const files = Array.from({ length: 20 }, (_, index) =>
    StretchFile.create(join(directory, 'journal', String(index), '0', '0001.journal')),
  );
  for (let round = 0; round < 2; round++) {
    for (const file of files) {
      file.write([Buffer.from('x')]);
      sync.wrote(file, (thrown) => {
        throw thrown;
      });
    }
    // At least once a second, and what a busy machine adds.
    expect(await whenClean(files)).toBeLessThan(15_000);
  }
  await Promise.all(files.map((file) => file.close()));
});

test('a sync that is asked for while one runs covers what was written in between', async () => {
  const file = StretchFile.create(join(belongings.directory('sync'), '0001.journal'));
  file.write([Buffer.from('first')]);
  const first = file.sync();
  file.write([Buffer.from('second')]);
  const second = file.sync();
  expect(file.sync()).toBe(second);
  expect(second).not.toBe(first);
  await second;
  expect(file.dirty).toBe(false);
  await file.close();
  await file.sync();
});

test('a file that exists is never written over', () => {
  const path = join(belongings.directory('sync'), '0001.journal');
  StretchFile.create(path).discard();
  const file = StretchFile.create(path);
  expect(() => StretchFile.create(path)).toThrow('EEXIST');
  file.discard();
});
