import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RecordDraft } from '../../../contract/record.ts';
import { AuditedData, agent, human, web } from './audited-data.ts';

const MARCH = { from: '2026-03-01', to: '2026-03-31' };

/** A session in each of February, March and April; indexes 1 and 2, 3 and 4, 5 and 6. */
async function threeMonths(): Promise<{ data: AuditedData; sessions: string[] }> {
  const data = await AuditedData.open();
  const sessions: string[] = [];
  for (const month of ['02', '03', '04']) sessions.push(await data.session(`2026-${month}-10T10:00:00`, `2026-${month}-10T11:00:00`));
  await data.close();
  return { data, sessions };
}

async function faultsAfter(data: AuditedData, sql: string, asked: { from?: string; to?: string; thorough?: boolean } = MARCH) {
  await data.tamper(sql);
  const { rows, statement } = await data.audit('sessions', asked);
  expect(statement.proved).toBe(false);
  expect(statement.faults.count).toBe(statement.faults.words.length);
  return { rows, words: statement.faults.words };
}

describe('an answer is not taken for proved when', () => {
  it('a record was altered', async () => {
    const { data } = await threeMonths();
    const { rows, words } = await faultsAfter(
      data,
      "UPDATE records SET bytes = CAST(replace(CAST(bytes AS TEXT), 'deploy-bot', 'someone-el') AS BLOB) WHERE seq = 4",
    );
    expect(words).toEqual(['Record 3 was altered: its bytes are not those of its hash']);
    expect(rows).toHaveLength(1);
  });

  it('a record was made into something that no question can read', async () => {
    const { data, sessions } = await threeMonths();
    const { rows, words } = await faultsAfter(
      data,
      `UPDATE records SET bytes = CAST(json_set(CAST(bytes AS TEXT), '$.body', json('{}')) AS BLOB) WHERE seq = 4`,
      {},
    );
    expect(rows.map((row) => row.session)).toEqual([sessions[0], sessions[2]]);
    expect(words).toEqual([
      'Record 3 was altered: its bytes are not those of its hash',
      'Record 4 cannot be understood: it does not have what a record of type session.close has',
    ]);
  });

  it('a record was replaced by another, hash and all', async () => {
    const { data } = await threeMonths();
    const { words } = await faultsAfter(
      data,
      'UPDATE records SET bytes = (SELECT bytes FROM records WHERE seq = 6), hash = (SELECT hash FROM records WHERE seq = 6) WHERE seq = 4',
    );
    expect(words).toContain('Record 3 was altered: the ledger has another hash at its place');
  });

  it('a record of the period was deleted', async () => {
    const { data } = await threeMonths();
    expect((await faultsAfter(data, 'DELETE FROM records WHERE seq = 5')).words).toEqual(['Record 4 is missing']);
  });

  it('all records of the period were deleted', async () => {
    const { data } = await threeMonths();
    const { rows, words } = await faultsAfter(data, 'DELETE FROM records WHERE seq IN (4, 5)');
    expect(words).toEqual(['Records 3 to 4 are missing']);
    expect(rows).toEqual([]);
  });

  it('the end of the ledger was cut off', async () => {
    const { data } = await threeMonths();
    const { words } = await faultsAfter(data, 'DELETE FROM records WHERE seq > 5', { from: '2026-04-01' });
    expect(words).toEqual(['Records 5 to 6 are missing: the checkpoint commits to 7 and the database has 5']);
  });

  it('a record was put into another month by its id or its time', async () => {
    const { data, sessions } = await threeMonths();
    const { rows, words } = await faultsAfter(
      data,
      "UPDATE records SET id = (SELECT substr(id, 1, 24) FROM records WHERE seq = 3) || 'ffffffffff' || (seq + 10), time = '2026-02-28T00:00:00.000000Z' WHERE seq IN (4, 5)",
    );
    expect(rows).toMatchObject([{ session: sessions[1] }]);
    expect(words).toContain("Record 3 is of the period, and the database's index does not say so");
  });

  it('a session was given another type of opening', async () => {
    const { data, sessions } = await threeMonths();
    const { rows, words } = await faultsAfter(data, "UPDATE records SET type = 'retention.run' WHERE seq = 4");
    expect(rows).toMatchObject([{ session: sessions[1], human: 'engineer@example.com' }]);
    expect(words).toEqual(['Record 3 is not where it belongs: the database has another type for it than it says itself']);
  });

  it('a record was emptied and no erasure says so', async () => {
    const { data, sessions } = await threeMonths();
    const { rows, words } = await faultsAfter(data, 'UPDATE records SET bytes = NULL WHERE seq = 4');
    expect(words).toEqual(['Record 3 was emptied, and no record of an erasure names it']);
    expect(rows).toMatchObject([{ session: sessions[1], state: 'erased', principal: null }]);
  });

  it('a session that reaches into the period is hidden from the list of sessions', async () => {
    const data = await AuditedData.open();
    const session = await data.session('2026-02-10T10:00:00', '2026-03-10T11:00:00');
    await data.close();
    const { rows, words } = await faultsAfter(data, 'DELETE FROM sessions');
    expect(rows).toMatchObject([{ session }]);
    expect(words).toEqual([`Session ${session} began before the period, and the database's list of sessions does not say so`]);
  });

  it('the checkpoint is gone, is signed with another key, or does not fit its tiles', async () => {
    const { data } = await threeMonths();
    const checkpoint = join(data.directory, 'ledger', 'checkpoint');
    const note = await readFile(checkpoint, 'utf8');
    const words = async () => (await data.audit('sessions', MARCH)).statement.faults.words;
    await rm(checkpoint);
    expect(await words()).toEqual(['The checkpoint of the ledger is missing']);
    await writeFile(checkpoint, note.replace(/^7$/m, '6'));
    expect(await words()).toEqual([expect.stringContaining('does not fit the text')]);
    await writeFile(checkpoint, note);
    expect(await words()).toEqual([]);
    const tile = join(data.directory, 'ledger', 'tile', '0', '000.p', '7');
    const bytes = await readFile(tile);
    bytes[0] = (bytes[0] as number) ^ 1;
    await writeFile(tile, bytes);
    expect(await words()).toEqual([expect.stringContaining('do not add up to the root of the checkpoint')]);
  });
});

it('a session that did nothing in the period and is hidden from the list is found by reading the whole ledger', async () => {
  const data = await AuditedData.open();
  const session = await data.session('2026-02-10T10:00:00', '2026-04-10T11:00:00');
  await data.close();
  await data.tamper('DELETE FROM sessions');
  // Without `--thorough` the statement says what it relied on.
  const quick = await data.audit('sessions', MARCH);
  expect(quick.rows).toEqual([]);
  expect(quick.statement.foundBy).toContain("the database's list of sessions");
  expect((await data.audit('sessions', { ...MARCH, thorough: true })).rows).toMatchObject([{ session }]);
});

describe('erased records', () => {
  async function erasedSession(): Promise<{ data: AuditedData; session: string }> {
    const data = await AuditedData.open();
    const session = await data.session('2026-02-10T10:00:00', '2026-03-10T11:00:00', { actor: human });
    const erasure: RecordDraft<'erased'> = {
      type: 'erased',
      outcome: 'success',
      actor: data.evidence.records.gateway,
      target: web,
      session,
      body: {
        basis: 'retention',
        reason: 'older than 400 days',
        remains: { started: '2026-02-10T10:00:00.000000Z', ended: '2026-03-10T11:00:00.000000Z', protocol: 'ssh', channels: 3 },
        files: [],
        records: [[1, 2]],
        part: 1,
        parts: 1,
      },
    };
    await data.at('2027-05-01T00:00:00', erasure);
    await data.evidence.database.records.erase(session, [[2, 3]]);
    await data.close();
    return { data, session };
  }

  it('are counted, and what remains of their session is in the answer', async () => {
    const { data, session } = await erasedSession();
    for (const thorough of [false, true]) {
      const { rows, statement } = await data.audit('sessions', { ...MARCH, thorough });
      expect(rows).toMatchObject([
        {
          session,
          state: 'erased',
          human: null,
          target: 'web-1',
          protocol: 'ssh',
          channels: 3,
          started: '2026-02-10T10:00:00.000000Z',
          reason: 'erased: older than 400 days',
        },
      ]);
      expect(statement).toMatchObject({ proved: true, erased: { records: thorough ? 2 : 1, mayHaveMatched: 0 } });
    }
    expect((await data.audit('sessions', { from: '2026-04-01' })).rows).toEqual([]);
  });

  it('of a session that a filter may have meant are named in the statement', async () => {
    const { data } = await erasedSession();
    const { rows, statement } = await data.audit('sessions', { ...MARCH, filters: { principal: agent.principal } });
    expect(rows).toEqual([]);
    expect(statement.erased.mayHaveMatched).toBe(1);
    expect((await data.audit('sessions', { ...MARCH, filters: { target: 'db-1' } })).statement.erased.mayHaveMatched).toBe(0);
  });
});
