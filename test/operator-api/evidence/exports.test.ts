import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { fastify } from 'fastify';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordDraft } from '../../../contract/record.ts';
import { systemClock } from '../../../gateway/base/clock.ts';
import { SallyportError } from '../../../gateway/base/errors.ts';
import type { EvidenceDesk } from '../../../gateway/operator-api/evidence/evidence-desk.ts';
import type { EvidenceDeskParts } from '../../../gateway/operator-api/evidence/evidence-parts.ts';
import { serveEvidence } from '../../../gateway/operator-api/evidence/evidence-routes.ts';
import { Exports } from '../../../gateway/operator-api/evidence/exports.ts';
import { SpoolRoom } from '../../../gateway/operator-api/evidence/spool-room.ts';
import type { Asking } from '../../../gateway/operator-api/operations.ts';
import type { Door } from '../../../gateway/operator-api/who-asks.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { Logged } from '../served.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const MiB = 1024 * 1024;

describe('the room for files of operators', () => {
  it('is empty at first, for the gateway alone, and follows no link', async () => {
    const [data, elsewhere] = [belongings.directory('data'), belongings.directory('elsewhere')];
    writeFileSync(join(elsewhere, 'precious'), 'x');
    symlinkSync(elsewhere, join(data, 'exports'));
    const room = await SpoolRoom.open(data, async () => 1024 * MiB);
    expect(readdirSync(elsewhere)).toEqual(['precious']);
    expect(statSync(join(data, 'exports')).mode & 0o777).toBe(0o700);
    const file = await room.take('zip');
    writeFileSync(file.path, 'left behind by a crash');
    await SpoolRoom.open(data, async () => 1024 * MiB);
    expect(readdirSync(join(data, 'exports'))).toEqual([]);
    await room.close();
    expect(existsSync(join(data, 'exports'))).toBe(false);
  });

  it('is none where recordings need it, and what is being written ends when they come to need it', async () => {
    const data = belongings.directory('data');
    let free = 64 * MiB;
    const room = await SpoolRoom.open(data, async () => free);
    await expect(room.take('zip')).rejects.toMatchObject({ code: 'DISK_LOW' });
    free = 1024 * MiB;
    const file = await room.take('zip');
    const written = file.guard(new AbortController().signal, (signal) => {
      free = 100 * MiB;
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    await expect(written).rejects.toMatchObject({ code: 'DISK_LOW' });
    // A disk that cannot be asked is no disk to write to.
    const broken = await SpoolRoom.open(belongings.directory('data'), async () => Promise.reject(new Error('no such disk')));
    await expect(broken.take('zip')).rejects.toThrow('no such disk');
  });
});

describe('exports', () => {
  const asking = (principal: string, roles: readonly ('auditor' | 'admin')[] = ['auditor']): Asking => ({
    actor: { principal, kind: 'human', source: '192.0.2.1:1' },
    signal: new AbortController().signal,
    operator: {
      name: principal,
      roles,
      groups: [],
      keys: [],
      token: principal,
      kind: 'login',
      method: 'publickey',
      authentication: { method: 'publickey' },
      expires: '',
    },
  });
  let content: string | Buffer;
  let hold: Promise<void>;
  let recorded: RecordDraft[];
  let append: EvidenceDeskParts['records']['append'];
  let directory: string;
  let exports: Exports;

  beforeEach(async () => {
    content = 'the bundle';
    hold = Promise.resolve();
    recorded = [];
    append = async (draft) => {
      recorded.push(draft);
      return {} as never;
    };
    directory = belongings.directory('data');
    const run = async (
      _kind: string,
      { file }: { file: string },
      { attest }: { attest: (manifest: string, question: object) => Promise<string> },
    ) => {
      await hold;
      writeFileSync(file, content);
      return {
        sessions: 1,
        records: 2,
        leftOut: 0,
        manifest: 'a'.repeat(64),
        damage: [],
        bytes: content.length,
        sha256: 'b'.repeat(64),
        signed: await attest('a', {}),
      };
    };
    const parts = {
      dataDirectory: directory,
      records: { append: (draft: RecordDraft) => append(draft), flush: async () => undefined },
      ledger: { signed: async () => ({ note: 'a checkpoint' }), attest: () => 'an envelope' },
      clock: systemClock,
      log: new Logged(),
      gatewayName: '../etc/"; evil=\r\n.zip',
      version: '9.9.9',
      run,
    } as unknown as EvidenceDeskParts;
    exports = new Exports(parts, await SpoolRoom.open(directory, async () => 1024 * MiB));
  });
  afterEach(() => vi.useRealTimers());

  async function ready(who = 'auditor'): Promise<string> {
    const { export: id } = await exports.start({}, asking(who));
    await until('the bundle', async () => exports.show({ export: id }, asking(who)).state !== 'running' || undefined);
    return id;
  }

  it('are there for an hour, and then deleted', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { export: id } = await exports.start({}, asking('auditor'));
    await vi.waitFor(() => expect(exports.show({ export: id }, asking('auditor')).state).toBe('ready'));
    const { path } = await exports.fetch(id, asking('auditor'));
    expect(readFileSync(path, 'utf8')).toBe('the bundle');
    vi.advanceTimersByTime(3600_000 - 1000);
    expect((await exports.fetch(id, asking('auditor'))).bytes).toBe(10);
    vi.advanceTimersByTime(2000);
    await expect(exports.fetch(id, asking('auditor'))).rejects.toMatchObject({ status: 410 });
    await vi.waitFor(() => expect(readdirSync(join(directory, 'exports'))).toEqual([]));
  });

  it('have names that are harmless in a header and on a disk, whatever the gateway is called', async () => {
    const { name } = await exports.fetch(await ready(), asking('auditor'));
    expect(name).toMatch(/^sallyport-[A-Za-z0-9][A-Za-z0-9.-]*\.zip$/);
    expect(name).not.toContain('..');
  });

  it('that cannot be recorded are none', async () => {
    append = () => Promise.reject(new SallyportError('LEDGER_FAILED', 'the disk is gone'));
    const id = await ready();
    expect(exports.show({ export: id }, asking('auditor'))).toMatchObject({ state: 'failed', fault: 'the disk is gone' });
    await expect(exports.fetch(id, asking('auditor'))).rejects.toMatchObject({ status: 410 });
    await until('nothing of it', async () => readdirSync(join(directory, 'exports')).length === 0 || undefined);
  });

  it('are not kept beyond an erasure: what is erased may stand in them', async () => {
    const id = await ready();
    exports.forget();
    expect(exports.show({ export: id }, asking('auditor'))).toMatchObject({
      state: 'cancelled',
      fault: 'something was erased since it was begun',
    });
    await until('nothing of it', async () => readdirSync(join(directory, 'exports')).length === 0 || undefined);
  });

  it.each([
    ['an erasure', () => exports.forget()],
    ['whoever ends it', (id: string) => void exports.cancel({ export: id }, asking('auditor'))],
  ])('that are being fetched end with %s, however slowly they are read', async (_, ends) => {
    content = Buffer.alloc(64 * MiB, 'x');
    const id = await ready();
    const app = fastify();
    belongings.add(() => app.close());
    const door = { whoAsks: async () => asking('auditor'), stillAsks: () => asking('auditor') } as unknown as Door;
    serveEvidence(app, { desk: { exports } as unknown as EvidenceDesk, door, stopping: new AbortController().signal });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      app.listen({ port: 0, host: '127.0.0.1' }).then((address) => get(`${address}/api/exports/${id}/bundle.zip`, resolve), reject);
    });
    expect(response.statusCode).toBe(200);
    let read = 0;
    const first = new Promise<void>((resolve) => {
      response.on('data', (piece: Buffer) => {
        read += piece.length;
        response.pause();
        resolve();
      });
    });
    await first;
    const over = new Promise<string>((resolve) => {
      response.once('error', () => resolve('broken off'));
      response.once('end', () => resolve('whole'));
    });
    ends(id);
    response.removeAllListeners('data');
    response.on('data', (piece: Buffer) => {
      read += piece.length;
    });
    response.resume();
    expect(await over).toBe('broken off');
    expect(read).toBeLessThan(content.length / 2);
  });

  it('are written for others while one operator has as many written as they may', async () => {
    hold = new Promise(() => undefined);
    for (let count = 0; count < 2; count += 1) await exports.start({}, asking('auditor'));
    await expect(exports.start({}, asking('auditor'))).rejects.toMatchObject({
      status: 429,
      message: '2 bundles of auditor are being written already',
    });
    expect(await exports.start({}, asking('second'))).toMatchObject({ state: 'running', by: 'second' });
    await expect(exports.start({}, asking('third'))).rejects.toMatchObject({ status: 429, message: '3 bundles are being written already' });
  });

  it('are kept by no more than four for one operator, and nobody is shown those of others', async () => {
    for (let count = 0; count < 4; count += 1) await ready();
    await expect(exports.start({}, asking('auditor'))).rejects.toMatchObject({ code: 'CONFLICT', status: 429 });
    const other = await ready('second');
    expect(() => exports.show({ export: other }, asking('auditor'))).toThrow(/there is no export/);
    await expect(exports.cancel({ export: other }, asking('auditor'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await exports.cancel({ export: other }, asking('admin', ['admin']));
    expect(exports.show({ export: other }, asking('second'))).toMatchObject({ state: 'cancelled', fault: 'admin ended it' });
    expect(recorded).toHaveLength(5);
    await exports.close();
  });
});
