import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { RawBridge } from '../../contract/desktop-channels.ts';
import { answerPage } from '../../electron/page/app-files.ts';
import { APP_ORIGIN } from '../../electron/page/app-origin.ts';

const renderer = join(import.meta.dirname, '../../dist/renderer');
/** Stands for the app's own scheme, which only Electron can have. */
const SITE = 'https://console.test';

export interface ShownPage {
  readonly page: Page;
  /** Errors of the console, of scripts, and of the content security policy. */
  readonly faults: string[];
  /** Requests that went anywhere but to the app's own files. */
  readonly strays: string[];
}

/** The built page, with the files, headers and bridge that it has in the desktop app. */
export async function showBehindBridge(browser: Browser, bridge: RawBridge, route = '/'): Promise<ShownPage> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const [faults, strays]: [string[], string[]] = [[], []];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  await context.route('**/*', async (asked) => {
    const url = asked.request().url();
    if (!url.startsWith(`${SITE}/`)) {
      strays.push(url);
      return asked.abort();
    }
    const { status, headers, body } = await answerPage(renderer, asked.request().method(), url.replace(SITE, APP_ORIGIN));
    return asked.fulfill({ status, headers, body: Buffer.from(body) });
  });
  await page.exposeFunction('askDesk', async (text: string) => JSON.stringify(await bridge.ask(JSON.parse(text, revive)), encode));
  await page.addInitScript(preload);
  bridge.listen((event) => {
    page.evaluate(`window.hearDesk(${JSON.stringify(JSON.stringify(event, encode))})`).catch(() => undefined); // It may be closed already.
  });
  await page.goto(`${SITE}${route}`);
  return { page, faults, strays };
}

/** What the preload does; bytes go as base64, which Electron does by itself. */
const preload = `{
  const listeners = new Set();
  const revive = (_key, value) => (value && typeof value.base64 === 'string' ? Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0)) : value);
  window.hearDesk = (text) => { for (const listener of listeners) listener(JSON.parse(text, revive)); };
  window.sallyport = {
    ask: async (message) => JSON.parse(await window.askDesk(JSON.stringify(message)), revive),
    listen: (listener) => { listeners.add(listener); return () => listeners.delete(listener); },
  };
}`;

function encode(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value;
}

function revive(_key: string, value: unknown): unknown {
  const { base64 } = (value ?? {}) as { base64?: unknown };
  return typeof base64 === 'string' ? new Uint8Array(Buffer.from(base64, 'base64')) : value;
}
