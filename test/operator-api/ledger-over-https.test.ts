import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SallyportError } from '../../gateway/base/errors.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { get, type Served, serve } from './served.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

/** Two full tiles and a partial one of level 0. */
const RECORDS = 600;
let served: Served;
beforeAll(async () => {
  served = await serve(belongings, RECORDS);
});

const onDisk = (path: string) => readFileSync(join(served.directory, path));

describe('the ledger over HTTPS', () => {
  test('has its checkpoint as text that nobody keeps', async () => {
    const { status, headers, body } = await get(served, '/ledger/checkpoint');
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
    expect(body).toEqual(onDisk('ledger/checkpoint'));
    expect(body.toString('utf8').split('\n')[1]).toBe(String(RECORDS));
  });

  test.each(['tile/0/000', 'tile/0/001', 'tile/entries/000'])('has the full %s as bytes that anybody may keep for ever', async (path) => {
    const { status, headers, body } = await get(served, `/ledger/${path}`);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(body.length),
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect(body).toEqual(onDisk(`ledger/${path}`));
  });

  test('has every width of a tile that a wider one has in it', async () => {
    const whole = (await get(served, '/ledger/tile/0/000')).body;
    for (const width of [1, 2, 100, 255]) {
      const { status, headers, body } = await get(served, `/ledger/tile/0/000.p/${width}`);
      expect([status, body.equals(whole.subarray(0, width * 32))]).toEqual([200, true]);
      expect(headers['cache-control']).toBe('public, max-age=3600, immutable');
      const entries = await get(served, `/ledger/tile/entries/000.p/${width}`);
      expect([entries.status, entries.body.length]).toEqual([200, width * 34]);
    }
    const partial = RECORDS - 512;
    expect((await get(served, `/ledger/tile/0/002.p/${partial}`)).body.length).toBe(partial * 32);
    expect((await get(served, '/ledger/tile/0/002.p/1')).body.length).toBe(32);
    expect((await get(served, '/ledger/tile/1/000.p/2')).body.length).toBe(64);
  });

  test.each([
    ['a tile that is not full yet', '/ledger/tile/0/002'],
    ['a width that the log has not reached', `/ledger/tile/0/002.p/${RECORDS - 511}`],
    ['a tile beyond the log', '/ledger/tile/0/003.p/1'],
    ['a level beyond the log', '/ledger/tile/3/000.p/1'],
    ['a level that no log has', '/ledger/tile/64/000'],
    ['an address that is not one', '/ledger/tile/0/0'],
    ['another name of a tile', '/ledger/tile/0/x000/000'],
    ['an escaped name of a tile', '/ledger/tile/0/%30%30%30'],
    ['a tile with a slash at its end', '/ledger/tile/0/000/'],
    ['a partial tile that would be full', '/ledger/tile/0/000.p/256'],
    ['a partial tile with nothing in it', '/ledger/tile/0/000.p/0'],
    ['the folder', '/ledger/'],
    ['the folder of tiles', '/ledger/tile'],
    ['something else of the data directory', '/sallyport.db'],
    ['another case', '/Ledger/checkpoint'],
  ])('%s is not there', async (_what, path) => {
    const { status, headers, body } = await get(served, path);
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([404, 'application/problem+json', 'no-store']);
    expect(JSON.parse(body.toString('utf8'))).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'NOT_FOUND',
      detail: `there is nothing at ${path}`,
    });
  });

  test('answers HEAD with the headers of GET and nothing else', async () => {
    for (const path of ['/ledger/checkpoint', '/ledger/tile/0/000', '/healthz']) {
      const [asked, head] = [await get(served, path), await get(served, path, 'HEAD')];
      expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, String(asked.body.length)]);
      expect(head.headers['content-type']).toBe(asked.headers['content-type']);
    }
    expect((await get(served, '/ledger/tile/9/000', 'HEAD')).status).toBe(404);
  });

  test('is only read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      for (const path of ['/ledger/checkpoint', '/ledger/tile/0/000', '/healthz']) {
        const { status, headers, body } = await get(served, path, method, method === 'TRACE' ? undefined : '{}');
        expect([method, status, headers.allow]).toEqual([method, 405, 'GET, HEAD']);
        expect(JSON.parse(body.toString('utf8'))).toMatchObject({ code: 'REQUEST_INVALID', status: 405 });
      }
    }
    expect((await get(served, '/ledger/checkpoint', 'PROPFIND')).status).toBe(404);
  });

  test('with a tile damaged says so for that tile and goes on with the others', async () => {
    const other = await serve(belongings, 600);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(other.directory, 'ledger/tile/0/000'), 'not hashes');
    const { status, body } = await get(other, '/ledger/tile/0/000');
    expect(status).toBe(500);
    expect(JSON.parse(body.toString('utf8'))).toMatchObject({ code: 'LEDGER_DAMAGED' });
    expect(body.toString('utf8')).not.toContain(other.directory);
    expect(other.log.lines.join('\n')).toContain('LEDGER_DAMAGED');
    expect((await get(other, '/ledger/tile/0/001')).status).toBe(200);
  });
});

describe('every answer', () => {
  test('forbids guessing, embedding and other origins', async () => {
    for (const path of ['/ledger/checkpoint', '/ledger/tile/0/000', '/healthz', '/readyz', '/nothing']) {
      const { headers } = await get(served, path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
      });
      expect(Object.keys(headers).filter((name) => /^access-control|^server$|^x-powered-by$|cookie/.test(name))).toEqual([]);
    }
  });
});

describe('health', () => {
  test('the gateway lives, and is ready', async () => {
    const [alive, ready] = [await get(served, '/healthz'), await get(served, '/readyz')];
    expect([alive.status, alive.body.toString()]).toEqual([200, '{"alive":true}']);
    expect([ready.status, ready.body.toString()]).toEqual([200, '{"ready":true}']);
  });

  test.each(['LEDGER_DAMAGED', 'LEDGER_BEHIND', 'GATEWAY_DRAINING'] as const)('a gateway is not ready for the reason %s', async (code) => {
    served.unready = new SallyportError(code, 'for a test');
    try {
      const { status, headers, body } = await get(served, '/readyz');
      expect([status, headers['content-type'], JSON.parse(body.toString())]).toEqual([
        503,
        'application/problem+json',
        expect.objectContaining({ code, status: 503 }),
      ]);
    } finally {
      served.unready = undefined;
    }
  });

  test('a gateway that takes no sessions lives and says why it is not ready', async () => {
    served.unready = new SallyportError('DISK_LOW', 'the disk of the gateway has too little space', { remedy: 'free some' });
    try {
      const { status, body } = await get(served, '/readyz');
      expect([status, JSON.parse(body.toString()) as unknown]).toEqual([
        503,
        {
          type: 'about:blank',
          title: 'Service Unavailable',
          status: 503,
          code: 'DISK_LOW',
          detail: 'the disk of the gateway has too little space',
          remedy: 'free some',
        },
      ]);
      expect((await get(served, '/healthz')).status).toBe(200);
    } finally {
      served.unready = undefined;
    }
  });
});

describe('stock tools', () => {
  const ca = () => join(served.directory, 'keys', 'https.crt');

  test('curl trusts the certificate that the gateway made, by address and by name', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const args = ['--silent', '--show-error', '--fail', '--ipv4', '--cacert', ca(), `https://${host}:${served.port}/ledger/checkpoint`];
      const { status, stdout, stderr } = await run('curl', args);
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toEqual(onDisk('ledger/checkpoint'));
    }
  });

  test('openssl shows the fingerprint that the gateway prints', async () => {
    const shown = await run('openssl', ['s_client', '-connect', `127.0.0.1:${served.port}`, '-CAfile', ca(), '-verify_return_error']);
    expect(shown.status).toBe(0);
    const printed = await run('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], { input: shown.stdout });
    expect(printed.stdout.toString().trim()).toBe(`sha256 Fingerprint=${served.listener.fingerprint}`);
  });

  test.each([
    ['-tls1_3', true],
    ['-tls1_2', true],
    ['-tls1_1', false],
    ['-tls1', false],
  ])('openssl with %s is let in: %s', async (version, letIn) => {
    const args = ['s_client', version, '-cipher', 'ALL:@SECLEVEL=0', '-connect', `127.0.0.1:${served.port}`, '-CAfile', ca()];
    const { stdout } = await run('openssl', args);
    expect(/Verify return code: 0 \(ok\)/.test(stdout.toString()) && !/Cipher is \(NONE\)/.test(stdout.toString())).toBe(letIn);
  });
});
