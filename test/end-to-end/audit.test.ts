import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ssh } from '../support/clients.ts';
import { sallyport } from '../support/gateway.ts';
import { makeKey } from '../support/keys.ts';
import { endedSessions } from '../support/recordings.ts';
import { Belongings } from '../support/temp.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());
let world: World;
let route: AgentRoute;
const began = new Date();

beforeAll(async () => {
  world = await openWorld(belongings, { agents: 2 });
  route = world.agent();
  await ssh(route, 'echo hello; exit 7');
  await ssh(route, 'cat', { input: 'said', flags: ['-c', 'aes256-ctr', '-m', 'hmac-sha2-256-etm@openssh.com'] });
  await ssh({ ...route, key: await makeKey(belongings.directory('stranger'), 'stranger') }, 'true');
  await ssh({ ...route, user: 'nowhere' }, 'true');
  await ssh(route, 'true', { flags: ['-R', '127.0.0.1:0:127.0.0.1:9'] });
  await endedSessions(world.gateway.data, route.principal, 3);
}, 240_000);

interface Answer {
  rows: Record<string, unknown>[];
  statement: { answered: string; faults: { words: string[] }; rows: number };
}

/** Beside the running gateway, as somebody at its keyboard would. */
async function audit(question: string): Promise<Answer> {
  const { status, stdout, stderr } = await sallyport([
    'audit',
    question,
    '--data',
    world.gateway.data,
    '--from',
    began.toISOString(),
    '--json',
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const lines = stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const last = lines.pop() as { statement: Answer['statement'] };
  expect(last.statement).toMatchObject({ rows: lines.length, faults: { words: [] } });
  return { rows: lines, statement: last.statement };
}

describe('what a gateway has recorded', () => {
  it('answers who had access, for whom, and what they ran', async () => {
    expect((await audit('sessions')).rows).toMatchObject(
      [1, 2, 3].map(() => ({ principal: route.principal, human: 'engineer@example.com', target: 'web', state: 'closed', kind: 'agent' })),
    );
    expect((await audit('who')).rows).toMatchObject([
      { principal: route.principal, human: 'engineer@example.com', method: 'publickey', sessions: 3 },
    ]);
    const commands = (await audit('commands')).rows;
    expect(commands).toContainEqual(expect.objectContaining({ command: 'echo hello; exit 7', exit_status: 7, outcome: 'failure' }));
    expect(commands).toContainEqual(expect.objectContaining({ command: 'cat', exit_status: 0, outcome: 'success' }));
    expect((await audit('agent-actions')).rows).toContainEqual(expect.objectContaining({ what: 'cat', human: 'engineer@example.com' }));
  });

  it('answers what protected the way in', async () => {
    const { rows } = await audit('entry-points');
    expect(rows).toContainEqual(
      expect.objectContaining({
        address: '127.0.0.1',
        cipher_in: 'aes256-ctr',
        cipher_out: 'aes256-ctr',
        mac_in: 'hmac-sha2-256-etm@openssh.com',
        sessions: 1,
      }),
    );
    for (const row of rows.filter(({ sessions }) => sessions !== 0)) {
      expect(row.key_exchange).toMatch(/curve25519|ecdh|diffie-hellman/);
      expect(row.host_key).toBe('ssh-ed25519');
      expect(row.client).toMatch(/^OpenSSH/);
    }
  });

  it('answers what was refused, and why', async () => {
    const { rows } = await audit('refused');
    expect(rows).toMatchObject([
      { what: 'log-in', reason: 'no principal has this key', principal: 'unknown' },
      { what: 'session', principal: route.principal, requested: 'nowhere', code: 'TARGET_UNKNOWN' },
      { what: 'action', principal: route.principal, requested: expect.stringMatching(/^ssh:forward /) },
    ]);
  });

  it('answers which policy and configuration allowed it, and how the gateway fared', async () => {
    const { rows } = await audit('policy-in-force');
    expect(rows.length).toBeGreaterThanOrEqual(6);
    for (const row of rows) {
      expect(row).toMatchObject({ verdict: 'allow', policies: ['targets.web.allow'], policy_set: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(row.configuration).toMatch(/^[0-9a-f]{64}$/);
    }
    expect((await audit('log-health')).rows.map(({ what }) => what)).toEqual(['ledger', 'start']);
  });

  it('is answered to a file as well', async () => {
    const file = join(belongings.directory('answers'), 'sessions.csv');
    const { status } = await sallyport(['audit', 'sessions', '--data', world.gateway.data, '--format', 'csv', '-o', file]);
    expect(status).toBe(0);
  });
});
