import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { safeFileName } from '../../electron/files/file-name.ts';
import { desktopHost } from '../../renderer/app/host/desktop-host.ts';
import type { BundleFile } from '../../renderer/app/host/host.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { openTestDesk, type TestDesk } from './test-desk.ts';
import { type StrangeServer, startStrangeServer } from './test-server.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

let server: StrangeServer;
let test: TestDesk;
let folder: string;

beforeAll(async () => {
  server = await startStrangeServer(belongings);
  test = await openTestDesk(belongings);
  const { id } = await test.desk.inUse.trust({ origin: server.origin, fingerprint: server.fingerprint, name: 'strange' });
  const logIn = { token: 'sp_x', operator: 'ada', roles: [], expires: '2999-01-01T00:00:00Z' };
  await test.desk.inUse.loggedIn(test.desk.inUse.known.get(id), logIn);
});
beforeEach(() => {
  folder = belongings.directory('files');
  test.saveTo = join(folder, 'export.zip');
});

const save = (saving = randomUUID()) => test.ask('file.save', { saving, name: 'export.zip', path: '/api/export?q=1' });
const refusal = (saving = randomUUID()) => test.refusal('file.save', { saving, name: 'export.zip', path: '/api/export?q=1' });

describe('what is saved', () => {
  it('is exactly what the gateway sent, asked for with the log-in, for the person alone', async () => {
    const content = randomBytes(5_000_000);
    let asked = '';
    server.answer = (request, response) => {
      asked = `${request.url} ${request.headers.authorization}`;
      response.writeHead(200, { 'content-length': content.length }).end(content);
    };
    expect(await save()).toEqual({ saved: { name: 'export.zip', bytes: content.length } });
    expect(asked).toBe('/api/export?q=1 Bearer sp_x');
    expect(readFileSync(join(folder, 'export.zip')).equals(content)).toBe(true);
    expect(statSync(join(folder, 'export.zip')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['export.zip']);
    expect(test.events).toContainEqual(expect.objectContaining({ event: 'saving', bytes: content.length, of: content.length }));
  });

  it('is nothing when the person closes the dialog', async () => {
    test.saveTo = undefined;
    expect(await save()).toEqual({ saved: null });
  });

  it('is nothing when the gateway refuses, and what it says is told', async () => {
    writeFileSync(join(folder, 'export.zip'), 'before');
    server.answer = (_request, response) =>
      response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ code: 'ROLE_MISSING', detail: 'no' }));
    expect(await refusal()).toBe('ROLE_MISSING');
    expect(readFileSync(join(folder, 'export.zip'), 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['export.zip']);
  });

  it.each([
    ['with its length', { 'content-length': '1000000' }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('is nothing when the answer is broken off, %s', async (_how, headers) => {
    server.answer = (_request, response) => {
      response.writeHead(200, headers);
      response.write(Buffer.alloc(300_000), () => response.destroy());
    };
    expect(await refusal()).toBe('GATEWAY_UNREACHABLE');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is nothing when the person stops it', async () => {
    server.answer = (_request, response) => {
      response.writeHead(200);
      response.write(Buffer.alloc(3_000_000));
    };
    const saving = randomUUID();
    const refused = refusal(saving);
    await until('some of it', () => test.events.find((event) => event.event === 'saving' && event.saving === saving));
    await test.ask('file.save-stop', { saving });
    expect(await refused).toBe('NOT_CONFIRMED');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is nothing when it cannot be written', async () => {
    server.answer = (_request, response) => response.writeHead(200).end('x');
    test.saveTo = join(folder, 'missing', 'export.zip');
    expect(await refusal()).toBe('FILE_FAILED');
    mkdirSync(join(folder, 'taken'));
    test.saveTo = join(folder, 'taken');
    expect(await refusal()).toBe('FILE_FAILED');
    expect(readdirSync(folder)).toEqual(['taken']);
  });
});

describe('names that a page proposes', () => {
  it.each([
    ['bundle-2026-03-01.zip', 'bundle-2026-03-01.zip'],
    ['../../.bashrc', 'bashrc'],
    ['C:\\Windows\\evil.exe', 'evil.exe'],
    ['..', 'sallyport'],
    ['', 'sallyport'],
    ['con.zip', 'sallyport-con.zip'],
    ['a\u202Egpj.exe', 'agpj.exe'],
    ['x\n\0y.zip ', 'xy.zip'],
    ['a:b|c?.zip', 'abc.zip'],
  ])('%j becomes %j', (name, safe) => expect(safeFileName(name)).toBe(safe));
});

describe('a bundle that is opened', () => {
  it('is read piece by piece, without the page knowing where it lies', async () => {
    const content = randomBytes(3_000_000);
    const path = join(folder, 'case 7.zip');
    writeFileSync(path, content);
    const host = await desktopHost(test.page);
    const opened: BundleFile[] = [];
    host.onOpened((what) => 'bundle' in what && opened.push(what.bundle));
    await test.desk.openFile(path);
    const [bundle] = opened;
    expect(bundle).toMatchObject({ name: 'case 7.zip', size: content.length });
    expect(JSON.stringify(test.events.at(-1))).not.toContain(folder);
    expect(Buffer.from((await bundle?.read(2_999_990, 100)) ?? []).equals(content.subarray(2_999_990))).toBe(true);
    expect(Buffer.from((await bundle?.read(1_000_000, 1_000_000)) ?? []).equals(content.subarray(1_000_000, 2_000_000))).toBe(true);

    truncateSync(path, 10);
    expect(await bundle?.read(1_000_000, 10)).toHaveLength(0);
    await test.desk.pageGone();
    await expect(bundle?.read(0, 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is a file: no folder, and no pipe that would be waited for', async () => {
    await run('mkfifo', [join(folder, 'pipe.zip')]);
    mkdirSync(join(folder, 'folder.zip'));
    for (const name of ['pipe.zip', 'folder.zip', 'missing.zip']) {
      test.openFrom = join(folder, name);
      expect([name, await test.refusal('file.open', {})]).toEqual([name, 'FILE_FAILED']);
    }
    expect(existsSync(join(folder, 'missing.zip'))).toBe(false);
  });

  it('is one of a few', async () => {
    test.openFrom = join(folder, 'a.zip');
    writeFileSync(test.openFrom, 'a');
    const opened = [];
    for (let time = 0; time < 8; time += 1) opened.push((await test.ask('file.open', {})).file);
    expect(await test.refusal('file.open', {})).toBe('FILE_FAILED');
    await test.ask('file.close', { file: opened[0]?.file ?? '' });
    expect((await test.ask('file.open', {})).file).toMatchObject({ size: 1 });
    await test.desk.pageGone();
  });
});
