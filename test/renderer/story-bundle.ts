import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordStory, type Story } from '../bundle-page/in-browser/recorded-story.ts';
import { RecordedData } from '../query/recorded.ts';
import { sallyport } from '../support/gateway.ts';
import { run } from '../support/run.ts';
import type { Belongings } from '../support/temp.ts';

/** What `sallyport export` writes about sessions of every kind. */
export async function storyBundle(belongings: Belongings, more: (data: RecordedData) => Promise<void> = async () => undefined) {
  const built = await run(process.execPath, [join(import.meta.dirname, '../../.ci/build-page.mjs')]);
  if (built.status !== 0) throw new Error(`the page cannot be built: ${built.stderr}`);
  const data = await RecordedData.open({ directory: belongings.directory('data'), segmentBytes: 2048 });
  const story: Story = await recordStory(data);
  await more(data);
  await data.close();
  const path = join(belongings.directory('bundle'), 'bundle.zip');
  const exported = await sallyport(['export', '--data', data.directory, '-o', path]);
  if (exported.status !== 0) throw new Error(`there is no bundle: ${exported.stderr}`);
  return { path, whole: readFileSync(path), story, data: data.directory };
}
