import { type Browser, chromium } from 'playwright-core';
import type { Belongings } from './temp.ts';

/** The system's Chromium, as people have it, without anything that it does by itself in the background. */
export async function startBrowser(belongings: Belongings): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  belongings.add(() => browser.close());
  return browser;
}
