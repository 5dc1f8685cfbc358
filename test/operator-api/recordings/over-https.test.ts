import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import pty from 'node-pty';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationName, RecordingOutline } from '../../../contract/operator-api.ts';
import type { AuditRecord } from '../../../contract/record.ts';
import type { CastEvent } from '../../../contract/replay/cast-event.ts';
import { type HttpDriver, openHttpRecording } from '../../../contract/replay/http-driver.ts';
import { parseSegment } from '../../../contract/replay/parse-segment.ts';
import { type Part, partSchema } from '../../../contract/replay/part.ts';
import { Player } from '../../../contract/replay/player.ts';
import type { SegmentRow } from '../../../contract/session.ts';
import { lookAt } from '../../../gateway/commands/gateway-connection.ts';
import { sidecarPath, writeSidecar } from '../../../gateway/indexing/sidecar-file.ts';
import { Database } from '../../../gateway/store/database.ts';
import { nodeHost } from '../../replay/memory-driver.ts';
import { randomNumbers, randomOutput } from '../../replay/random-output.ts';
import { stateOf } from '../../replay/screen-state.ts';
import { ssh, sshArguments } from '../../support/clients.ts';
import { sallyport } from '../../support/gateway.ts';
import type { KeyPair } from '../../support/keys.ts';
import { endedSessions, sessionsOf } from '../../support/recordings.ts';
import { run } from '../../support/run.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { openWorld, type World } from '../../support/world.ts';
import { type Answer, type Asked, ask, logIn, makeOperators, send } from '../api-client.ts';
import { RawWebSocket } from '../web-socket.ts';
import { type CuttableTransport, nodeTransport } from './node-transport.ts';

const people = { auditor: ['auditor'], reviewer: ['reviewer'], admin: ['admin'], second: ['admin'] } as const;

const belongings = new Belongings();
afterAll(() => belongings.release());

let world: World;
let keyOf: (name: string) => KeyPair;
let trust: string;
const tokens: Record<string, string> = {};
const token = (name: keyof typeof people = 'auditor'): string => tokens[name] ?? '';

/** A session that is over, with several segments, and the rows of these. */
let ended: { session: string; rows: readonly SegmentRow[]; texts: readonly Buffer[] };

beforeAll(async () => {
  const operators = await makeOperators(belongings.directory('operators'), people);
  keyOf = operators.keyOf;
  world = await openWorld(belongings, {
    agents: 12,
    gateway: { https: true, tellsHeld: true },
    humans: operators.humans,
    configuration: { recording: { segment: '64KiB' } },
  });
  for (const name of Object.keys(people)) tokens[name] = await logIn(world.gateway, name, keyOf(name));
  const looked = await lookAt(`https://127.0.0.1:${world.gateway.httpsPort}`);
  looked.socket.destroy();
  trust = looked.fingerprint;
  ended = await execute('echo error >&2; sleep 0.2; seq 1 60000 | sed "s/$/ ü好🙂 and some more so that it gets long enough/"; exit 3');
});

/** Runs a command through the gateway, and gives what was recorded of it. */
async function execute(command: string): Promise<typeof ended> {
  const route = world.agent();
  await ssh(route, command);
  const [row] = await endedSessions(world.gateway.data, route.principal);
  const session = row?.id as string;
  return { session, ...(await sealed(session)) };
}

async function withDatabase<Result>(use: (database: Database) => Promise<Result>): Promise<Result> {
  const database = await Database.openForReading(world.gateway.data);
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

async function sealed(session: string): Promise<{ rows: SegmentRow[]; texts: Buffer[] }> {
  const rows = await withDatabase((database) => database.segments.ofChannel(session, 0));
  const texts: Buffer[] = [];
  for (const { file } of rows) {
    const { stdout, status } = await run('zstd', ['-dc', join(world.gateway.data, file)]);
    if (status !== 0) throw new Error(`zstd cannot read ${file}`);
    texts.push(stdout);
  }
  return { rows, texts };
}

async function viewsOf(session: string): Promise<AuditRecord<'access.viewed'>[]> {
  const stored = await withDatabase((database) => database.records.ofSession(session));
  const records = stored.map(({ bytes }) => JSON.parse(Buffer.from(bytes ?? []).toString()) as AuditRecord);
  return records.filter((record): record is AuditRecord<'access.viewed'> => record.type === 'access.viewed');
}

const operation = (name: OperationName, session: string, who: keyof typeof people = 'auditor', more: object = {}): Promise<Answer> =>
  ask(world.gateway, name, { session, channel: 0, ...more }, { token: token(who) });

function segmentPath(session: string, segment: number | string, what = 'cast'): string {
  return `/api/sessions/${session}/channels/0/segments/${segment}/${what}`;
}

const get = (path: string, headers: Record<string, string> = {}, more: Partial<Asked> = {}): Promise<Answer> =>
  send(world.gateway, { path, token: token(), headers, ...more });

const transport = (who: keyof typeof people = 'auditor'): CuttableTransport => nodeTransport(world.gateway, trust, token(who));

/** What is shown, in order; how pieces are cut does not matter to it. */
function shown(events: readonly CastEvent[]): unknown[] {
  return events.flatMap((event): unknown[] => {
    if (event.kind === 'data') return [[event.at, event.stream, event.text]];
    if (event.kind === 'resize') return [[event.at, event.cols, event.rows]];
    return event.kind === 'exit' || event.kind === 'damage' ? [event] : [];
  });
}

async function allOf(driver: HttpDriver): Promise<unknown[]> {
  const events: CastEvent[] = [];
  for (let piece = 0; piece < driver.outline.pieces.length; piece += 1) events.push(...(await driver.load(piece)));
  return shown(events);
}

async function replayOf(session: string): Promise<unknown[]> {
  const { rows, texts } = await sealed(session);
  return rows.flatMap(({ from }, index) => shown(parseSegment(String(texts[index]), from).events));
}

describe('a recording', () => {
  it('is opened on record, for the one who does it and for an hour, and what it says is what was sealed', async () => {
    const { session, rows } = ended;
    expect(rows.length).toBeGreaterThan(3);
    for (const name of ['recording.outline', 'recording.text'] as const)
      expect(await operation(name, session)).toMatchObject({
        status: 409,
        body: { code: 'CONFLICT', remedy: expect.stringContaining('open it first') },
      });
    expect((await get(segmentPath(session, 1))).body).toMatchObject({ code: 'CONFLICT' });
    expect(await viewsOf(session)).toEqual([]);

    const opened = await operation('recording.open', session);
    expect(opened.status).toBe(200);
    const outline = opened.body as unknown as RecordingOutline;
    expect(outline).toMatchObject({ session, channel: 0, kind: 'exec', live: null, header: { cols: 80, rows: 24, pty: false } });
    expect(outline.segments.map(({ segment, state, from, to, sha256 }) => ({ segment, state, from, to, sha256 }))).toEqual(
      rows.map(({ segment, from, to, sha256 }) => ({ segment, state: 'sealed', from, to, sha256 })),
    );
    expect(outline.duration).toBe(Math.floor((rows.at(-1)?.to ?? 0) / 10_000) * 10);
    // The record was durable before anything was answered.
    expect(await viewsOf(session)).toMatchObject([
      { actor: { principal: 'auditor', authentication: { method: 'publickey' } }, outcome: 'success', body: { how: 'play', channel: 0 } },
    ]);
    expect((await operation('recording.outline', session)).status).toBe(200);
    expect((await operation('recording.outline', session, 'auditor', { after: rows.length - 1 })).body).toMatchObject({
      segments: [{ segment: rows.length }],
    });
    expect((await get(segmentPath(session, 1))).status).toBe(200);
    expect(await viewsOf(session)).toHaveLength(1);

    // Neither somebody else nor another log-in of the same has opened it by that, nor is another channel open.
    const again = await logIn(world.gateway, 'auditor', keyOf('auditor'));
    for (const other of [token('admin'), token('reviewer'), again])
      expect((await get(segmentPath(session, 1), {}, { token: other })).body).toMatchObject({ code: 'CONFLICT' });
    expect((await get(segmentPath(session, 1).replace('channels/0', 'channels/1'))).body).toMatchObject({ code: 'CHANNEL_NOT_FOUND' });
    for (const who of ['reviewer', 'admin'] as const) {
      expect((await operation('recording.open', session, who)).status).toBe(200);
      expect((await get(segmentPath(session, 2), {}, { token: token(who) })).status).toBe(200);
    }
    expect(await viewsOf(session)).toHaveLength(3);
    expect(
      await ask(world.gateway, 'view.recorded', { session, how: 'play', channel: 0, from: 5, to: 9 }, { token: token() }),
    ).toMatchObject({ status: 200 });
    expect((await viewsOf(session)).at(-1)).toMatchObject({
      actor: { principal: 'auditor' },
      body: { how: 'play', channel: 0, from: 5, to: 9 },
    });
  });

  it('gives any part of its text, and all of it, as RFC 9110 has it', async () => {
    const { session, rows, texts } = ended;
    const [text] = texts as [Buffer];
    const path = segmentPath(session, 1);
    const whole = await get(path);
    const etag = String(whole.headers.etag);
    expect(whole.text).toBe(text.toString('utf8'));
    expect(whole.headers).toMatchObject({
      'content-type': 'application/x-asciicast',
      'content-length': String(text.length),
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=3600, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      vary: 'authorization, cookie',
      etag: `"${rows[0]?.sha256}"`,
    });
    for (const [index, each] of texts.entries()) expect((await get(segmentPath(session, index + 1))).text).toBe(each.toString('utf8'));

    const part = await get(path, { range: 'bytes=10-19' });
    expect([part.status, part.text, part.headers['content-range'], part.headers['content-length'], part.headers.etag]).toEqual([
      206,
      text.subarray(10, 20).toString(),
      `bytes 10-19/${text.length}`,
      '10',
      etag,
    ]);
    const none = await get(path, { range: `bytes=${text.length}-` });
    expect([none.status, none.headers['content-range'], none.headers['cache-control'], none.headers.etag, none.body.code]).toEqual([
      416,
      `bytes */${text.length}`,
      'no-store',
      undefined,
      'REQUEST_INVALID',
    ]);
    expect((await get(path, { range: 'bytes=0-1', 'if-range': etag })).status).toBe(206);
    expect((await get(path, { range: 'bytes=0-1', 'if-range': '"other"' })).status).toBe(200);
    expect((await get(path, { range: 'bytes=0-1,5-6' })).status).toBe(200);
    expect([
      await get(path, { 'if-none-match': etag }),
      await get(path, { 'if-none-match': `W/${etag}`, range: 'bytes=0-1' }),
    ]).toMatchObject([
      { status: 304, text: '' },
      { status: 304, text: '' },
    ]);
    expect((await get(path, { 'if-match': '"other"' })).status).toBe(412);
    const head = await get(path, { range: 'bytes=0-1' }, { method: 'HEAD' });
    expect([head.status, head.text, head.headers['content-length'], head.headers['content-range']]).toEqual([
      200,
      '',
      String(text.length),
      undefined,
    ]);
    const wrong = await get(path, {}, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD']);
    await fc.assert(
      fc.asyncProperty(fc.nat(rows.length - 1), fc.nat(), fc.nat(), async (index, a, b) => {
        const each = texts[index] as Buffer;
        const [from, to] = [a % each.length, b % each.length].sort((x, y) => x - y) as [number, number];
        const answer = await raw(segmentPath(session, index + 1), { range: `bytes=${from}-${to}` });
        expect(answer.equals(each.subarray(from, to + 1))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('is played by a driver from its parts as it stands on the disk', async () => {
    const { session } = ended;
    const via = transport();
    const driver = await openHttpRecording(via, session, 0);
    expect(driver.outline).toMatchObject({ live: false, terminal: false });
    const replay = await replayOf(session);
    expect(await allOf(driver)).toEqual(replay);
    expect(replay.length).toBeGreaterThan(20);
    expect(replay).toContainEqual(expect.objectContaining({ kind: 'exit', status: '3' }));
    driver.close();
    await expect(driver.load(0)).rejects.toThrow('closed');
  });

  it('is nothing to whoever may not, or asks for what there is not', async () => {
    const { session, rows } = ended;
    const nobody = await send(world.gateway, { path: segmentPath(session, 1) });
    expect([nobody.status, nobody.body.code]).toEqual([401, 'LOGIN_REQUIRED']);
    expect((await send(world.gateway, { path: segmentPath(session, 1), token: 'x'.repeat(40) })).status).toBe(401);
    const other = '01a205e1-e790-7000-8000-000000000000';
    expect(await operation('recording.open', other)).toMatchObject({ status: 404, body: { code: 'SESSION_NOT_FOUND' } });
    expect(await operation('recording.open', session, 'auditor', { channel: 7 })).toMatchObject({
      status: 404,
      body: { code: 'CHANNEL_NOT_FOUND' },
    });
    expect((await get(segmentPath(other, 1))).body).toMatchObject({ code: 'SESSION_NOT_FOUND' });
    for (const segment of [0, rows.length + 1, 4_000_000_000])
      expect((await get(segmentPath(session, segment))).body).toMatchObject({ code: 'NOT_FOUND' });
    for (const what of ['keyframes/999', 'keyframes/9999999999', 'thumbnails/999'])
      expect([what, (await get(segmentPath(session, 1, what))).status]).toEqual([what, 404]);
    for (const segment of ['-1', '01', '1e0', '%31%00', '..%2f1', '1%20', 'NaN', '9'.repeat(200), '%EF%BC%99']) {
      const answer = await get(segmentPath(session, segment));
      expect([segment, [400, 404].includes(answer.status)]).toEqual([segment, true]);
    }
    for (const path of [
      segmentPath(session.slice(0, 8), 1),
      segmentPath(`${session}'--`, 1),
      segmentPath('..', 1),
      segmentPath(session, 1, 'keyframes/-1'),
    ])
      expect((await get(path)).status).toBeLessThan(500);
    for (const input of [{ channel: -1 }, { channel: 'x' }, { channel: 2 ** 33 }, { channel: 1.5 }])
      expect((await operation('recording.open', session, 'auditor', input)).body).toMatchObject({ code: 'REQUEST_INVALID' });
    for (const input of [{ limit: 0 }, { limit: 100_000 }, { from: -1 }, { cursor: 'x'.repeat(2000) }])
      expect((await operation('recording.text', session, 'auditor', input)).body).toMatchObject({ code: 'REQUEST_INVALID' });
    const wrongFrom = await Promise.all(
      ['0', '0:1', '0:1:5', 'x:1:0', '0:1:0:zz', `0:${'1'.repeat(100)}:0`, '-1:1:0'].map((from) =>
        RawWebSocket.open({
          port: world.gateway.httpsPort,
          path: `/api/sessions/${session}/live?from=${from}`,
          headers: { Authorization: `Bearer ${token()}` },
        }),
      ),
    );
    await until('refusals', () => wrongFrom.every(({ closed }) => closed !== undefined) || undefined);
    expect(wrongFrom.map(({ closed }) => closed?.code)).toEqual(wrongFrom.map(() => 1008));
    for (const { socket } of wrongFrom) socket.destroy();
  });

  it('that is damaged or missing is told with what can be saved of it, and is read again when it is whole again', async () => {
    // What comes at once may become one segment, however long; what comes later is in another.
    const { session, rows } = await execute('seq 1 40000; sleep 0.2; seq 1 40000');
    expect(rows.length).toBeGreaterThan(1);
    await operation('recording.open', session);
    const path = join(world.gateway.data, rows[0]?.file ?? '');
    const whole = readFileSync(path);
    expect((await get(segmentPath(session, 1))).status).toBe(200);
    const broken = Buffer.from(whole);
    broken[broken.length - 40] = (broken[broken.length - 40] ?? 0) ^ 0xff;
    writeFileSync(path, broken);
    for (const range of ['bytes=0-9', 'bytes=99999999-'])
      expect(await get(segmentPath(session, 1), { range })).toMatchObject({
        status: 500,
        body: {
          code: 'RECORDING_DAMAGED',
          detail: expect.stringMatching(/0001\.cast\.zst is damaged: its SHA-256 .*(pieces are whole|nothing of it)/),
        },
      });
    const driver = await openHttpRecording(transport(), session, 0);
    const events = await allOf(driver);
    expect(events[0]).toMatchObject({ kind: 'damage', at: 0, words: expect.stringContaining('damaged') });
    expect(events.length).toBeGreaterThan(1);
    expect(driver.timeline.damage).toHaveLength(1);
    driver.close();
    writeFileSync(path, whole.subarray(0, whole.length - 5));
    expect((await get(segmentPath(session, 1))).body.detail).toMatch(/was sealed with/);
    renameSync(path, `${path}.away`);
    expect((await get(segmentPath(session, 1))).body).toMatchObject({
      code: 'RECORDING_DAMAGED',
      detail: expect.stringContaining('it is missing'),
    });
    renameSync(`${path}.away`, path);
    writeFileSync(path, whole);
    expect((await get(segmentPath(session, 1))).status).toBe(200);
    expect((await get(segmentPath(session, 2))).status).toBe(200);
  });

  it('that is erased is gone, also for whoever had it open', async () => {
    const { session } = await execute('echo to be forgotten');
    await operation('recording.open', session);
    expect((await get(segmentPath(session, 1))).text).toContain('to be forgotten');
    const file = join(belongings.directory('erasure'), 'request.json');
    const prepared = await sallyport(['erase', 'prepare', session, '--basis', 'a test', '--output', file, '--data', world.gateway.data]);
    expect(prepared.stderr).toBe('');
    const signatures = [];
    for (const name of ['admin', 'second'] as const) {
      await run('ssh-keygen', ['-q', '-Y', 'sign', '-f', keyOf(name).path, '-n', 'sallyport-erase', file]);
      signatures.push({ key: keyOf(name).publicLine, signature: readFileSync(`${file}.sig`, 'utf8') });
      renameSync(`${file}.sig`, `${file}.${name}`);
    }
    const erased = await ask(world.gateway, 'erase.run', { document: readFileSync(file, 'utf8'), signatures }, { token: token('admin') });
    expect(erased.body).toMatchObject({ sessions: 1 });
    const gone = { status: 410, body: { code: 'SESSION_NOT_FOUND' } };
    for (const what of ['cast', 'keyframes/0', 'thumbnails/0']) expect(await get(segmentPath(session, 1, what))).toMatchObject(gone);
    for (const name of ['recording.open', 'recording.outline', 'recording.text'] as const)
      expect(await operation(name, session)).toMatchObject(gone);
  });
});

/** The bytes of an answer that is a part. */
async function raw(path: string, headers: Record<string, string>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: world.gateway.httpsPort, rejectUnauthorized: false });
    const lines = [
      `GET ${path} HTTP/1.1`,
      'Host: localhost',
      `Authorization: Bearer ${token()}`,
      'Connection: close',
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('error', reject);
    socket.on('close', () => {
      const all = Buffer.concat(pieces);
      resolve(all.subarray(all.indexOf('\r\n\r\n') + 4));
    });
  });
}

describe('a recording whose parts are made', () => {
  it('says where to begin, what it looked like and what stood on the screen', async () => {
    const { session } = ended;
    const outline = await until('the parts', async () => {
      const { body } = await operation('recording.open', session);
      return (body as unknown as RecordingOutline).complete ? (body as unknown as RecordingOutline) : undefined;
    });
    const parts = outline.segments.map(({ part }) => partSchema.parse(part));
    const via = transport();
    const driver = await openHttpRecording(via, session, 0);
    expect(driver.outline.pieces.length).toBe(parts.reduce((sum, { pieces }) => sum + pieces.length, 0));
    expect(await allOf(driver)).toEqual(await replayOf(session));
    expect(via.asked.filter((asked) => asked.includes('bytes=')).length).toBe(driver.outline.pieces.length);

    const framed = parts.find(({ keyframes }) => keyframes.length > 0);
    const [keyframe] = framed?.keyframes ?? [];
    if (framed === undefined || keyframe === undefined) throw new Error('there is no keyframe');
    const path = segmentPath(session, framed.segment, `keyframes/${keyframe.piece}`);
    const answer = await get(path);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'private, max-age=3600, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'sallyport-cols': String(keyframe.cols),
      'sallyport-rows': String(keyframe.rows),
    });
    const played = driver.outline.pieces.findIndex(({ keyframe: has }) => has);
    expect((await driver.keyframe(played))?.data).toBe(answer.text);
    expect((await get(path, { 'if-none-match': String(answer.headers.etag) })).status).toBe(304);
    expect((await get(path, {}, { method: 'HEAD' })).headers['content-length']).toBe(String(Buffer.byteLength(answer.text)));
    driver.close();

    // A part as it may stand there, with a picture in it.
    const [first] = parts as [Part];
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==', 'base64');
    const thumbnail = { time: 0, at: 0, bytes: png.length, crc: crc32(png) };
    await writeSidecar(world.gateway.data, session, 0, { ...first, keyframes: [], thumbnails: [thumbnail] }, [png]);
    const picture = await get(segmentPath(session, 1, 'thumbnails/0'));
    expect([picture.status, picture.headers['content-type'], picture.headers['content-length']]).toEqual([
      200,
      'image/png',
      String(png.length),
    ]);
    await writeSidecar(world.gateway.data, session, 0, { ...first, keyframes: [], thumbnails: [{ ...thumbnail, crc: 1 }] }, [png]);
    expect((await get(segmentPath(session, 1, 'thumbnails/0'))).body).toMatchObject({ code: 'NOT_FOUND' });
    writeFileSync(join(world.gateway.data, sidecarPath(session, 0, 1)), 'nothing of the kind');
    expect((await get(segmentPath(session, 1, 'thumbnails/0'))).status).toBe(404);
    expect((await operation('recording.outline', session)).body).toMatchObject({ complete: false });
    await until('the part again', async () => ((await operation('recording.outline', session)).body.complete === true ? true : undefined));

    const lines = await linesOf(session, {}, 997);
    // A line that goes over the end of a segment was on the screen there as far as it had come, and a character of it may be cut.
    const numbers = lines.map(({ text }) => /^(\d+) [ü\ufffd]/.exec(text)?.[1]).filter((number) => number !== undefined);
    expect([...new Set(numbers)]).toEqual(Array.from({ length: 60_000 }, (_, index) => String(index + 1)));
    const [from, to] = [lines[20_000]?.first ?? 0, (lines[40_000]?.first ?? 0) + 1];
    expect(await linesOf(session, { from, to }, 1000)).toEqual(lines.filter(({ first: begun, last }) => last >= from && begun < to));
    expect((await operation('recording.text', session, 'auditor', { cursor: '1.x.2' })).body).toMatchObject({ code: 'REQUEST_INVALID' });
  });
});

async function linesOf(session: string, question: object, limit: number): Promise<{ text: string; first: number; last: number }[]> {
  const lines: { text: string; first: number; last: number }[] = [];
  let cursor: string | undefined;
  do {
    const { status, body } = await operation('recording.text', session, 'auditor', {
      ...question,
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    expect([status, body.complete]).toEqual([200, true]);
    lines.push(...(body.lines as typeof lines));
    cursor = body.cursor as string | undefined;
  } while (cursor !== undefined);
  return lines;
}

/** An agent at a terminal, through the gateway. */
async function openSession(command: string): Promise<{ session: string; agent: pty.IPty }> {
  const route = world.agent();
  const agent = pty.spawn('ssh', [...sshArguments(route, ['-tt']), command], { cols: 90, rows: 25, name: 'xterm-256color' });
  belongings.add(() => agent.kill('SIGKILL'));
  const [row] = await until('the session and its channel', async () => {
    const rows = await sessionsOf(world.gateway.data, route.principal);
    return rows.length === 1 && rows[0]?.channels === 1 ? rows : undefined;
  });
  return { session: row?.id as string, agent };
}

function outputOf(events: readonly CastEvent[]): string {
  return events.map((event) => (event.kind === 'data' && event.stream === 'o' ? event.text : '')).join('');
}

/** Resolves when the driver has grown so that it is true. */
async function grown(driver: HttpDriver, what: string, fits: () => boolean | Promise<boolean>): Promise<void> {
  const late = AbortSignal.timeout(60_000);
  for (;;) {
    const growth = new Promise<void>((resolve, reject) => {
      const stop = driver.onGrowth(() => {
        stop();
        resolve();
      });
      late.addEventListener('abort', () => reject(new Error(`${what} did not happen`)), { once: true });
    });
    growth.catch(() => undefined); // Nobody waits for it when it fits already.
    if (await fits()) return;
    await growth;
  }
}

describe('a recording of a session that runs', () => {
  it('88 is the same whenever it is joined, across seals and lost connections', async () => {
    const file = join(belongings.directory('drawing'), 'output');
    writeFileSync(file, `${randomOutput(11, 50_000, false)}\x18\x1b[2J\x1b[Hthe end`);
    // In pieces of every size, so that they end anywhere, also within a character; and so many for each line that is typed.
    const draw =
      'open F, $ARGV[0]; binmode F; $n = 1; while (read F, $b, $n) { syswrite STDOUT, $b; $n = ($n * 7 + 3) % 397 + 1; <STDIN> if ++$m % 16 == 0; select undef, undef, undef, 0.001 } while (<STDIN> ne "over\n") {}';
    const { session, agent } = await openSession(`perl -e '$SIG{WINCH} = sub {}; ${draw}' ${file}`);
    const random = randomNumbers(5);
    const joined: { driver: HttpDriver; via: CuttableTransport; seen: unknown[][] }[] = [];
    const observer = await openHttpRecording(transport(), session, 0);
    let drawn = false;
    const end = grown(observer, 'the end of the drawing', async () =>
      outputOf(await observer.load(observer.outline.pieces.length - 1)).includes('the end'),
    ).then(() => {
      drawn = true;
    });
    while (joined.length < 34 || !drawn) {
      if (joined.length < 34) {
        const via = transport();
        const driver = await openHttpRecording(via, session, 0);
        expect(driver.outline.live).toBe(true);
        const sealedOnly = driver.position;
        agent.write('\n'); // Where a segment has just begun there is nothing of it yet.
        await grown(driver, 'what is live', () => driver.position !== sealedOnly);
        joined.push({ driver, via, seen: [await allOf(driver)] });
        // No more than may watch at once; those that leave early were there.
        for (const { driver: other } of joined.slice(0, -10)) other.close();
      }
      const cut = joined[joined.length - 1 - random(Math.min(9, joined.length))];
      if (random(3) === 0) cut?.via.cut();
      const looking = joined[joined.length - 1 - random(Math.min(9, joined.length))];
      if (looking !== undefined && joined.length < 34) looking.seen.push(await allOf(looking.driver));
      if (random(4) === 0) agent.resize(80 + random(20), 24 + random(6));
      agent.write('\n');
      await delay(joined.length < 34 ? random(20) : 5);
    }
    await end;
    const last = joined.slice(-10);
    const players = last.slice(0, 3).map(({ driver }) => new Player(driver, nodeHost));
    for (const player of players) player.toLive(0);
    agent.write('over\n');
    await Promise.all(last.map(({ driver }) => grown(driver, 'the end of it', () => !driver.outline.live)));
    const replay = await replayOf(session);
    const { rows } = await sealed(session);
    expect(rows.length).toBeGreaterThan(2);
    for (const [index, { driver, seen }] of joined.entries()) {
      for (const each of seen) expect(each, `what ${index} saw at some moment`).toEqual(replay.slice(0, each.length));
      if (index >= joined.length - 10) expect(await allOf(driver), `what ${index} saw in the end`).toEqual(replay);
    }
    expect(joined.filter(({ via }) => via.connections > 1).length).toBeGreaterThan(5);
    expect(new Set(joined.flatMap(({ seen }) => seen.map(({ length }) => length))).size).toBeGreaterThan(20);
    const whole = new Player(await openHttpRecording(transport(), session, 0), nodeHost);
    whole.seek(whole.outline.duration, 0);
    await whole.shown();
    for (const player of players) {
      player.seek(player.outline.duration, 0);
      await player.shown();
      expect(stateOf(player.screen.core)).toEqual(stateOf(whole.screen.core));
    }
    await Promise.all([whole, ...players].map((player) => player.close()));
    for (const driver of [observer, ...joined.map((each) => each.driver)]) driver.close();
  }, 240_000);

  it('is had so far from the text of its last segment, and goes on from the position that this says', async () => {
    const { session, agent } = await openSession('stty -echo; printf first; while read line; do printf "again:%s" "$line"; done');
    await operation('recording.open', session);
    const path = segmentPath(session, 1);
    const before = await until('output', async () => {
      const answer = await get(path);
      return answer.text.includes('first') ? answer : undefined;
    });
    expect(before.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/x-asciicast',
      'x-content-type-options': 'nosniff',
    });
    expect(before.headers.etag).toBeUndefined();
    const position = String(before.headers['sallyport-position']);
    expect(position).toMatch(new RegExp(`^1:${Buffer.byteLength(before.text)}:[0-9a-f]{8}$`));
    expect((await get(path, {}, { method: 'HEAD' })).text).toBe('');
    expect((await get(segmentPath(session, 2))).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await get(segmentPath(session, 1, 'keyframes/0'))).body).toMatchObject({ code: 'NOT_FOUND' });

    const [first, bytes, check] = position.split(':');
    const open = (from: string) =>
      RawWebSocket.open({
        port: world.gateway.httpsPort,
        path: `/api/sessions/${session}/live?from=0:${from}`,
        headers: { Authorization: `Bearer ${token()}` },
      });
    const lost = await open(`${first}:${Number(bytes) - 1}:${check}`);
    await lost.until((messages) => messages.length >= 3);
    expect(lost.messages.map((message) => (JSON.parse(message) as { type: string; reason?: string }).reason)).toEqual([
      undefined,
      'position',
      expect.stringContaining('does not go on'),
    ]);
    const following = await open(position);
    agent.write('line\n');
    await following.until((messages) => messages.some((message) => message.includes('again:line')));
    agent.write('\x04');
    await following.until((messages) => messages.some((message) => message.includes('"end"')));
    const said = following.messages.map(
      (message) => JSON.parse(message) as { type: string; text?: string; position?: string; segment?: number },
    );
    expect([said[0]?.type, said.at(-2)?.type, said.at(-1)?.type]).toEqual(['hello', 'channel-closed', 'end']);
    const { texts } = await sealed(session);
    expect(before.text + said.map(({ text = '' }) => text).join('')).toBe(String(texts[0]));
    expect(said.filter(({ type }) => type === 'cast').at(-1)).toMatchObject({ text: '', segment: 2, position: '2:0:00000000' });
    const views = await until('the record of what was watched', async () => {
      const watched = (await viewsOf(session)).filter(({ body }) => body.how === 'watch' && body.to !== undefined);
      return watched.length > 0 ? watched : undefined;
    });
    expect(views).toContainEqual(
      expect.objectContaining({ body: { how: 'watch', channel: 0, from: expect.any(Number), to: expect.any(Number) } }),
    );
    expect(views.every(({ actor, body }) => actor.principal === 'auditor' && (body.from ?? 0) > 0)).toBe(true);
    following.socket.destroy();
    lost.socket.destroy();
  });

  it('89 is followed by one who reads nothing without a byte of the session being late or held in memory', async () => {
    const zeros = 12_000_000;
    const { session, agent } = await openSession(`read line; head -c ${zeros} /dev/zero | base64; printf done; read line`);
    const stuck = await RawWebSocket.open({
      port: world.gateway.httpsPort,
      path: `/api/sessions/${session}/live?from=0:1:0`,
      headers: { Authorization: `Bearer ${token()}` },
    });
    await stuck.until((messages) => messages.length > 0);
    stuck.socket.pause();
    const before = await world.gateway.held();
    let [bytes, tail] = [0, ''];
    const delivered = new Promise<void>((resolve) => {
      agent.onData((data) => {
        bytes += data.length;
        tail = (tail + data).slice(-4);
        if (tail === 'done') resolve();
      });
    });
    agent.write('\n');
    await delivered;
    expect(bytes).toBeGreaterThan((zeros * 4) / 3);
    expect((await world.gateway.held()) - before).toBeLessThan(8 * 1024 * 1024);
    // Whoever reads again has missed nothing, though all of it is sealed by now.
    stuck.socket.resume();
    agent.write('\n');
    await stuck.until((messages) => messages.at(-1)?.includes('"end"') === true);
    // How it ended, and the first place that differs: the texts themselves are too long to be shown.
    expect(stuck.messages.slice(-2).map((message) => (JSON.parse(message) as { type: string }).type)).toEqual(['channel-closed', 'end']);
    const text = stuck.messages.map((message) => (JSON.parse(message) as { text?: string }).text ?? '').join('');
    const whole = await until('all of it, sealed', async () => {
      const { texts } = await sealed(session);
      const joined = Buffer.concat(texts).toString('utf8');
      return joined.length >= text.length ? joined : undefined;
    });
    const differs = text === whole ? -1 : [...whole].findIndex((character, at) => text[at] !== character);
    expect([text.length, differs, text.slice(differs - 50, differs + 50)]).toEqual([whole.length, -1, expect.anything()]);
    stuck.socket.destroy();
    const watched = await until('the record of what was watched', async () =>
      (await viewsOf(session)).find(({ body }) => body.how === 'watch' && body.to !== undefined),
    );
    expect(watched.body).toMatchObject({ channel: 0, from: 0 });
  });
});
