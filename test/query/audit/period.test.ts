import { describe, expect, it } from 'vitest';
import { draft } from '../../store/support.ts';
import { AuditedData, human, web } from './audited-data.ts';

const MARCH = { from: '2026-03-01', to: '2026-03-31' };

async function sessionsIn(data: AuditedData, asked: { from?: string; to?: string; thorough?: boolean }) {
  const { rows, statement } = await data.audit('sessions', asked);
  return { ids: rows.map((row) => row.session), rows, statement };
}

describe('a session is access in a period', () => {
  it.each([
    ['that ended before it', '2026-02-28T23:00:00', '2026-02-28T23:59:59.999999', false],
    ['that ended in its very first moment', '2026-02-28T23:00:00', '2026-03-01T00:00:00', true],
    ['that began before it and ended in it', '2026-02-01T00:00:00', '2026-03-01T00:00:00.000001', true],
    ['that began before it and ended after it', '2026-02-01T00:00:00', '2026-04-02T00:00:00', true],
    ['within it', '2026-03-10T10:00:00', '2026-03-10T10:00:01', true],
    ['that began in its very first moment', '2026-03-01T00:00:00', '2026-03-01T01:00:00', true],
    ['that began in its very last moment', '2026-03-31T23:59:59.999999', '2026-04-01T01:00:00', true],
    ['that began in the first moment after it', '2026-04-01T00:00:00', '2026-04-01T01:00:00', false],
  ])('%s: %s to %s is %s', async (_, from, to, expected) => {
    const data = await AuditedData.open();
    const session = await data.session(from, to);
    await data.close();
    for (const thorough of [false, true]) {
      const { ids, statement } = await sessionsIn(data, { ...MARCH, thorough });
      expect(ids, `thorough ${thorough}`).toEqual(expected ? [session] : []);
      expect(statement).toMatchObject({ proved: true, faults: { count: 0 } });
    }
  });

  it('that nobody has closed, from its beginning on', async () => {
    const data = await AuditedData.open();
    const before = await data.openSession('2026-02-10T00:00:00');
    const within = await data.openSession('2026-03-10T00:00:00');
    await data.openSession('2026-04-10T00:00:00');
    await data.close();
    const { rows, statement } = await sessionsIn(data, MARCH);
    expect(rows).toMatchObject([
      { session: before, state: 'running', ended: null, bytes_in: null },
      { session: within, state: 'running', ended: null },
    ]);
    expect(statement).toMatchObject({ carriedIn: 1, rows: 2 });
  });

  it('that was cut off by the end of the gateway, up to the moment that is known to be after it', async () => {
    const data = await AuditedData.open();
    const session = await data.openSession('2026-02-10T10:00:00');
    await data.at('2026-02-10T10:00:01', draft.channelOpen(session, 0, 'shell'));
    await data.at('2026-03-05T00:00:00', draft.sessionRecovered(session, 0, 5_500_000_000));
    await data.close();
    // Something last happened in February. Whether it was still open in March nobody can exclude.
    const { rows } = await sessionsIn(data, MARCH);
    expect(rows).toMatchObject([
      { session, state: 'recovered', ended: '2026-02-10T10:00:06.500000Z', over_at_the_latest: '2026-03-05T00:00:00.000000Z' },
    ]);
    expect((await sessionsIn(data, { from: '2026-03-06' })).ids).toEqual([]);
  });

  it('in whatever time zone the period is given', async () => {
    const data = await AuditedData.open();
    const session = await data.session('2026-02-28T22:30:00', '2026-02-28T22:40:00');
    await data.close();
    expect((await sessionsIn(data, { from: '2026-03-01T00:00+01:00' })).ids).toEqual([]);
    expect((await sessionsIn(data, { from: '2026-03-01T00:00+02:00' })).ids).toEqual([session]);
  });
});

describe('an answer about a period', () => {
  it('reads the part of the ledger that it is in, and proves that part', async () => {
    const data = await AuditedData.open();
    for (let day = 1; day <= 28; day += 1) {
      const date = `2026-02-${String(day).padStart(2, '0')}`;
      for (let hour = 10; hour < 20; hour += 1) await data.session(`${date}T${hour}:00:00`, `${date}T${hour}:30:00`);
    }
    await data.close();
    const { rows, statement } = await sessionsIn(data, { from: '2026-02-14', to: '2026-02-14' });
    expect(rows).toHaveLength(10);
    // One record is the beginning of the ledger itself; every session has two.
    expect(statement.ledger).toEqual({ first: 261, last: 280, records: 20, inPeriod: 20, outside: 0, newest: 560 });
    expect(statement).toMatchObject({ proved: true, uncovered: 0, checkpoint: { size: 561 } });
  });

  it('without any record in it is an empty answer, and as much proved', async () => {
    const data = await AuditedData.open();
    await data.session('2026-02-01T00:00:00', '2026-02-02T00:00:00');
    await data.session('2026-05-01T00:00:00', '2026-05-02T00:00:00');
    await data.close();
    const { ids, statement } = await sessionsIn(data, MARCH);
    expect(ids).toEqual([]);
    expect(statement).toMatchObject({
      answered: 'fully',
      rows: 0,
      proved: true,
      ledger: { first: null, last: null, records: 0, newest: 4 },
    });
  });

  it('loses nothing when the clock was set back and forward', async () => {
    const data = await AuditedData.open();
    const first = await data.session('2026-03-10T10:00:00', '2026-03-10T10:01:00');
    const early = await data.session('2026-01-15T00:00:00', '2026-01-15T00:01:00'); // set back
    const late = await data.session('2027-06-01T00:00:00', '2027-06-01T00:01:00'); // set forward
    const last = await data.session('2026-03-20T10:00:00', '2026-03-20T10:01:00'); // and right again
    await data.close();
    const march = await sessionsIn(data, MARCH);
    expect(march.ids).toEqual([first, last]);
    expect(march.statement.ledger).toMatchObject({ first: 1, last: 8, records: 8, inPeriod: 4 });
    expect((await sessionsIn(data, { from: '2026-01-01', to: '2026-01-31' })).ids).toEqual([early]);
    expect((await sessionsIn(data, { from: '2027-01-01' })).ids).toEqual([late]);
    const { rows } = await data.audit('log-health', { from: '2026-01-01', to: '2026-12-31' });
    expect(rows.filter((row) => row.what === 'clock').map((row) => row.index)).toEqual([3, 7]);
  });

  it('takes a session that the clock was set back in for what it was', async () => {
    const data = await AuditedData.open();
    const session = await data.openSession('2026-03-10T10:00:00');
    await data.closeSession('2026-03-10T09:00:00', session, 60_000);
    await data.close();
    expect((await sessionsIn(data, { from: '2026-03-10T09:30', to: '2026-03-10T10:30' })).ids).toEqual([session]);
    expect((await sessionsIn(data, { from: '2026-03-10T08:30', to: '2026-03-10T09:30' })).ids).toEqual([session]);
    const { rows } = await data.audit('log-health');
    expect(rows.filter((row) => row.what === 'clock').map((row) => row.words)).toEqual([
      expect.stringContaining('set back by 3600.0 s or more'),
      expect.stringContaining('set back by 3660.0 s while the session ran'),
    ]);
  });

  it('takes a clock that was set back in a session for no lie of the list of sessions', async () => {
    const data = await AuditedData.open();
    const session = await data.openSession('2026-03-10T08:00:00');
    await data.at('2026-03-10T10:00:00', draft.channelOpen(session, 0, 'shell'));
    await data.closeSession('2026-03-10T09:00:00', session);
    await data.close();
    const { ids, statement } = await sessionsIn(data, { from: '2026-03-10T09:30', to: '2026-03-10T10:30' });
    expect(ids).toEqual([session]);
    expect(statement.faults).toEqual({ count: 0, words: [] });
  });

  it('finds nothing wrong while a gateway goes on writing', async () => {
    const data = await AuditedData.open();
    let over = false;
    const writing = (async () => {
      for (let minute = 0; !over; minute += 1) {
        const time = new Date(Date.UTC(2026, 2, 1) + minute * 60_000).toISOString().slice(0, 19);
        await data.session(time, time);
        if (minute % 5 === 0) await data.evidence.ledger.signed();
      }
    })();
    for (let round = 0; round < 25; round += 1) {
      const { statement } = await sessionsIn(data, { from: '2026-03-01' });
      expect(statement.faults).toEqual({ count: 0, words: [] });
    }
    over = true;
    await writing;
    await data.close();
    expect((await sessionsIn(data, {})).statement).toMatchObject({ proved: true, uncovered: 0 });
  });

  it('has only what the filters ask for', async () => {
    const data = await AuditedData.open();
    const byAgent = await data.session('2026-03-10T10:00:00', '2026-03-10T10:01:00');
    const byHuman = await data.session('2026-03-10T11:00:00', '2026-03-10T11:01:00', { actor: human, target: { ...web, name: 'db-1' } });
    await data.close();
    const ask = async (filters: Record<string, string>) => (await data.audit('sessions', { filters })).rows.map((row) => row.session);
    expect(await ask({ principal: 'deploy-bot' })).toEqual([byAgent]);
    expect(await ask({ onBehalfOf: 'engineer@example.com' })).toEqual([byAgent]);
    expect(await ask({ target: 'db-1' })).toEqual([byHuman]);
    expect(await ask({ protocol: 'ssh' })).toEqual([byAgent, byHuman]);
    expect(await ask({ protocol: 'postgres' })).toEqual([]);
    await expect(data.audit('log-health', { filters: { target: 'db-1' } })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
