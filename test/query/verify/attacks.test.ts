import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sqlite3 from 'sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../../contract/record.ts';
import { canonicalBytes } from '../../../gateway/ledger/canonical-json.ts';
import { formatCheckpoint, parseCheckpoint } from '../../../gateway/ledger/checkpoint.ts';
import { GrowingTree } from '../../../gateway/ledger/growing-tree.ts';
import { noteSigner, signNote, unverifiedText } from '../../../gateway/ledger/signed-note.ts';
import { tilePath } from '../../../gateway/ledger/tiles.ts';
import { sallyport } from '../../support/gateway.ts';
import { Belongings } from '../../support/temp.ts';
import { checkpointSize, copyOf, type Evidence, filesBelow, flip, makeEvidence, sha256, sql, verify } from './evidence.ts';

const belongings = new Belongings();
let evidence: Evidence;
beforeAll(async () => {
  evidence = await makeEvidence(belongings);
}, 180_000);
afterAll(() => belongings.release());

interface Row {
  seq: number;
  id: string;
  session: string;
  bytes: Buffer;
  hash: Buffer;
}

const byText = (one: unknown, other: unknown) => (String(one) < String(other) ? -1 : 1);

const attacked = () => copyOf(belongings, evidence.data);

async function recordOf(data: string, type: string, skip = 0): Promise<Row> {
  const [row] = await sql<Row>(data, 'SELECT * FROM records WHERE type = ? ORDER BY seq LIMIT 1 OFFSET ?', [type, skip]);
  if (row === undefined) throw new Error(`there is no record ${type}`);
  return row;
}

/** Writes other bytes into a record, and the hash that they have beside it. */
async function rewrite(data: string, row: Row, change: (record: AuditRecord) => void): Promise<void> {
  const record = JSON.parse(row.bytes.toString()) as AuditRecord;
  change(record);
  const bytes = canonicalBytes(record);
  await sql(data, 'UPDATE records SET bytes = ?, hash = ? WHERE seq = ?', [bytes, sha256(bytes), row.seq]);
}

/** Makes tiles and checkpoint anew over whatever stands in the database, with the gateway's own key. */
async function resign(data: string): Promise<void> {
  const rows = await sql<Row>(data, 'SELECT hash FROM records ORDER BY seq');
  const tree = new GrowingTree();
  for (const { hash } of rows) tree.append(hash);
  rmSync(join(data, 'ledger', 'tile'), { recursive: true });
  const write = (path: string, bytes: Uint8Array) => {
    mkdirSync(dirname(join(data, 'ledger', path)), { recursive: true });
    writeFileSync(join(data, 'ledger', path), bytes);
  };
  for (const { level, index, width, bytes } of [...tree.takeFull(), ...tree.partial()]) write(tilePath(level, index, width), bytes);
  const { origin } = parseCheckpoint(unverifiedText(readFileSync(join(data, 'ledger', 'checkpoint'), 'utf8')));
  const signer = noteSigner(origin, createPrivateKey(readFileSync(join(data, 'keys', 'ledger.key'))));
  const text = formatCheckpoint({ origin, size: tree.size, root: tree.root(), extensions: [] });
  writeFileSync(join(data, 'ledger', 'checkpoint'), signNote(text, [signer]));
}

describe('evidence that nobody touched', () => {
  it('is intact, and says what it rests on', async () => {
    const { findings, faults, outcome } = await verify(evidence.data, { checkpoint: evidence.older, key: evidence.key });
    expect(faults).toEqual([]);
    expect(outcome.ledger).toMatchObject({ size: checkpointSize(evidence.data), agrees: true, signed: true, uncovered: 0 });
    expect(outcome.key?.source).toBe('given');
    expect(outcome.compared?.continued).toBe(true);
    expect(outcome.records).toMatchObject({ sessions: 38, channels: 38 });
    // The gateway killed: what its recovery found stands in the output.
    expect(findings.filter(({ code }) => code === 'recovered').map(({ words }) => words)).toEqual([
      expect.stringMatching(/\d+ frames .* the last of them [\d.]+ s after the channel opened; nothing was torn/),
    ]);
  });

  it('verifies on the command line, in words and for programs, with exit code 0', async () => {
    const [words, json] = await Promise.all([
      sallyport(['verify', '--data', evidence.data, '--checkpoint', evidence.older, '--key', evidence.key]),
      sallyport(['verify', '--data', evidence.data, '--json']),
    ]);
    expect(words.status, words.stderr).toBe(0);
    expect(words.stdout.toString()).toMatch(/verdict {4}INTACT/);
    expect(words.stdout.toString()).toContain('continues it');
    expect(json.status).toBe(0);
    const lines = json.stdout.toString().trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ summary: { verdict: 'intact', faults: 0, sessions: 38 } });
  });
});

describe('a record', () => {
  it('with one byte edited is altered; everything else stays verified', async () => {
    const data = attacked();
    const row = await recordOf(data, 'action.finished', 5);
    const at = row.bytes.indexOf('"nonce":"') + 10;
    await sql(data, 'UPDATE records SET bytes = ? WHERE seq = ?', [flip(row.bytes, at), row.seq]);
    const { faults } = await verify(data);
    // Also its form, when the byte made it something else than JSON of a record.
    expect(faults.every(({ where }) => where.index === row.seq - 1)).toBe(true);
    expect(faults.map(({ code }) => code)).toContain('altered');
  });

  it('edited with its hash is altered: the ledger has the true one', async () => {
    const data = attacked();
    const row = await recordOf(data, 'action.finished', 3);
    await rewrite(data, row, (record) => {
      if (record.type === 'action.finished') record.body.result = { forged: true };
    });
    const { summary } = await verify(data);
    expect(summary).toEqual([expect.stringMatching(`^altered {"index":${row.seq - 1}} .* ledger has the hash of the true one`)]);
  });

  it('whose hash alone is edited is told as that', async () => {
    const data = attacked();
    const row = await recordOf(data, 'action.decided', 4);
    await sql(data, 'UPDATE records SET hash = ? WHERE seq = ?', [flip(row.hash, 7), row.seq]);
    expect((await verify(data)).summary).toEqual([
      expect.stringMatching(`^altered {"index":${row.seq - 1}} The hash that the database has`),
    ]);
  });

  it.each(['id', 'time', 'type', 'session'])('that is listed under another %s is told', async (column) => {
    const data = attacked();
    const row = await recordOf(data, 'action.decided', 4);
    await sql(data, `UPDATE records SET ${column} = 'x' || substr(${column}, 2) WHERE seq = ?`, [row.seq]);
    const { summary } = await verify(data);
    expect(summary.some((line) => line.startsWith(`inconsistent {"index":${row.seq - 1}} The database lists the record as `))).toBe(true);
  });

  it('deleted is missing, by its index', async () => {
    const data = attacked();
    const row = await recordOf(data, 'action.finished', 8);
    await sql(data, 'DELETE FROM records WHERE seq = ?', [row.seq]);
    expect((await verify(data)).summary).toEqual([
      expect.stringMatching(`^missing {"index":${row.seq - 1}} A record was recorded here and is gone`),
    ]);
  });

  it('deleted, with the others moved up to hide it, is missing all the same', async () => {
    const data = attacked();
    const row = await recordOf(data, 'action.finished', 8);
    await sql(data, 'DELETE FROM records WHERE seq = ?', [row.seq]);
    await sql(data, 'UPDATE records SET seq = seq - 1000000 WHERE seq > ?', [row.seq]);
    await sql(data, 'UPDATE records SET seq = seq + 999999 WHERE seq < 0');
    const { faults } = await verify(data);
    expect(faults).toContainEqual(expect.objectContaining({ code: 'missing', where: { index: row.seq - 1 } }));
    expect(faults).toContainEqual(
      expect.objectContaining({
        code: 'reordered',
        words: expect.stringContaining(`from index ${row.seq - 1} on were recorded from index ${row.seq} on`) as string,
      }),
    );
    expect(faults.some(({ code }) => code === 'altered')).toBe(false);
  });

  it('added is told, and so is everything that moved', async () => {
    const data = attacked();
    const size = checkpointSize(data);
    const row = await recordOf(data, 'auth.refused');
    await sql(data, 'UPDATE records SET seq = -seq WHERE seq > 100');
    await sql(data, 'UPDATE records SET seq = 1 - seq WHERE seq < 0');
    const record = {
      ...(JSON.parse(row.bytes.toString()) as AuditRecord),
      id: `${row.id.slice(0, -1)}${row.id.endsWith('0') ? '1' : '0'}`,
    };
    const bytes = canonicalBytes(record);
    await sql(data, 'INSERT INTO records (seq, id, time, type, session, hash, bytes) VALUES (101, ?, ?, ?, NULL, ?, ?)', [
      record.id,
      record.time,
      record.type,
      sha256(bytes),
      bytes,
    ]);
    const { faults } = await verify(data);
    expect(faults).toContainEqual(expect.objectContaining({ code: 'added', where: { index: 100 } }));
    expect(faults).toContainEqual(expect.objectContaining({ code: 'reordered', where: { index: 101, last: size } }));
  });

  it('that changed places with another is reordered', async () => {
    const data = attacked();
    await sql(data, 'UPDATE records SET seq = -1 WHERE seq = 20');
    await sql(data, 'UPDATE records SET seq = 20 WHERE seq = 41');
    await sql(data, 'UPDATE records SET seq = 41 WHERE seq = -1');
    const { faults } = await verify(data);
    const reordered = faults
      .filter(({ code }) => code === 'reordered')
      .map(({ where, words }) => [where.index, /recorded at index (\d+)/.exec(words)?.[1]]);
    expect(reordered.toSorted(byText)).toEqual([
      [19, '40'],
      [40, '19'],
    ]);
    expect(faults.some(({ code }) => code === 'altered')).toBe(false);
  });

  it('emptied, as an erasure does, but without a record of it, is missing', async () => {
    const data = attacked();
    const row = await recordOf(data, 'action.decided', 6);
    await sql(data, 'UPDATE records SET bytes = NULL WHERE seq = ?', [row.seq]);
    expect((await verify(data)).summary).toEqual([
      expect.stringMatching(`^missing {"index":${row.seq - 1}} .* no record says who did it and why`),
    ]);
  });
});

describe('the log', () => {
  it('cut off at its end is truncated against its own checkpoint', async () => {
    const data = attacked();
    const size = checkpointSize(data);
    await sql(data, 'DELETE FROM records WHERE seq > ?', [size - 3]);
    const { faults } = await verify(data);
    expect(faults).toContainEqual(expect.objectContaining({ code: 'truncated', where: { index: size - 3, last: size - 1 } }));
  });

  it('cut off with its tiles is truncated too, and what can be followed is', async () => {
    const data = attacked();
    rmSync(join(data, 'ledger', 'tile', '0', '001.p'), { recursive: true });
    rmSync(join(data, 'ledger', 'tile', 'entries', '001.p'), { recursive: true });
    await sql(data, 'DELETE FROM records WHERE seq > 250');
    const { faults } = await verify(data);
    expect(faults.map(({ code }) => code)).toEqual(expect.arrayContaining(['truncated', 'missing']));
    expect(faults.some(({ code }) => code === 'altered')).toBe(false);
  });

  it('put back to an older copy as a whole is found only with a newer checkpoint, and the output says so', async () => {
    const data = copyOf(belongings, evidence.backup);
    const alone = await sallyport(['verify', '--data', data]);
    expect(alone.status).toBe(0);
    expect(alone.stdout.toString()).toMatch(/put back to an older state: only a checkpoint that was kept outside can show that/);
    const newer = join(evidence.data, 'ledger', 'checkpoint');
    const { summary } = await verify(data, { checkpoint: newer });
    expect(summary).toEqual([expect.stringMatching(/^truncated .*older than that, or was cut off after it/)]);
    const told = await sallyport(['verify', '--data', data, '--checkpoint', newer]);
    expect(told.status).toBe(1);
    expect(told.stdout.toString()).not.toContain('continues it');
  });

  it('rewritten with the key is found with any older checkpoint kept outside', async () => {
    const data = attacked();
    await rewrite(data, await recordOf(data, 'action.finished', 2), (record) => {
      if (record.type === 'action.finished') record.body.result = { forged: true };
    });
    await resign(data);
    expect((await verify(data, { key: evidence.key })).summary).toEqual([]);
    const { summary, outcome } = await verify(data, { checkpoint: evidence.older, key: evidence.key });
    expect(summary).toEqual([expect.stringMatching(/^inconsistent .*does not continue that one, it was rewritten/)]);
    expect(outcome.compared?.continued).toBe(false);
  });

  it('rewritten without the key has the wrong root', async () => {
    const data = attacked();
    const before = readFileSync(join(data, 'ledger', 'checkpoint'));
    await rewrite(data, await recordOf(data, 'action.finished', 2), (record) => {
      if (record.type === 'action.finished') record.body.result = { forged: true };
    });
    await resign(data);
    writeFileSync(join(data, 'ledger', 'checkpoint'), before);
    const { faults, outcome } = await verify(data);
    expect(faults.map(({ code, where }) => [code, where.file])).toEqual([['inconsistent', 'ledger/checkpoint']]);
    expect(outcome.ledger?.agrees).toBe(false);
  });

  it('rewritten in a record, its tile and its entries, but not above, is found and placed', async () => {
    const data = attacked();
    const above = readFileSync(join(data, 'ledger', 'tile', '1', '000.p', '1'));
    const before = readFileSync(join(data, 'ledger', 'checkpoint'));
    const row = await recordOf(data, 'action.finished', 2);
    await rewrite(data, row, (record) => {
      if (record.type === 'action.finished') record.body.result = { forged: true };
    });
    await resign(data);
    writeFileSync(join(data, 'ledger', 'tile', '1', '000.p', '1'), above);
    writeFileSync(join(data, 'ledger', 'checkpoint'), before);
    const { faults, outcome } = await verify(data);
    expect(faults.map(({ code, where }) => [code, where])).toEqual([['altered', { index: 0, last: 255 }]]);
    expect(row.seq).toBeLessThan(256);
    expect(outcome.ledger?.agrees).toBe(true);
  });

  it('signed by another key is forged', async () => {
    const data = attacked();
    const other = copyOf(belongings, evidence.data);
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(other, 'keys', 'ledger.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await resign(other);
    copyFileSync(join(other, 'ledger', 'checkpoint'), join(data, 'ledger', 'checkpoint'));
    const { faults, outcome } = await verify(data);
    expect(faults).toEqual([expect.objectContaining({ code: 'forged', where: { file: 'ledger/checkpoint' } })]);
    expect(outcome.ledger).toMatchObject({ agrees: true, signed: false });
  });

  it('without its checkpoint, or without the whole ledger, is not taken for one that never had one', async () => {
    for (const gone of ['ledger/checkpoint', 'ledger']) {
      const data = attacked();
      rmSync(join(data, gone), { recursive: true });
      expect((await verify(data)).summary).toEqual([expect.stringMatching(/^missing {"file":"ledger\/checkpoint"}/)]);
    }
  });
});

describe('a session', () => {
  it('deleted with all its records is missing, by index and by name', async () => {
    const data = attacked();
    const { session } = await recordOf(data, 'session.open', 9);
    const indexes = (await sql<Row>(data, 'SELECT seq FROM records WHERE session = ?', [session])).map(({ seq }) => seq - 1);
    await sql(data, 'DELETE FROM records WHERE session = ?', [session]);
    const { faults } = await verify(data);
    const missing = faults.filter(({ code, where }) => code === 'missing' && where.index !== undefined);
    const named = missing.flatMap(({ where: { index = 0, last = index } }) =>
      Array.from({ length: last - index + 1 }, (_, at) => index + at),
    );
    expect(named).toEqual(indexes);
    expect(faults.filter(({ where }) => where.session === session).map(({ code }) => code)).toContain('missing');
  });

  it('deleted everywhere except in the ledger is missing, by its indexes', async () => {
    const data = attacked();
    const { session } = await recordOf(data, 'session.open', 9);
    const indexes = (await sql<Row>(data, 'SELECT seq FROM records WHERE session = ?', [session])).map(({ seq }) => seq - 1);
    for (const [table, column] of [
      ['records', 'session'],
      ['sessions', 'id'],
      ['channels', 'session'],
      ['segments', 'session'],
    ])
      await sql(data, `DELETE FROM ${table} WHERE ${column} = ?`, [session]);
    for (const file of filesBelow(join(data, 'recordings')).filter((path) => path.includes(session)))
      rmSync(dirname(dirname(file)), { recursive: true, force: true });
    const { faults } = await verify(data);
    expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(['missing']));
    const named = faults.flatMap(({ where: { index = 0, last = index } }) =>
      Array.from({ length: last - index + 1 }, (_, at) => index + at),
    );
    expect(named).toEqual(indexes);
  });

  it.each([
    ['session.close', 'live'],
    ['session.open', 'missing'],
    ['channel.close', 'unclosed'],
    ['channel.open', 'missing'],
    ['segment.sealed', 'missing'],
  ])('without its %s is told apart from one that has it', async (type, code) => {
    const data = attacked();
    const row = await recordOf(data, type, 9);
    await sql(data, 'DELETE FROM records WHERE seq = ?', [row.seq]);
    const { findings } = await verify(data);
    expect(findings).toContainEqual(expect.objectContaining({ code: 'missing', where: { index: row.seq - 1 } }));
    expect(findings.some((finding) => finding.code === code && finding.where.session === row.session)).toBe(true);
  });
});

describe('a recording', () => {
  const segments = (data: string) => filesBelow(join(data, 'recordings'), '.cast.zst');
  const below = (data: string, path: string) => path.slice(data.length + 1);

  it('with a byte edited, cut off, or longer, is altered; others stay verified', async () => {
    for (const change of [
      (bytes: Buffer) => flip(bytes, 30),
      (bytes: Buffer) => bytes.subarray(0, -1),
      (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)]),
    ]) {
      const data = attacked();
      const path = segments(data)[12] as string;
      writeFileSync(path, change(readFileSync(path)));
      const { faults } = await verify(data);
      expect(faults).toEqual([
        expect.objectContaining({ code: 'altered', where: expect.objectContaining({ file: below(data, path), segment: 1 }) as object }),
      ]);
    }
  });

  it('deleted is missing, with its session', async () => {
    const data = attacked();
    const path = segments(data)[7] as string;
    rmSync(path);
    const { faults } = await verify(data);
    expect(faults).toEqual([
      expect.objectContaining({ code: 'missing', where: expect.objectContaining({ file: below(data, path) }) as object }),
    ]);
    expect(faults[0]?.where.session).toBe(path.split('/').at(-3));
  });

  it('whose segments changed places is altered in both', async () => {
    const data = attacked();
    const [one, two] = segments(data).filter(
      (path) => /000[12]\.cast\.zst$/.test(path) && segments(data).includes(path.replace(/000.\.cast/, '0003.cast')),
    );
    if (one === undefined || two === undefined) throw new Error('no recording with three segments');
    renameSync(one, `${one}.x`);
    renameSync(two, one);
    renameSync(`${one}.x`, two);
    expect((await verify(data)).faults.map(({ code, where }) => [code, where.segment]).toSorted(byText)).toEqual([
      ['altered', 1],
      ['altered', 2],
    ]);
  });

  it('beside which files were planted is told, wherever they are', async () => {
    const data = attacked();
    const path = segments(data)[3] as string;
    const stranger = '01a20000-0000-7000-8000-000000000000';
    const planted = [
      path.replace('0001.cast', '0099.cast'),
      path.replace('0001.cast.zst', 'notes.txt'),
      path.replace(/\/0\/0001/, '/7/0001'),
      join(data, 'recordings', '2026', '11', stranger, '0', '0001.cast.zst'),
      join(data, 'recordings', 'readme.txt'),
      join(data, 'recordings', '2026', '11', 'x'),
    ];
    for (const file of planted) cpSync(path, file);
    const { faults } = await verify(data);
    expect(faults.map(({ where }) => where.file ?? '').toSorted(byText)).toEqual(
      planted
        .map((file) => (file.includes(stranger) ? dirname(dirname(file)) : file))
        .map((file) => below(data, file))
        .toSorted(byText),
    );
  });

  it('replaced by a link to itself elsewhere is not taken for the file', async () => {
    const data = attacked();
    const path = segments(data)[3] as string;
    const elsewhere = join(belongings.directory('elsewhere'), 'segment');
    renameSync(path, elsewhere);
    symlinkSync(elsewhere, path);
    expect((await verify(data)).faults).toEqual([expect.objectContaining({ code: 'altered' })]);
  });

  it('with content kept whole is compared with its seal too', async () => {
    const data = attacked();
    const [path] = filesBelow(join(data, 'recordings'), '.bin.zst');
    if (path === undefined) throw new Error('no content was kept whole');
    writeFileSync(path, flip(readFileSync(path), 10));
    expect((await verify(data)).faults).toEqual([
      expect.objectContaining({ code: 'altered', where: expect.objectContaining({ file: below(data, path) }) as object }),
    ]);
  });
});

describe('the lists that sessions and show print', () => {
  it.each([
    ['sessions', 'ended', "'2026-01-01T00:00:00.000000Z'"],
    ['sessions', 'started', "'2026-01-01T00:00:00.000000Z'"],
    ['sessions', 'state', "'live'"],
    ['sessions', 'principal', '2'],
    ['sessions', 'on_behalf_of', '1'],
    ['sessions', 'target', "'other'"],
    ['sessions', 'protocol', "'mcp'"],
    ['sessions', 'channels', '9'],
    ['sessions', 'bytes_in', '1'],
    ['sessions', 'bytes_out', '1'],
    ['sessions', 'end_seq', '1'],
    ['channels', 'kind', "'shell'"],
    ['channels', 'open_seq', '1'],
    ['channels', 'closed', 'NULL'],
    ['channels', 'exit_status', '7'],
    ['channels', 'bytes_o', '5'],
    ['segments', 'file', "'recordings/other'"],
    ['segments', 'sha256', "'00'"],
    ['segments', 'bytes', '1'],
    ['segments', 'from_ns', '1'],
  ])('are compared with the records: %s.%s', async (table, column, value) => {
    const data = attacked();
    const { session } = await recordOf(data, 'session.open', 4);
    // An exec with exit status 3, and its input.
    const key = table === 'sessions' ? 'id' : 'session';
    await sql(data, `UPDATE ${table} SET ${column} = ${value} WHERE ${key} = ?`, [session]);
    const { faults } = await verify(data);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.every(({ code, where }) => code === 'inconsistent' && where.session === session)).toBe(true);
  });

  it('say nothing of what stands out that the records do not say, of one column or of all', async () => {
    const data = attacked();
    const { session } = await recordOf(data, 'session.open', 4);
    const changes = { actions: 9, asked: 1, denied: 1, break_glass: 1, supervised: 1, terminated: 1, hidden: 1, review: 'fine' };
    for (const [column, value] of Object.entries(changes))
      await sql(data, `UPDATE sessions SET ${column} = ? WHERE id = ?`, [value, session]);
    const { faults } = await verify(data);
    const words = faults.map((each) => /^The list of sessions says (\w+) is/.exec(each.words)?.[1]);
    expect(words).toEqual(['actions', 'asked', 'denied', 'breakGlass', 'supervised', 'terminated', 'hidden', 'review']);
    expect(faults.every(({ code, where }) => code === 'inconsistent' && where.session === session)).toBe(true);
  });

  it('from which an entry is taken, or to which one is added, are told', async () => {
    for (const [table, column] of [
      ['sessions', 'id'],
      ['channels', 'session'],
      ['segments', 'session'],
    ] as const) {
      const data = attacked();
      const { session } = await recordOf(data, 'session.open', 4);
      await sql(data, `DELETE FROM ${table} WHERE ${column} = ?`, [session]);
      expect((await verify(data)).faults).toEqual([
        expect.objectContaining({ code: 'missing', where: expect.objectContaining({ session }) as object }),
      ]);
    }
    const data = attacked();
    await sql(
      data,
      `INSERT INTO sessions (seq, id, started, ended, state, principal, on_behalf_of, target, target_kind, protocol, channels, bytes_in, bytes_out, end_seq)
       SELECT seq + 100000, 'f' || substr(id, 2), started, ended, state, principal, on_behalf_of, target, target_kind, protocol, channels, bytes_in, bytes_out, end_seq FROM sessions LIMIT 1`,
    );
    await sql(
      data,
      `INSERT INTO channels SELECT session, channel + 1, kind, opened, open_seq, closed, close_seq, exit_status, exit_signal, bytes_i, bytes_o, bytes_e FROM channels LIMIT 1`,
    );
    await sql(
      data,
      `INSERT INTO segments SELECT session, channel, segment + 50, file, bytes, sha256, from_ns, to_ns, events FROM segments LIMIT 1`,
    );
    const codes = (await verify(data)).faults.map(({ code }) => code);
    expect(codes.toSorted(byText)).toEqual(['added', 'inconsistent', 'missing']);
  });

  it('with a name changed for all sessions at once are told', async () => {
    const data = attacked();
    await sql(data, "UPDATE names SET name = 'somebody@example.com' WHERE name = 'engineer@example.com'");
    expect((await verify(data)).faults.length).toBe(38);
  });

  it('whose index was damaged are told', async () => {
    const data = attacked();
    // Writing past the index, as somebody with an older program or a patched one could.
    const database = new sqlite3.Database(join(data, 'sallyport.db'));
    await new Promise((resolve, reject) => {
      database.exec(
        `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'WHERE session IS NOT NULL', 'WHERE session IS NULL') WHERE name = 'records_by_session';
         PRAGMA writable_schema = RESET;`,
        (error) => database.close(() => (error ? reject(error) : resolve(undefined))),
      );
    });
    expect((await verify(data)).faults.map(({ code }) => code)).toContain('altered');
  });
});
