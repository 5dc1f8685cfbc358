import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConsoleFiles } from '../../../gateway/operator-api/console/console-files.ts';
import { Belongings } from '../../support/temp.ts';
import { type Got, Logged, raw, type Served, serve } from '../served.ts';

/** The console over HTTPS, from a folder as vite leaves it. */

const belongings = new Belongings();
afterAll(() => belongings.release());

const page = '<!doctype html><title>Sallyport</title><script type="module" src="/assets/index-1a2b.js"></script>';
const script = `console.log(${JSON.stringify('a script that is long enough to be compressed. '.repeat(100))});`;
const SECRET = 'PRIVATE KEY of somebody';

let folder: string;
let built: Served;
let unbuilt: Served;

beforeAll(async () => {
  const root = belongings.directory('renderer');
  folder = join(root, 'renderer/');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  const files = {
    'index.html': page,
    'assets/index-1a2b.js': script,
    'assets/index-3c4d.css': 'body { margin: 0 }',
    'assets/inter-5e6f.woff2': Buffer.alloc(5000, 7),
    'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '.built-from': 'a digest',
    'assets/index-1a2b.js.map': '{}',
    '../secret.html': SECRET,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  symlinkSync(join(root, 'secret.html'), join(folder, 'assets/link.html'));
  const consoleFiles = await readConsoleFiles(new Logged(), [folder]);
  built = await serve(belongings, 1, undefined, consoleFiles);
  unbuilt = await serve(belongings, 1);
});

function get(path: string, headers: Record<string, string> = {}, served = built, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const where = {
      host: '127.0.0.1',
      port: served.port,
      path,
      method,
      servername: 'localhost',
      agent: false as const,
      ca: served.certificate.chain,
    };
    const asked = request({ ...where, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }));
    });
    asked.on('error', reject);
    asked.end();
  });
}
const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('the page', () => {
  test.each([
    '/',
    '/sessions',
    '/session/01a205e1-e790',
    '/session/01a205e1-e790/0?at=12',
    '/search?q=rm%20-rf',
    '/audit/who-did.what/',
    '/a/b%40c',
  ])('is what a browser gets at %s, and is never kept', async (path) => {
    const { status, headers, body } = await get(path, asBrowser);
    expect([status, headers['content-type'], headers['cache-control'], body.toString()]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-store',
      page,
    ]);
  });

  test('may do nothing but what is its own', async () => {
    const { headers } = await get('/', asBrowser);
    const policy = String(headers['content-security-policy']).split('; ');
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
    ])
      expect(policy).toContain(directive);
    expect(policy.join()).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(String(headers['permissions-policy'])).toMatch(/camera=\(\).*geolocation=\(\).*microphone=\(\)/);
  });

  test('is not shown under a name that is not the gateway’s', async () => {
    for (const host of ['elsewhere.example', `elsewhere.example:${built.port}`, '127.0.0.1.elsewhere.example']) {
      const { status, body } = await get('/', { ...asBrowser, host });
      expect([status, body.includes('<title>')]).toEqual([421, false]);
    }
    expect((await get('/', { ...asBrowser, host: `localhost:${built.port}` })).status).toBe(200);
  });

  test('has browsers keep to HTTPS where it has the whole host, and not on a port beside others', async () => {
    expect((await get('/', { ...asBrowser, host: 'localhost' })).headers['strict-transport-security']).toBe('max-age=31536000');
    expect((await get('/', { ...asBrowser, host: `localhost:${built.port}` })).headers).not.toHaveProperty('strict-transport-security');
  });

  test('is not what a program gets, nor anybody below the paths of programs', async () => {
    for (const [path, headers] of [
      ['/sessions', { accept: 'application/json' }],
      ['/sessions', {}],
      ['/api/nothing', asBrowser],
      ['/api', asBrowser],
      ['/ledger/nothing', asBrowser],
      ['/login/nothing', asBrowser],
      ['/assets/index-old.js', asBrowser],
      ['/openapi.json/x', asBrowser],
      ['/.well-known/x', asBrowser],
    ] as const) {
      const { status, headers: got } = await get(path, headers);
      expect([path, status, got['content-type']]).toEqual([path, 404, 'application/problem+json']);
    }
    expect((await get('/healthz', asBrowser)).headers['content-type']).toMatch('application/json');
    expect((await get('/sessions', asBrowser, built, 'POST')).status).toBe(404);
  });

  test('says in words that there is none, where it was never built', async () => {
    const { status, headers, body } = await get('/', asBrowser, unbuilt);
    expect([status, headers['content-type']]).toEqual([503, 'text/html; charset=utf-8']);
    expect(body.toString()).toMatch(/not built.*npm ci/s);
    const style = /href="([^"]+\.css)"/.exec(body.toString())?.[1] ?? '';
    expect((await get(style, {}, unbuilt)).headers['content-type']).toBe('text/css; charset=utf-8');
  });
});

describe('its files', () => {
  test('are kept by browsers for ever, as their names say what is in them, and under the same policy', async () => {
    const { status, headers, body } = await get('/assets/index-1a2b.js');
    expect([status, headers['cache-control'], headers['content-type']]).toEqual([
      200,
      'public, max-age=31536000, immutable',
      'text/javascript; charset=utf-8',
    ]);
    expect(body.toString()).toBe(script);
    expect(headers['content-security-policy']).toBe((await get('/', asBrowser)).headers['content-security-policy']);
    expect((await get('/icon.svg')).headers['cache-control']).toBe('public, max-age=3600');
    expect((await get('/assets/index-1a2b.js', {}, built, 'HEAD')).headers['content-length']).toBe(String(script.length));
  });

  test('come compressed as the client likes it, and as they are where that gains nothing', async () => {
    const [br, gzip, none, refused, font] = await Promise.all([
      get('/assets/index-1a2b.js', { 'accept-encoding': 'gzip, deflate, br, zstd' }),
      get('/assets/index-1a2b.js', { 'accept-encoding': 'gzip;q=0.8' }),
      get('/assets/index-1a2b.js'),
      get('/assets/index-1a2b.js', { 'accept-encoding': 'br;q=0, gzip;q=0.0' }),
      get('/assets/inter-5e6f.woff2', { 'accept-encoding': 'br' }),
    ]);
    expect([br, gzip, none, refused, font].map(({ headers }) => headers['content-encoding'])).toEqual([
      'br',
      'gzip',
      undefined,
      undefined,
      undefined,
    ]);
    for (const { headers } of [br, none]) expect(headers.vary).toBe('accept-encoding');
    expect(brotliDecompressSync(br.body).toString()).toBe(script);
    expect(gunzipSync(gzip.body).toString()).toBe(script);
    expect(br.body.length).toBeLessThan(script.length / 10);
    expect(font.body.length).toBe(5000);
  });

  test.each([
    '/../secret.html',
    '/..%2fsecret.html',
    '/%2e%2e/secret.html',
    '/%2e%2e%2fsecret.html',
    '/assets/../../secret.html',
    '/assets/../../keys/https.key',
    '/assets/..%2f..%2fsecret.html',
    '/assets/..\\..\\secret.html',
    '/assets/%252e%252e/secret.html',
    '//secret.html',
    '/assets/link.html',
    '/.built-from',
    '/assets/index-1a2b.js.map',
    '/assets/index-1a2b.js%00.css',
    '/assets/',
    '/constructor',
    '/__proto__',
  ])('are all there is: %s leads to nothing else', async (path) => {
    const answer = await raw(built, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 4(?:00|04) /);
    expect(answer).not.toContain(SECRET);
  });

  test('are not served at all from a folder that is too large to be the console, and that is logged', async () => {
    const large = join(belongings.directory('large'), 'renderer/');
    mkdirSync(large);
    writeFileSync(join(large, 'index.html'), page);
    for (let count = 0; count < 1001; count += 1) writeFileSync(join(large, `${count}.txt`), '');
    const log = new Logged();
    expect(await readConsoleFiles(log, [large])).toBeUndefined();
    expect(log.lines.join()).toContain('larger than the console can be');
  });
});
