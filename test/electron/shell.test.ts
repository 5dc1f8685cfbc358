import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ASK_CHANNEL, BRIDGE_NAME, EVENT_CHANNEL, type RawBridge } from '../../contract/desktop-channels.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { app, done, electron, FakeWindow, handlers, notifications, reset, told, trays, windows } from './fake-electron.ts';

// The app's own modules are loaded anew for each start; this one stays the same.
const system = vi.hoisted((): { electron?: object } => ({}));
vi.mock(import('electron'), () => system.electron as never);
system.electron = electron;
Object.assign(process, { resourcesPath: '/nonexistent' });

const belongings = new Belongings();
afterAll(async () => {
  app.emit('will-quit');
  await belongings.release();
});

const ID = '0198c2c0-1234-7000-8000-00000000abcd';
let folder: string;

/** Starts the app anew, as the system would. */
async function start(hasLock = true): Promise<FakeWindow> {
  app.emit('will-quit');
  folder = belongings.directory('shell');
  reset(folder, hasLock);
  vi.resetModules();
  await import('../../electron/main.ts');
  if (!hasLock) return new FakeWindow({});
  return until('the window', () => windows[0], { withinMs: 10_000 });
}

type Ask = (event: object, message: unknown) => Promise<{ ok: boolean }>;
const asks = (window: FakeWindow, message: unknown, change: object = {}): Promise<{ ok: boolean }> =>
  (handlers.get(`ipc ${ASK_CHANNEL}`) as Ask)(
    { sender: window.webContents, senderFrame: window.webContents.mainFrame, ...change },
    message,
  );

const call = (name: string, ...args: unknown[]): unknown => (handlers.get(name) as (...args: unknown[]) => unknown)(...args);
const prevented = () => ({ preventDefault: told() });

describe('the start of the app', () => {
  let window: FakeWindow;
  beforeEach(async () => {
    window = await start();
  });

  it('puts every page into the sandbox, and has its scheme, before anything else', () => {
    expect(done.slice(0, 3)).toEqual(['sandbox', 'privileged sallyport-app', 'ready']);
    expect(done).toContain('protocol sallyport');
    expect(done).toContain('load sallyport-app://console/');
  });

  it('makes a window that has nothing of Node in it', () => {
    expect(window.options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      devTools: false,
      preload: expect.stringMatching(/preload\.cjs$/),
    });
  });

  it('lets the window go nowhere, open nothing and attach nothing', () => {
    const { webContents } = window;
    for (const happening of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
      const event = { ...prevented(), url: 'https://evil.example/' };
      webContents.emit(happening, event);
      expect([happening, event.preventDefault.mock.calls.length]).toEqual([happening, 1]);
    }
    const webview = prevented();
    webContents.emit('will-attach-webview', webview);
    expect(webview.preventDefault).toHaveBeenCalled();
    expect(webContents.openHandler?.()).toEqual({ action: 'deny' });
  });

  it('gives no permission, loads nothing from anywhere and downloads nothing', () => {
    const granted = told();
    call('permission request', undefined, 'clipboard-read', granted);
    expect(granted).toHaveBeenCalledWith(false);
    expect([call('permission check', undefined, 'media'), call('device', { deviceType: 'usb' })]).toEqual([false, false]);
    const answered = told();
    call('request', { url: 'https://evil.example/x.js' }, answered);
    call('request', { url: 'sallyport-app://console/app.js' }, answered);
    expect(answered.mock.calls).toEqual([[{ cancel: true }], [{ cancel: false }]]);
    const download = prevented();
    call('session will-download', download);
    expect(download.preventDefault).toHaveBeenCalled();
  });

  it('takes no certificate that Chromium does not', () => {
    const [event, answered] = [prevented(), told()];
    app.emit('certificate-error', event, undefined, 'https://x', 'error', {}, answered);
    expect([event.preventDefault.mock.calls.length, answered.mock.calls]).toEqual([1, [[false]]]);
  });

  it('answers its own window, and no frame, page or window besides', async () => {
    expect(await asks(window, { ask: 'app.info', input: {} })).toMatchObject({ ok: true, output: { version: '1.2.3', packaged: true } });
    const { mainFrame } = window.webContents;
    for (const change of [
      { senderFrame: null },
      { senderFrame: { ...mainFrame, parent: mainFrame } },
      { senderFrame: { ...mainFrame, url: 'https://evil.example/' } },
      { sender: new FakeWindow({}).webContents },
    ])
      expect(await asks(window, { ask: 'app.info', input: {} }, change)).toMatchObject({ ok: false, error: { code: 'REQUEST_INVALID' } });
  });

  it('serves the page from its own files with the policy', async () => {
    const answer = (await call('scheme sallyport-app', new Request('https://console/'))) as Response;
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-security-policy')).toContain("connect-src 'none'");
  });
});

describe('while the app runs', () => {
  const routes = (window: FakeWindow) => window.webContents.sent.filter(([channel]) => channel === EVENT_CHANNEL).map(([, event]) => event);

  it('a second start shows the window and what it was started with, when there is a page to show it', async () => {
    const window = await start();
    window.visible = false;
    app.emit('second-instance', {}, ['sallyport', `sallyport://approval/${ID}`], '/');
    expect(window.visible).toBe(true);
    expect(routes(window)).toEqual([]);
    await asks(window, { ask: 'app.info', input: {} });
    expect(routes(window)).toEqual([{ event: 'open.route', route: `/approvals/${ID}` }]);
  });

  it('a second start with something else shows the window and nothing more', async () => {
    const window = await start();
    await asks(window, { ask: 'app.info', input: {} });
    app.emit('second-instance', {}, ['sallyport', '--inspect', 'sallyport://quit', '/etc/passwd'], '/');
    expect([routes(window), windows.length]).toEqual([[], 1]);
  });

  it('a link that a Mac hands over before the app is ready waits for it', async () => {
    app.emit('will-quit');
    reset(belongings.directory('shell'));
    vi.resetModules();
    const started = import('../../electron/main.ts');
    await until('the listener', () => (app.listenerCount('open-url') > 0 ? true : undefined));
    app.emit('open-url', prevented(), `sallyport://session/${ID}?at=3`);
    await started;
    const window = await until('the window', () => windows[0], { withinMs: 10_000 });
    await until('the handler', () => handlers.get(`ipc ${ASK_CHANNEL}`));
    await asks(window, { ask: 'app.info', input: {} });
    await until('the place', () => routes(window)[0]);
    expect(routes(window)).toEqual([{ event: 'open.route', route: `/session/${ID}?at=3` }]);
  });

  it('closing the window hides it, quitting ends it, and where it was is kept', async () => {
    const window = await start();
    const hidden = prevented();
    window.emit('close', hidden);
    expect([hidden.preventDefault.mock.calls.length, window.visible]).toEqual([1, false]);
    await until('the file', () => existsSync(join(folder, 'window.json')) || undefined);
    app.emit('before-quit');
    const closed = prevented();
    window.emit('close', closed);
    expect(closed.preventDefault).not.toHaveBeenCalled();
  });

  it('the tray says how it is and leads to the app', async () => {
    const window = await start();
    const [tray] = trays;
    expect(tray?.tooltip).toBe('Sallyport');
    await asks(window, { ask: 'app.info', input: {} });
    tray?.menu.find(({ label }) => label === 'Sessions')?.click?.();
    expect(routes(window)).toEqual([{ event: 'open.route', route: '/sessions' }]);
    tray?.menu.find(({ label }) => label === 'Quit Sallyport')?.click?.();
    expect(done.at(-1)).toBe('quit');
  });

  it('a notification of the page is one of the system, once, and a click leads to it', async () => {
    const window = await start();
    await asks(window, { ask: 'app.info', input: {} });
    const notice = { ask: 'notify', input: { title: 'x', body: 'y', route: '/approvals/1', tag: 'approval-1' } };
    await asks(window, notice);
    await asks(window, notice);
    expect(notifications).toHaveLength(1);
    notifications[0]?.emit('click');
    expect(routes(window)).toEqual([{ event: 'open.route', route: '/approvals/1' }]);
  });

  it('a dialog that asks means no unless it is answered with yes', async () => {
    const window = await start();
    electron.dialog.showMessageBox.mockResolvedValueOnce({ response: 0 }).mockResolvedValueOnce({ response: 1 });
    for (const forgotten of [false, true])
      expect(await asks(window, { ask: 'signer.forget', input: {} })).toMatchObject({ output: { forgotten } });
    expect(electron.dialog.showMessageBox.mock.calls.at(-1)?.[1]).toMatchObject({ defaultId: 0, cancelId: 0 });
  });

  it('a page that ends is loaded anew, and not for ever', async () => {
    const window = await start();
    for (let time = 0; time < 6; time += 1) window.webContents.emit('render-process-gone', {}, { reason: 'crashed' });
    expect(done.filter((what) => what === 'reload')).toHaveLength(3);
  });
});

describe('a second start', () => {
  it('ends at once, and does nothing', async () => {
    await start(false);
    expect(done.filter((what) => !what.startsWith('privileged') && what !== 'sandbox')).toEqual(['quit']);
  });
});

describe('the preload', () => {
  it('exposes two functions, and neither Electron nor its events', async () => {
    const exposed: Record<string, unknown> = {};
    const listeners: ((event: unknown, message: unknown) => void)[] = [];
    const invoked: unknown[][] = [];
    vi.resetModules();
    vi.doMock('electron', () => ({
      contextBridge: { exposeInMainWorld: (name: string, api: unknown) => (exposed[name] = api) },
      ipcRenderer: {
        invoke: async (...args: unknown[]) => invoked.push(args),
        on: (_channel: string, listener: (event: unknown, message: unknown) => void) => listeners.push(listener),
        off: (_channel: string, listener: (event: unknown, message: unknown) => void) => listeners.splice(listeners.indexOf(listener), 1),
      },
    }));
    await import('../../electron/preload.ts');
    vi.doUnmock('electron');
    expect(Object.keys(exposed)).toEqual([BRIDGE_NAME]);
    const bridge = exposed[BRIDGE_NAME] as RawBridge;
    expect(Object.keys(bridge).toSorted()).toEqual(['ask', 'listen']);
    await bridge.ask('a message');
    expect(invoked).toEqual([[ASK_CHANNEL, 'a message']]);
    const heard: unknown[][] = [];
    const stop = bridge.listen((...args) => heard.push(args));
    listeners[0]?.({ sender: 'ipcRenderer' }, 'an event');
    expect(heard).toEqual([['an event']]);
    stop();
    expect(listeners).toEqual([]);
  });
});
