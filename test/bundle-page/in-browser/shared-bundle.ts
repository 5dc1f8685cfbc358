import { RecordedData } from '../../query/recorded.ts';
import type { Belongings } from '../../support/temp.ts';
import { exportedBundle } from './opened-page.ts';
import { recordStory, type Story } from './recorded-story.ts';

/** One real bundle for the tests of a file; made by the first that asks for it. */
export function sharedBundle(belongings: Belongings): () => Promise<{ bundle: string; story: Story }> {
  let made: Promise<{ bundle: string; story: Story }> | undefined;
  return () => {
    made ??= make(belongings);
    return made;
  };
}

async function make(belongings: Belongings): Promise<{ bundle: string; story: Story }> {
  const data = await RecordedData.open({ directory: belongings.directory('data'), segmentBytes: 2048 });
  const story = await recordStory(data);
  await data.close();
  return { bundle: await exportedBundle(belongings, data.directory), story };
}
