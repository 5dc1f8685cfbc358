import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { rebuild } from '../../support/cast.ts';
import { sallyport, startGateway } from '../../support/gateway.ts';
import { castOf, sessionsOf } from '../../support/recordings.ts';
import { Belongings } from '../../support/temp.ts';
import { sql, verify } from './evidence.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const fixtures = join(import.meta.dirname, '../../fixtures/data-directory-0.1');

function copyOf(name: 'stopped' | 'killed'): string {
  const data = join(belongings.directory('older'), 'data');
  mkdirSync(data);
  cpSync(join(fixtures, name), data, { recursive: true });
  return data;
}

async function open(data: string) {
  const gateway = await startGateway(belongings, {
    data,
    configuration: { gateway: { name: 'fixture' }, recording: { reserve: '1MiB' } },
  });
  return gateway;
}

describe('100 a data directory of version 0.1', () => {
  it.each([
    ['stopped', 3],
    ['killed', 4],
  ] as const)('%s, is verified as it is, and the output says that nothing is signed', async (name, sessions) => {
    const data = copyOf(name);
    const { faults, findings, outcome } = await verify(data);
    expect(faults).toEqual([]);
    expect(outcome).toMatchObject({ ledger: undefined, records: { sessions }, files: 5 });
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'unproven', words: expect.stringContaining('signed nothing') as string }),
    );
    const told = await sallyport(['verify', '--data', data]);
    expect(told.status).toBe(0);
    expect(told.stdout.toString()).toContain('Nothing is proven');
  });

  it.each([
    ['stopped', { closed: 3 }],
    ['killed', { closed: 3, recovered: 1 }],
  ] as const)('%s, is opened by this version, which takes its records into a ledger; then it verifies and plays', async (name, states) => {
    const data = copyOf(name);
    const before = await verify(data);
    const gateway = await open(data);
    await gateway.stop();
    const { faults, findings, outcome } = await verify(data);
    expect(faults).toEqual([]);
    expect(outcome.ledger).toMatchObject({ agrees: true, signed: true });
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'unproven', where: { index: 0, last: before.outcome.records.records - 1 } }),
    );
    const sessions = [...(await sessionsOf(data, 'engineer@example.com')), ...(await sessionsOf(data, 'deploy-bot'))];
    for (const [state, count] of Object.entries(states)) expect(sessions.filter((session) => session.state === state)).toHaveLength(count);
    const played: string[] = [];
    for (const { id } of sessions) {
      const { o } = rebuild(await castOf(data, id));
      played.push(Buffer.concat(o.map((piece) => ('bytes' in piece ? piece.bytes : Buffer.alloc(0)))).toString());
    }
    expect(played.join('')).toContain('fixture$ ');
    expect(played).toContainEqual(expect.stringMatching(/29999\n30000\n$/));
    if (name === 'killed') expect(played.join('')).toContain('still here when the gateway was killed');
  });

  it('with a record edited is found out: it fits together no more', async () => {
    const data = copyOf('stopped');
    await sql(
      data,
      "UPDATE records SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"status\":3', '\"status\":0') AS BLOB) WHERE type = 'channel.close'",
    );
    const { faults } = await verify(data);
    expect(faults.map(({ code }) => code)).toContain('altered');
  });
});
