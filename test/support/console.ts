import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { askOnSocket } from '../operator-api/api-client.ts';

/** A gateway with a console. */
export interface ConsoleGateway {
  readonly httpsPort: number;
  readonly data: string;
}

export interface OpenConsole {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly origin: string;
  /** Errors on the console, uncaught ones, and violations of the content security policy so far. */
  readonly faults: () => readonly string[];
  readonly close: () => Promise<void>;
}

export interface ConsoleOptions {
  /** Nobody is logged in without. */
  readonly operator?: string;
  readonly theme?: 'light' | 'dark';
  readonly size?: { readonly width: number; readonly height: number };
  readonly route?: string;
  /** Answers of the gateway that a test provokes, which Chromium writes to its console by itself. */
  readonly expectedStatuses?: readonly number[];
}

/** Opens the console in a browser of its own, logged in by a one-time code. */
export async function openConsole(browser: Browser, gateway: ConsoleGateway, options: ConsoleOptions = {}): Promise<OpenConsole> {
  const { operator, theme = 'dark', size = { width: 1360, height: 820 }, route = '/' } = options;
  const origin = `https://127.0.0.1:${gateway.httpsPort}`;
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme: theme,
    viewport: size,
    acceptDownloads: true,
    locale: 'en-GB',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const faults: string[] = [];
  const expected = new Set(options.expectedStatuses ?? []);
  watchFor(page, faults, expected);
  const code = operator === undefined ? '' : `#code=${await logInCode(gateway, operator)}`;
  await page.goto(`${origin}${route}${code}`);
  return { page, context, origin, faults: () => faults, close: () => context.close() };
}

/** Collects what no page of ours may do. */
export function watchFor(page: Page, faults: string[], expectedStatuses: ReadonlySet<number> = new Set()): void {
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error' && !/violates|Content.Security/i.test(message.text())) return;
    const status = /status of (\d{3})/.exec(message.text())?.[1];
    if (status !== undefined && (expectedStatuses.has(Number(status)) || isQuestion(status, message.location().url))) return;
    // A gateway that is stopped on purpose.
    if (expectedStatuses.has(0) && /ERR_CONNECTION|WebSocket connection|ERR_EMPTY|ERR_SOCKET/.test(message.text())) return;
    if (expectedStatuses.has(401) && /HTTP Authentication failed/.test(message.text())) return;
    faults.push(`${message.text()} (${message.location().url})`);
  });
}

/** Whether somebody is logged in is asked by asking who it is. */
function isQuestion(status: string, url: string): boolean {
  return status === '401' && new URL(url).pathname === '/api/whoami';
}

/** A code as `sallyport console` makes it on the gateway's own machine. */
export async function logInCode(gateway: ConsoleGateway, operator: string): Promise<string> {
  const { status, text, body } = await askOnSocket(gateway, 'login.link', { operator });
  if (status !== 200) throw new Error(`no log-in code: ${status} ${text}`);
  return String(body.code);
}

/** What axe finds wrong (WCAG 2.2, A and AA), one line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // What is on its way in has other colours for a moment.
  await page.evaluate(`(async () => {
    const running = () => document.getAnimations().filter(({ effect }) => effect.getComputedTiming().iterations !== Infinity);
    for (let quiet = 0; quiet < 6; ) {
      await new Promise(requestAnimationFrame);
      quiet = running().length === 0 ? quiet + 1 : 0;
      await Promise.allSettled(running().map(({ finished }) => finished));
    }
  })()`);
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`.replaceAll(/\s+/g, ' ')),
  );
}

/** Presses the button as a person does: once more where the console says that the list has moved under the pointer. */
export async function approveAsTold(page: Page): Promise<void> {
  const again = page.getByText('Nothing was decided: click again.');
  do await page.getByRole('button', { name: /^Approve/ }).click();
  while (await again.isVisible());
}
