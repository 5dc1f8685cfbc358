import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerPage } from '../../electron/page/app-files.ts';
import { routeOf } from '../../electron/page/app-origin.ts';
import { launchOf } from '../../electron/page/launch.ts';
import {
  mayAttachWebview,
  mayHave,
  mayInspect,
  mayLoad,
  mayNavigate,
  mayOpenOutside,
  mayOpenWindow,
  webPreferences,
} from '../../electron/page/window-policy.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

let folder: string;
beforeAll(() => {
  const outside = belongings.directory('page');
  folder = join(outside, 'renderer');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), 'the page');
  writeFileSync(join(folder, 'assets', 'app.js'), 'the script');
  writeFileSync(join(folder, '.secret.js'), 'hidden');
  writeFileSync(join(folder, 'app.js.map'), 'the source');
  writeFileSync(join(outside, 'secret.js'), 'outside');
  mkdirSync(join(outside, 'renderer-other'));
  writeFileSync(join(outside, 'renderer-other', 'secret.js'), 'outside');
  symlinkSync(join(outside, 'secret.js'), join(folder, 'assets', 'link.js'));
});

const get = async (address: string, method = 'GET') => {
  const { status, headers, body } = await answerPage(folder, method, address);
  return { status, text: Buffer.from(body).toString(), type: headers['content-type'], policy: headers['content-security-policy'] };
};

describe('the scheme of the app', () => {
  it('gives the page at every place of it, and its files', async () => {
    for (const place of ['', '/', '/session/1?at=2', '/approvals/3#x', '/index.html'])
      expect(await get(`sallyport-app://console${place}`)).toMatchObject({
        status: 200,
        text: 'the page',
        type: 'text/html; charset=utf-8',
      });
    expect(await get('sallyport-app://console/assets/app.js')).toMatchObject({
      status: 200,
      text: 'the script',
      type: 'text/javascript; charset=utf-8',
    });
  });

  it('lets the page talk to nobody, and has no script in it but from files', async () => {
    for (const address of ['sallyport-app://console/', 'sallyport-app://console/assets/app.js', 'sallyport-app://console/assets/none.js']) {
      const { policy } = await get(address);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("connect-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toContain('unsafe');
    }
  });

  it.each([
    'sallyport-app://console/../secret.js',
    'sallyport-app://console/%2e%2e/secret.js',
    'sallyport-app://console/..%2fsecret.js',
    'sallyport-app://console/assets/..%2f..%2fsecret.js',
    'sallyport-app://console/..%5csecret.js',
    'sallyport-app://console/%2e%2e%2frenderer-other/secret.js',
    'sallyport-app://console/%252e%252e/secret.js',
    'sallyport-app://console//etc/passwd.js',
    'sallyport-app://console/C:/secret.js',
    'sallyport-app://console/assets/link.js',
    'sallyport-app://console/.secret.js',
    'sallyport-app://console/assets/app.js%00.html',
    'sallyport-app://console/assets/app.js.',
    'sallyport-app://console/app.js.map',
    'sallyport-app://console/%zz.js',
    'sallyport-app://elsewhere/assets/app.js',
    'file:///assets/app.js',
  ])('gives nothing for %s', async (address) => {
    expect(await get(address)).toMatchObject({ status: 404, text: 'There is nothing here.\n' });
  });

  it('only reads', async () => {
    expect((await get('sallyport-app://console/', 'POST')).status).toBe(405);
  });

  it('says where in the app a page is', () => {
    expect(routeOf('sallyport-app://console/approvals/1?x=2')).toBe('/approvals/1?x=2');
    expect(routeOf('https://evil.example/approvals/1')).toBe('/');
  });
});

describe('a window', () => {
  it('goes nowhere but to its own page', () => {
    expect(mayNavigate('sallyport-app://console/live')).toBe(true);
    for (const to of [
      'https://example.com',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'sallyport-app://console.evil/',
      'about:blank',
      'data:text/html,x',
    ])
      expect([to, mayNavigate(to)]).toEqual([to, false]);
  });

  it('loads nothing from a network and no file', () => {
    for (const address of ['sallyport-app://console/assets/app.js', 'data:image/png;base64,AA', 'blob:sallyport-app://console/1'])
      expect([address, mayLoad(address)]).toEqual([address, true]);
    for (const address of [
      'https://example.com/x.js',
      'http://127.0.0.1/',
      'ws://127.0.0.1/',
      'file:///etc/passwd',
      'sallyport-app://other/',
      'ftp://x/',
    ])
      expect([address, mayLoad(address)]).toEqual([address, false]);
  });

  it('has no permission, opens no window and attaches nothing', () => {
    for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read', 'openExternal', 'fullscreen', 'unknown'])
      expect(mayHave(permission)).toBe(false);
    expect([mayOpenWindow(), mayAttachWebview()]).toEqual([false, false]);
  });

  it('is inspected only where the app is worked on', () => {
    expect([mayInspect({ isPackaged: true }), mayInspect({ isPackaged: false })]).toEqual([false, true]);
  });

  it('is made as the security checklist of Electron wants it', () => {
    expect(webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
    });
  });

  it.each(['https://login.example.com/authorize?x=1', 'http://127.0.0.1:8080/authorize', 'http://localhost/authorize'])(
    'sends a log-in to %s in the browser of the system',
    (address) => expect(mayOpenOutside(address)).toBe(true),
  );
  it.each([
    'http://login.example.com/',
    'file:///bin/sh',
    'smb://server/share',
    'javascript:alert(1)',
    'ms-msdt:/id',
    'https://a:b@login.example.com/',
    'x',
  ])('does not open %s outside', (address) => expect(mayOpenOutside(address)).toBe(false));
});

describe('the arguments of a start', () => {
  const id = '0198c2c0-1234-7000-8000-00000000abcd';
  const launch = (...args: string[]) => launchOf(['/usr/bin/sallyport', ...args], '/home/ada');
  it('name a place or a bundle', () => {
    expect(launch(`sallyport://session/${id}?at=3`)).toEqual({ route: `/session/${id}?at=3` });
    expect(launch('--enable-features=x', 'bundles/case 7.zip')).toEqual({ file: '/home/ada/bundles/case 7.zip' });
    expect(launch('/srv/case.sallyport')).toEqual({ file: '/srv/case.sallyport' });
  });

  it('mean nothing else', () => {
    expect(launch()).toBeUndefined();
    expect(
      launch('--no-sandbox', '--inspect=0.0.0.0:1', '.', '/etc/passwd', 'https://evil.example/x.zip', 'sallyport://quit'),
    ).toBeUndefined();
    expect(launchOf([`sallyport://session/${id}`], '/')).toBeUndefined();
    expect(launch('--load=x.zip')).toBeUndefined();
    expect(launch(`${'a'.repeat(5000)}.zip`)).toBeUndefined();
    expect(launch(...Array<string>(100).fill('-x'), 'late.zip')).toBeUndefined();
  });
});
