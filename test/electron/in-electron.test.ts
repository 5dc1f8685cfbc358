import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { _electron, type ElectronApplication } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { electronBinary, hasDisplay } from '../../electron/packaging/electron-binary.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

/** The app as it is started, in Electron itself: what no module on its own can show. */

const root = join(import.meta.dirname, '../..');
const binary = electronBinary(root);
const missing =
  binary === undefined
    ? 'there is no Electron binary here (node_modules/electron/dist)'
    : hasDisplay()
      ? undefined
      : 'there is no display here';
// Said aloud, so that nobody takes the silence for a success.
if (missing !== undefined) process.stderr.write(`SKIPPED: the desktop app was not tried in Electron, because ${missing}.\n`);

describe.skipIf(missing !== undefined)('in Electron', () => {
  const belongings = new Belongings();
  let app: ElectronApplication;
  const errors: string[] = [];

  beforeAll(async () => {
    const built = await run('npm', ['run', '-s', 'build:desktop'], { cwd: root, timeoutMs: 55_000 });
    expect(built.stderr).toBe('');
    const data = belongings.directory('electron');
    mkdirSync(join(data, 'home'));
    app = await _electron.launch({
      executablePath: binary ?? '',
      // Chromium has no sandbox for root, which is who runs tests in a container.
      args: [join(root, 'dist', 'electron'), `--user-data-dir=${data}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
      env: { ...(process.env as Record<string, string>), HOME: join(data, 'home') },
    });
    belongings.add(() => app.close());
    const page = await app.firstWindow();
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(error.message));
  });
  afterAll(() => belongings.release());

  it('shows the page from its own scheme, with the bridge and nothing of Node', async () => {
    const page = await app.firstWindow();
    await page.waitForSelector('#app > *');
    expect(page.url()).toMatch(/^sallyport-app:\/\/console\//);
    expect(await page.evaluate('[typeof window.sallyport, typeof require, typeof process, typeof Buffer]')).toEqual([
      'object',
      'undefined',
      'undefined',
      'undefined',
    ]);
    expect(await page.evaluate('window.sallyport.ask({ ask: "app.info", input: {} })')).toMatchObject({ ok: true });
    expect(await page.evaluate('window.sallyport.ask({ ask: "shell.exec", input: {} })')).toMatchObject({ ok: false });
  });

  it('lets the page reach nothing by itself', async () => {
    const page = await app.firstWindow();
    expect(await page.evaluate('fetch("https://127.0.0.1:1/").then(() => "reached", () => "refused")')).toBe('refused');
    expect(await page.evaluate('window.open("https://example.com") === null')).toBe(true);
    expect(await page.evaluate('Notification.requestPermission()')).toBe('denied');
    expect(app.windows()).toHaveLength(1);
  });

  it('says nothing on the console but what we have just provoked', () => {
    expect(errors.filter((error) => !/Content Security Policy|ERR_BLOCKED|127\.0\.0\.1:1/.test(error))).toEqual([]);
  });
});
