import { randomInt } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../support/browser.ts';
import { Belongings } from '../../support/temp.ts';
import { copyOf, openPage } from './opened-page.ts';
import { sharedBundle } from './shared-bundle.ts';
import { changePage, changeText, flipBase64, readPage, recordScripts, scriptFile } from './tamper.ts';

const belongings = new Belongings();
const shared = sharedBundle(belongings);
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(belongings);
});
afterAll(() => belongings.release());

const allPassed = { records: 'passed', tree: 'passed', signature: 'passed', segments: 'passed', sessions: 'passed', range: 'passed' };

interface Verified {
  states: Record<string, string>;
  pill: string;
  findings: string;
  complaints: string[];
}

/** What the page says of a bundle in which something was changed. */
async function verify(bundle: string): Promise<Verified> {
  const opened = await openPage(browser, bundle);
  try {
    const states = await opened.verified();
    const pill = (await opened.page.textContent('.pill')) ?? '';
    const findings = (await opened.page.$$eval('.findings', (lists) => lists.map((list) => list.textContent))).join('\n');
    expect(opened.strayRequests).toEqual([]);
    return { states, pill, findings, complaints: opened.complaints };
  } finally {
    await opened.close();
  }
}

async function changed(change: (bundle: string) => void): Promise<Verified> {
  const copy = copyOf(belongings, (await shared()).bundle);
  change(copy);
  return verify(copy);
}

describe('the verification', () => {
  it('passes every step on a bundle as it was exported', async () => {
    const { states, pill, complaints } = await verify((await shared()).bundle);
    expect(states).toEqual(allPassed);
    expect(pill).toBe('✓ Verified');
    expect(complaints).toEqual([]);
  });

  it('finds one letter changed in a record, names the record, and nothing else is doubted', async () => {
    const { states, findings, pill } = await changed((bundle) => {
      const [script = ''] = recordScripts(bundle);
      changeText(bundle, script, (text) => text.replace('"client":"OpenSSH_9.2"', '"client":"OpenSSH_9.3"'));
    });
    expect(states).toEqual({ ...allPassed, records: 'failed' });
    expect(findings).toMatch(/^Record 0 is not the one that the ledger committed to/);
    expect(pill).toBe('✗ 1 fault found');
  });

  it('finds a record that was left out, moved or added', async () => {
    const removed = await changed((bundle) =>
      changeText(bundle, recordScripts(bundle)[0] ?? '', (text) => text.split('\n').toSpliced(7, 1).join('\n')),
    );
    expect(removed.states.records).toBe('failed');
    expect(removed.states.range).toBe('failed');
    const moved = await changed((bundle) =>
      changeText(bundle, recordScripts(bundle)[0] ?? '', (text) => {
        const lines = text.split('\n');
        return [lines[1], lines[0], ...lines.slice(2)].join('\n');
      }),
    );
    expect(moved.findings).toMatch(/Record 0 stands out of order/);
    const renumbered = await changed((bundle) =>
      changeText(bundle, recordScripts(bundle)[0] ?? '', (text) => text.replace(/^0\t(.*)\n1\t(.*)\n/, '0\t$2\n1\t$1\n')),
    );
    expect(renumbered.findings).toMatch(/Record 0 is not .*Record 1 is not/s);
    const added = await changed((bundle) =>
      changeText(bundle, recordScripts(bundle)[0] ?? '', (text) => `${text}999\t{"type":"gateway.start"}\n`),
    );
    expect(added.findings).toMatch(/Record 999: the bundle has no hash of the ledger at this place/);
  });

  it('finds any one character changed in a tile', async () => {
    const { bundle } = await shared();
    const paths = Object.keys(readPage(bundle).ledger.tiles).filter((path) => !path.includes('entries'));
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) {
      const { states, findings } = await changed((copy) =>
        changePage(copy, ({ ledger }) => {
          const tile = ledger.tiles[path] ?? '';
          ledger.tiles[path] = flipBase64(tile, randomInt(tile.length - 4));
        }),
      );
      expect(states.tree, path).toBe('failed');
      expect(states.segments).toBe('passed');
      expect(findings).toMatch(/do not add up to the root|does not fit the tile above it/);
    }
  });

  it('finds a checkpoint with another size, another root, another signature, or none that can be read', async () => {
    const change = (edit: (checkpoint: string) => string) =>
      changed((bundle) =>
        changePage(bundle, ({ ledger }) => {
          ledger.checkpoint = edit(ledger.checkpoint);
        }),
      );
    const size = await change((text) => text.replace(/\n(\d+)\n/, (_, digits: string) => `\n${Number(digits) - 1}\n`));
    expect(size.states).toMatchObject({ tree: 'failed', signature: 'failed', records: 'passed' });
    const root = await change((text) =>
      text
        .split('\n')
        .map((line, at) => (at === 2 ? flipBase64(line, 7) : line))
        .join('\n'),
    );
    expect(root.states).toMatchObject({ tree: 'failed', signature: 'failed' });
    const signature = await change((text) => text.replace(/(\S{20})\n$/, (_, end: string) => `${flipBase64(end, 3)}\n`));
    expect(signature.states).toEqual({ ...allPassed, signature: 'failed' });
    expect(signature.findings).toMatch(/The signature does not fit/);
    const nonsense = await change(() => 'nothing');
    expect(nonsense.states).toMatchObject({ tree: 'failed', signature: 'failed', segments: 'passed' });
  });

  it('finds a key that is not the one that signed', async () => {
    const { states } = await changed((bundle) =>
      changePage(bundle, ({ ledger }) => {
        ledger.verifierKey = 'a+00000000+AAAA';
      }),
    );
    expect(states).toEqual({ ...allPassed, signature: 'failed' });
  });

  it('finds one letter changed in a recording, does not play it, and plays what is around it', async () => {
    const { story } = await shared();
    const copy = copyOf(belongings, (await shared()).bundle);
    const part = `casts/${story.long}/0/0002`;
    changeText(copy, part, (text) => text.replace(/tick (\d)/, 'tock $1'));
    const { states, findings } = await verify(copy);
    expect(states).toEqual({ ...allPassed, segments: 'failed' });
    expect(findings).toMatch(/engineer@example\.com at web-1.*part 2: Its SHA-256 is [0-9a-f]{64} and was sealed as/);

    const opened = await openPage(browser, copy, { hash: `#/sessions/${story.long}/0?at=239` });
    const { page } = opened;
    await page.waitForFunction(() => document.querySelector('.cells')?.textContent.includes('tick 239'));
    expect(await page.textContent('.after-gap')).toMatch(/^Missing before this moment.*Part 2 of this recording is not shown/);
    expect(await page.textContent('.cells')).not.toContain('tock');
    expect(await page.$$eval('.timeline svg .damage', (areas) => areas.length)).toBe(1);
    const share = await page.$eval('.timeline svg .damage', (area) => Number(area.getAttribute('x')) / 1000);
    const box = await page.locator('.timeline').boundingBox();
    await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) * share + 6, (box?.y ?? 0) + 10);
    await page.waitForSelector('.gap:not([hidden])');
    expect(await page.textContent('.gap')).toMatch(/^Missing here, 0:\d\d to 1:\d\d/);
    await page.getByLabel('Find in the transcript').fill('not shown');
    await page.waitForFunction(() => document.querySelectorAll('.transcript-rows .damage').length === 1);
    await page.getByRole('tab', { name: 'Details' }).click();
    expect(await page.textContent('#panel-details .evidence.failed')).toBe('✗ altered');
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });

  it('finds a part whose script is damaged or gone', async () => {
    const { story } = await shared();
    const damaged = await changed((bundle) => {
      const file = scriptFile(bundle, `casts/${story.exec}/0/0001`);
      const text = readFileSync(file, 'utf8');
      // A part of it is gone. Of one changed bit it might be that it changes nothing of what is packed.
      const at = Math.floor(text.length / 2);
      writeFileSync(file, text.slice(0, at) + text.slice(at + 4));
    });
    expect(damaged.states).toEqual({ ...allPassed, segments: 'failed' });
    const gone = await changed((bundle) => rmSync(scriptFile(bundle, `casts/${story.exec}/0/0001`)));
    expect(gone.states).toEqual({ ...allPassed, segments: 'failed' });
    expect(gone.findings).toMatch(/page\/casts\/\S+\.js is missing or cannot be read/);
    const empty = await changed((bundle) => writeFileSync(scriptFile(bundle, `casts/${story.exec}/0/0001`), ''));
    expect(empty.findings).toMatch(/is damaged: it does not hold what its name says/);
  });

  it('finds records that cannot be read at all, and still shows the recordings', async () => {
    const copy = copyOf(belongings, (await shared()).bundle);
    const { story } = await shared();
    rmSync(scriptFile(copy, recordScripts(copy)[0] ?? ''));
    const { states } = await verify(copy);
    expect(states).toMatchObject({ records: 'failed', tree: 'passed', signature: 'passed', segments: 'failed', sessions: 'failed' });
    const opened = await openPage(browser, copy, { hash: `#/sessions/${story.exec}/0` });
    await opened.page.waitForFunction(() => document.querySelector('.cells')?.textContent.includes('FAILED: 1 of 61'));
    await opened.close();
  });

  it('finds a list that names somebody else, another target or another state than the records', async () => {
    const { findings, states } = await changed((bundle) =>
      changePage(bundle, ({ sessions }) => {
        const [first] = sessions;
        if (first !== undefined) Object.assign(first, { principal: 'somebody-else', target: 'web-9' });
      }),
    );
    expect(states).toEqual({ ...allPassed, sessions: 'failed' });
    expect(findings).toMatch(/names the principal “somebody-else”; the record says “deploy-bot”/);
    expect(findings).toMatch(/names the target “web-9”; the record says “web-1”/);
  });

  it('finds a session that was taken from the list, and a range that does not add up', async () => {
    const session = await changed((bundle) =>
      changePage(bundle, (page) => {
        page.sessions.pop();
      }),
    );
    expect(session.states).toMatchObject({ sessions: 'failed', range: 'failed' });
    const range = await changed((bundle) =>
      changePage(bundle, ({ completeness }) => {
        completeness.elsewhere += 1;
      }),
    );
    expect(range.states).toEqual({ ...allPassed, range: 'failed' });
  });

  it('says plainly when the browser cannot check a signature, and does not call it verified', async () => {
    const { bundle } = await shared();
    const opened = await openPage(browser, bundle, {
      before: "crypto.subtle.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'));",
    });
    expect(await opened.verified()).toEqual({ ...allPassed, signature: 'limited' });
    expect(await opened.page.textContent('.pill')).toBe('! Verified as far as this browser can');
    expect(await opened.page.textContent('[data-step=signature] .result')).toMatch(/cannot check Ed25519.*verify\.sh/);
    await opened.close();
  });
});

describe('a checkpoint that an auditor holds', () => {
  it('is compared with the bundle’s', async () => {
    const { bundle } = await shared();
    const own = readPage(bundle).ledger.checkpoint;
    const opened = await openPage(browser, bundle);
    await opened.verified();
    const { page } = opened;
    const compare = async (text: string) => {
      await page.fill('#held-checkpoint', text);
      await page.getByRole('button', { name: 'Compare' }).click();
      await page.waitForSelector('.answer p');
      return (await page.textContent('.answer')) ?? '';
    };
    expect(await compare(own)).toMatch(/^The same checkpoint/);
    await page.evaluate(() => document.querySelector('.answer')?.replaceChildren());
    expect(
      await compare(
        own
          .split('\n')
          .map((line, at) => (at === 2 ? flipBase64(line, 7) : line))
          .join('\n'),
      ),
    ).toMatch(/^Its signature is wrong/);
    await page.evaluate(() => document.querySelector('.answer')?.replaceChildren());
    expect(await compare('<b>hello</b>')).toMatch(/^Not a checkpoint/);
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });
});

describe('a bundle that cannot be shown', () => {
  it.each([
    ['without its list', (bundle: string) => rmSync(scriptFile(bundle, 'bundle')), /page\/bundle\.js is missing/],
    [
      'of another format',
      (bundle: string) => changePage(bundle, (page) => Object.assign(page, { format: 2 })),
      /has the format 2; this page reads format 1/,
    ],
    [
      'whose list is damaged',
      (bundle: string) => changePage(bundle, (page) => Object.assign(page, { sessions: [{ id: 5 }] })),
      /sessions\[0\]\.id is not text/,
    ],
  ])('%s says why, and what to do', async (_, change, words) => {
    const copy = copyOf(belongings, (await shared()).bundle);
    change(copy);
    const opened = await openPage(browser, copy);
    await opened.page.waitForSelector('[role=alert]');
    const text = await opened.page.textContent('[role=alert]');
    expect(text).toMatch(words);
    expect(text).toMatch(/data\/verify\.sh/);
    await opened.close();
  });

  it('without its program says so in plain HTML', async () => {
    const copy = copyOf(belongings, (await shared()).bundle);
    rmSync(`${copy}/data/page`, { recursive: true });
    const opened = await openPage(browser, copy);
    expect(await opened.page.textContent('main')).toMatch(/unpack the whole zip first/);
    await opened.close();
  });

  it('in a browser that is too old says so, and where everything is nevertheless', async () => {
    const opened = await openPage(browser, (await shared()).bundle, { before: 'delete window.DecompressionStream;' });
    expect(await opened.page.textContent('[role=alert]')).toMatch(/too old.*data\/recordings.*data\/verify\.sh/s);
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });
});
