import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbclient, plink, scp, sftp, ssh } from '../support/clients.ts';
import { onlySession } from '../support/recordings.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: 6, host: { host: '::1' }, gateway: { address: '::1' } });
}, 240_000);
afterAll(() => belongings.release());

describe('IPv6', () => {
  it('43 reaches a target on ::1 through a listener on ::1', async () => {
    expect(world.gateway.host).toBe('::1');
    const route = world.agent();
    const done = await ssh(route, 'echo "$SSH_CONNECTION"; cat', { input: 'six\n' });
    expect(done.stdout.toString()).toMatch(new RegExp(`^::1 \\d+ ::1 ${world.host.port}\nsix\n$`));
    const session = await onlySession(world.gateway.data, route.principal);
    expect(session.source).toMatch(/^\[?::1\]?:\d+$/);
  });

  it('43 serves every client there', async () => {
    const there = belongings.directory('there');
    for (const client of [plink, dbclient]) expect((await client(world.agent(), 'echo six')).stdout.toString()).toBe('six\n');
    expect((await scp(world.agent(), ['/etc/hostname', `:${there}/copied`])).status).toBe(0);
    expect((await sftp({ ...world.agent(), host: '::1' }, [`ls ${there}`])).stdout.toString()).toContain('copied');
  });
});
