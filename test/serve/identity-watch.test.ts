import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Principal } from '../../gateway/identity/principal.ts';
import { identityWatch } from '../../gateway/serve/identity-watch.ts';
import { startGateway } from '../../gateway/serve.ts';
import { AuditedData } from '../query/audit/audited-data.ts';
import { temporaryDirectory } from '../store/support.ts';
import { recordsOf } from '../support/records.ts';
import { worked } from '../support/worked.ts';

function principal(name: string, change: Partial<Principal> = {}): [string, Principal] {
  return [name, { name, kind: 'human', groups: [], sshKeys: [], operator: [], disabled: false, ...change }];
}

const watch = ({ evidence }: AuditedData) => identityWatch({ ...evidence, gatewayName: 'gateway-1' });

const changes = async ({ directory }: Pick<AuditedData, 'directory'>) =>
  (await recordsOf(directory, 'identity.changed')).map(({ body }) => `${body.principal} ${body.state}`);

describe('who is known', () => {
  it('is recorded when it changes, against what the records say, and not when it does not', async () => {
    const data = await AuditedData.open();
    const before = new Map([principal('alice', { operator: ['reviewer'] }), principal('bob', { groups: ['b', 'a'] }), principal('carol')]);
    expect(await watch(data)(before)).toBe(3);
    expect(await watch(data)(before)).toBe(0);
    expect(await watch(data)(new Map([...before, principal('bob', { groups: ['a', 'b'] })]))).toBe(0);

    const after = new Map([
      principal('alice', { operator: ['reviewer', 'admin'] }),
      principal('bob', { disabled: true, groups: ['a', 'b'] }),
    ]);
    await data.close();
    await data.reopen(); // A gateway that starts again knows what the one before it knew.
    expect(await watch(data)(after)).toBe(3);
    expect(await watch(data)(after)).toBe(0);
    await data.evidence.database.rebuildProjections();
    expect(await watch(data)(after)).toBe(0);
    expect(await watch(data)(new Map([...after, principal('carol', { kind: 'agent', onBehalfOf: 'alice' })]))).toBe(1);
    expect(await changes(data)).toEqual([
      'alice known',
      'bob known',
      'carol known',
      'alice known',
      'bob disabled',
      'carol removed',
      'carol known',
    ]);
    const [, , , alice, , carol, agent] = await recordsOf(data.directory, 'identity.changed');
    expect(alice?.body.operator).toEqual(['admin', 'reviewer']);
    expect(carol?.body).toMatchObject({ kind: 'human', groups: [], operator: [] });
    expect(agent?.body).toMatchObject({ kind: 'agent', onBehalfOf: 'alice' });
  });

  it('is recorded once when two reloads come at the same moment', async () => {
    const data = await AuditedData.open();
    const record = watch(data);
    expect(await Promise.all([record(new Map([principal('alice')])), record(new Map([principal('alice')]))])).toEqual([1, 0]);
  });

  it('is recorded of ten thousand at a first start within seconds, and nothing else waits for it', async () => {
    const data = await AuditedData.open();
    const many = new Map(
      Array.from({ length: 10_000 }, (_, at) => principal(`somebody-${at}@example.com`, { groups: ['engineers', 'on-call'] })),
    );
    const turns = longestTurn();
    const began = performance.now();
    expect(await watch(data)(many)).toBe(10_000);
    const first = performance.now() - began;
    expect(await watch(data)(many)).toBe(0);
    const again = performance.now() - began - first;
    expect(first).toBeLessThan(40_000);
    expect(again).toBeLessThan(40_000);
    // All of them in one go would hold up everything for a quarter of a second.
    expect(turns.end()).toBeLessThan(150);
  });

  it('is recorded by a gateway when it starts and when it reads its configuration again', async () => {
    const directory = await temporaryDirectory();
    const config = join(directory, 'sallyport.yaml');
    const write = (humans: object[]) =>
      writeFileSync(
        config,
        JSON.stringify({ gateway: { listen: { ssh: '127.0.0.1:0' }, data: join(directory, 'data') }, humans, targets: [] }),
      );
    write([{ name: 'alice' }, { name: 'bob', operator: ['admin'] }]);
    const gateway = await startGateway({ config, logLevel: 'fatal' });
    onTestFinished(() => gateway.close('the test is over'));
    write([{ name: 'bob', disabled: true }]);
    await gateway.reload();
    expect(await changes({ directory: join(directory, 'data') })).toEqual(['alice known', 'bob known', 'alice removed', 'bob disabled']);
  });
});

/** The most that one turn of the event loop takes of the processor, in milliseconds, whatever else the machine has to do. */
function longestTurn(): { end(): number } {
  let longest = 0;
  let last = worked();
  const timer = setInterval(() => {
    const now = worked();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return {
    end: () => {
      clearInterval(timer);
      return longest;
    },
  };
}
