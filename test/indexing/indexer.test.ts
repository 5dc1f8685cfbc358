import { afterAll, expect, it } from 'vitest';
import type { Part } from '../../contract/replay/part.ts';
import { readPart } from '../../gateway/indexing/sidecar-file.ts';
import { unpackLines } from '../../gateway/indexing/text-block.ts';
import { Belongings } from '../support/temp.ts';
import { RecordedData } from './recorded-data.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

async function partsOf(data: RecordedData, session: string): Promise<(Part | undefined)[]> {
  const rows = await data.segments(session);
  return Promise.all(rows.map(({ segment, sha256 }) => readPart(data.directory, session, 0, segment, sha256)));
}

it('makes a part and the screen text of each segment when it is sealed', async () => {
  const data = await RecordedData.open(belongings);
  const happenings = Array.from({ length: 2000 }, (_, index) => [index * 10, `line ${index} of a log that is long enough\r\n`] as const);
  const session = await data.session({ happenings, terminal: { cols: 80, rows: 24 } });
  await data.indexing.indexer.idle();
  const parts = await partsOf(data, session);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.every((part) => part !== undefined)).toBe(true);
});
