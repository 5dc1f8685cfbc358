import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { sallyport } from '../../support/gateway.ts';
import { run } from '../../support/run.ts';
import type { Belongings } from '../../support/temp.ts';

/** A page that was opened by double click, and everything it said or tried that it should not have. */
export interface OpenedPage {
  page: Page;
  /** Console errors and warnings, uncaught errors, violations of its content security policy. */
  complaints: string[];
  /** Every request that did not go to the folder of the bundle. */
  strayRequests: string[];
  /** Goes to an address within the page. */
  go(hash: string): Promise<void>;
  /** Resolves when all steps of the verification have run; gives the state of each. */
  verified(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export interface OpenOptions {
  hash?: string;
  colorScheme?: 'light' | 'dark';
  viewport?: { width: number; height: number };
  /** Runs in the page before its own scripts. */
  before?: string;
}

export async function openPage(browser: Browser, folder: string, options: OpenOptions = {}): Promise<OpenedPage> {
  const context: BrowserContext = await browser.newContext({
    colorScheme: options.colorScheme ?? 'dark',
    viewport: options.viewport ?? { width: 1360, height: 820 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const strayRequests: string[] = [];
  const root = pathToFileURL(join(folder, 'data')).href;
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(`${root}/`)) strayRequests.push(request.url());
  });
  context.on('page', (opened) => complaints.push(`opened ${opened.url()}`));
  await page.addInitScript(`addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI));
${options.before ?? ''}`);
  const url = `${root}/index.html`;
  await page.goto(`${url}${options.hash ?? ''}`);
  return {
    page,
    complaints,
    strayRequests,
    go: async (hash) => {
      await page.evaluate((to) => {
        window.location.hash = to;
      }, hash);
    },
    verified: async () => {
      await page.waitForSelector('.pill:not(.running):not(.waiting)', { timeout: 60_000 });
      await page.waitForFunction(() => document.querySelector('.pill')?.textContent.includes('step ') === false, undefined, {
        timeout: 60_000,
      });
      const before = await page.evaluate(() => {
        const { hash } = window.location;
        window.location.hash = '#/';
        return hash;
      });
      await page.waitForSelector('.steps .step');
      const states = await page.$$eval('.steps .step', (steps) =>
        steps.map((step): [string, string] => [
          step.getAttribute('data-step') ?? '',
          (step.getAttribute('class') ?? '').replace('step ', ''),
        ]),
      );
      await page.evaluate((hash) => {
        window.location.hash = hash;
      }, before);
      return Object.fromEntries(states);
    },
    close: () => context.close(),
  };
}

/** What `sallyport export` writes about this data directory, unpacked. */
export async function exportedBundle(belongings: Belongings, data: string, ...words: string[]): Promise<string> {
  // What is tested is the page as its sources are now.
  const built = await run(process.execPath, [join(import.meta.dirname, '../../../.ci/build-page.mjs')]);
  if (built.status !== 0) throw new Error(`the page cannot be built: ${built.stderr}`);
  const folder = belongings.directory('bundle');
  const file = join(folder, 'bundle.zip');
  const exported = await sallyport(['export', '--data', data, '-o', file, ...words]);
  if (!existsSync(file)) throw new Error(`there is no bundle: ${exported.stderr}`);
  const unpacked = join(folder, 'unpacked');
  const done = await run('unzip', ['-q', file, '-d', unpacked]);
  if (done.status !== 0) throw new Error(`unzip: ${done.stderr}`);
  return unpacked;
}

/** A copy to change something in. */
export function copyOf(belongings: Belongings, bundle: string): string {
  const copy = join(belongings.directory('changed'), 'bundle');
  cpSync(bundle, copy, { recursive: true });
  return copy;
}
