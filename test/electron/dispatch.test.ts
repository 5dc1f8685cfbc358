import { describe, expect, it } from 'vitest';
import { routeOfLink } from '../../contract/deep-link.ts';
import { type BridgeAnswer, MOST_READ_BYTES, questions } from '../../contract/desktop-bridge.ts';
import { DesktopError } from '../../electron/base/desktop-error.ts';
import { type Answers, dispatcher, type Sender } from '../../electron/bridge/dispatch.ts';
import { requirePagePath } from '../../electron/gateway/gateway-path.ts';
import { ourPage } from './test-desk.ts';

/** Answers that say what they were asked, and nothing else. */
function echo(changes: Partial<Answers> = {}) {
  const logged: string[] = [];
  const asked: string[] = [];
  const answers = Object.fromEntries(Object.keys(questions).map((name) => [name, async () => void asked.push(name)]));
  return { asked, logged, dispatch: dispatcher({ ...(answers as unknown as Answers), ...changes }, (what) => void logged.push(what)) };
}

const code = (answer: BridgeAnswer): string => (answer.ok ? 'ok' : answer.error.code);

describe('who asks', () => {
  it.each<[string, Partial<Sender>]>([
    ['another site', { url: 'https://console/' }],
    ['a scheme that only begins as ours', { url: 'sallyport-app2://console/' }],
    ['a host that only begins as ours', { url: 'sallyport-app://console.evil.example/' }],
    ['somebody who puts our host before an @', { url: 'sallyport-app://console@evil.example/' }],
    ['a file', { url: 'file:///sallyport-app://console/' }],
    ['what has no address any more', { url: '' }],
    ['a data: page', { url: 'data:text/html,sallyport-app://console/' }],
    ['a frame within the page', { isMainFrame: false }],
    ['a window that is not ours', { isOurWindow: false }],
  ])('is refused and written down: %s', async (_who, change) => {
    const { dispatch, asked, logged } = echo();
    expect(code(await dispatch({ ...ourPage, ...change }, { ask: 'app.info', input: {} }))).toBe('REQUEST_INVALID');
    expect([asked, logged.length]).toEqual([[], 1]);
  });

  it('is answered when it is our own page, wherever it is in itself', async () => {
    const { dispatch, asked } = echo();
    for (const url of ['sallyport-app://console/', 'sallyport-app://console/session/1?at=2#x'])
      await dispatch({ ...ourPage, url }, { ask: 'app.info', input: {} });
    expect(asked).toEqual(['app.info', 'app.info']);
  });
});

describe('what is asked', () => {
  const file = '0198c2c0-0000-7000-8000-000000000000';
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a string', 'app.info'],
    ['a question without input', { ask: 'app.info' }],
    ['one that does not exist', { ask: 'shell.exec', input: {} }],
    ['a member of every object', { ask: 'constructor', input: {} }],
    ['more beside', { ask: 'app.info', input: {}, as: 'admin' }],
    ['more in the input', { ask: 'app.info', input: { x: 1 } }],
    [
      'a header that carries a log-in',
      { ask: 'request', input: { path: '/api/whoami', method: 'GET', headers: { authorization: 'Bearer x' } } },
    ],
    ['a method that no operation has', { ask: 'request', input: { path: '/api/whoami', method: 'CONNECT', headers: {} } }],
    ['an address instead of a path', { ask: 'request', input: { path: 'https://evil.example/api/', method: 'GET', headers: {} } }],
    ['another host after two slashes', { ask: 'request', input: { path: '//evil.example/api/', method: 'GET', headers: {} } }],
    ['more of a file than is given at a time', { ask: 'file.read', input: { file, at: 0, length: MOST_READ_BYTES + 1 } }],
    ['a place before a file', { ask: 'file.read', input: { file, at: -1, length: 1 } }],
    ['a notification that leads out', { ask: 'notify', input: { title: 'x', body: 'x', route: '//evil.example', tag: 'x' } }],
    ['a notification that runs something', { ask: 'notify', input: { title: 'x', body: 'x', route: 'javascript:alert(1)', tag: 'x' } }],
    ['a gateway without TLS', { ask: 'gateways.trust', input: { origin: 'http://bastion', fingerprint: 'AA', name: 'x' } }],
    ['a settings file of its own making', { ask: 'settings.set', input: { theme: 'dark', __proto__: { confirmSignatures: false }, x: 1 } }],
    ['far too much', { ask: 'copy', input: { text: 'x'.repeat(1024 * 1024 + 1) } }],
  ])('is refused without being done: %s', async (_what, message) => {
    const { dispatch, asked, logged } = echo();
    expect(code(await dispatch(ourPage, message))).toBe('REQUEST_INVALID');
    expect([asked, logged.length]).toEqual([[], 1]);
  });

  it('is no more than so much at a time', async () => {
    const never = new Promise<never>(() => undefined);
    const { dispatch } = echo({ 'app.info': () => never });
    for (let time = 0; time < 512; time += 1) void dispatch(ourPage, { ask: 'app.info', input: {} });
    expect(code(await dispatch(ourPage, { ask: 'settings.get', input: {} }))).toBe('REQUEST_INVALID');
  });

  it('fails with what went wrong, and a defect without its words', async () => {
    const { dispatch, logged } = echo({
      'settings.get': () => Promise.reject(new DesktopError('FILE_FAILED', 'the disk is full', { remedy: 'make room' })),
      'app.info': () => Promise.reject(new Error('/home/ada/.config is secret')),
    });
    expect(await dispatch(ourPage, { ask: 'settings.get', input: {} })).toEqual({
      ok: false,
      error: { code: 'FILE_FAILED', message: 'the disk is full', remedy: 'make room' },
    });
    const defect = await dispatch(ourPage, { ask: 'app.info', input: {} });
    expect(defect).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
    expect(JSON.stringify(defect)).not.toContain('ada');
    expect(logged).toHaveLength(1);
  });
});

describe('paths that the page may ask for', () => {
  it.each([
    '/api/whoami',
    '/api/login/provider',
    '/api/sessions?cursor=a%2Fb&limit=3',
    '/ledger/tile/0/x001/234.p/5',
    '/healthz',
    '/openapi.json',
    '/api/sessions/a%2Fb',
    '/api/operators',
    '/api/operators/revoke',
    '/api/credentials/revoke',
  ])('%s is one', (path) => expect(requirePagePath(path)).toBe(path));

  it.each([
    '/api/../metrics',
    '/api/%2e%2e/metrics',
    '/api/./whoami',
    '/api/login/oidc',
    '/api/login/provider/../oidc',
    '/api/login/provider?x',
    '/api/login%2foidc',
    '/api/%6cogin/oidc',
    '/api/LOGIN/oidc',
    '/api/x%2f..%2flogin',
    '/api\\login',
    '/api//login',
    '/api/logout',
    '/api/logout?x',
    '/api/login/links',
    '/api/operators/tokens',
    '/api/operators%2Ftokens?x',
    '/api/OPERATORS/tokens/',
    '/api/credentials',
    '/metrics',
    '/',
    '/api/whoami#x',
    '/api/who ami',
    '/api/%zz',
    '/api/%00',
    'https://evil.example/api/x',
  ])('%s is none', (path) => expect(() => requirePagePath(path)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' })));
});

describe('a deep link', () => {
  const id = '0198c2c0-1234-7000-8000-00000000abcd';
  it.each([
    [`sallyport://session/${id}`, `/session/${id}`],
    [`sallyport://session/${id}?at=12.5`, `/session/${id}?at=12.5`],
    [`sallyport://session/${id}/?at=12&channel=1&panel=review`, `/session/${id}?at=12&channel=1&panel=review`],
    [`SALLYPORT://SESSION/${id.toUpperCase()}`, `/session/${id}`],
    [`sallyport://approval/${id}`, `/approvals/${id}`],
    [`sallyport://live/${id}`, `/live/${id}`],
    ['sallyport://approvals', '/approvals'],
    ['sallyport://settings/', '/settings'],
  ])('%s leads to %s', (link, route) => expect(routeOfLink(link)).toBe(route));

  it.each([
    '',
    'sallyport:',
    'sallyport://',
    `https://session/${id}`,
    `sallyport://session`,
    'sallyport://session/1',
    `sallyport://session/${id}/../../settings`,
    `sallyport://session/${id}?at=-1`,
    `sallyport://session/${id}?at=1e9`,
    `sallyport://session/${id}?at=1&at=2`,
    `sallyport://session/${id}?at=1&to=2`,
    `sallyport://session/${id}?constructor=1`,
    `sallyport://session/${id}?at`,
    `sallyport://session/${id}#x`,
    `sallyport://session/${id}?at=1%26`,
    `sallyport://session/${id}\n`,
    `sallyport://session/${id} --inspect`,
    `sallyport://user@session/${id}`,
    `sallyport://constructor/${id}`,
    `sallyport://approval/${id}?decision=approve`,
    'sallyport://settings?confirmSignatures=false',
    'sallyport://quit',
    `sallyport://session/${'a'.repeat(600)}`,
  ])('%j leads nowhere', (link) => expect(routeOfLink(link)).toBeUndefined());
});
