import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedBundle } from '../bundle-page/in-browser/shared-bundle.ts';
import type { Story } from '../bundle-page/in-browser/recorded-story.ts';
import { Belongings } from '../support/temp.ts';
import { faultsIn, faultsOf, verified } from './opened-bundle.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());
let whole: Buffer;
let story: Story;

describe('a bundle that is opened in the console', () => {
  it('is verified step by step, and every step passes', async () => {
    const made = await sharedBundle(belongings)();
    story = made.story;
    whole = readFileSync(join(dirname(made.bundle), 'bundle.zip'));
    const opened = await verified(whole);
    console.log(opened.steps.map(({ id, state, result, tookMs }) => `${id} ${state} ${result} ${tookMs}`).join('\n'));
    expect(faultsIn(opened.steps)).toEqual([]);
  });
});
