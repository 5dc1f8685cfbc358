import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../gateway/operator-api/self-signed.ts';
import { Database } from '../../gateway/store/database.ts';
import { ssh, sshArguments } from '../support/clients.ts';
import { sallyport } from '../support/gateway.ts';
import { recordsOf } from '../support/records.ts';
import { ended, plainEnvironment, run, startProgram } from '../support/run.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { Belongings } from '../support/temp.ts';
import { isListened, until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';
import { get } from './served.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const MiB = 1024 * 1024;
const RESERVE = 16 * MiB;

function certificateOf(world: World): string {
  return readFileSync(join(world.gateway.data, 'keys', 'https.crt'), 'utf8');
}

async function readiness(world: World, chain = certificateOf(world)): Promise<[number, unknown]> {
  const { status, body } = await get({ port: world.gateway.httpsPort, certificate: { chain, key: '' } }, '/readyz');
  const { code } = JSON.parse(body.toString()) as { code?: string };
  return [status, code];
}

describe('a gateway whose disk fills up', () => {
  let disk: SmallDisk;
  let world: World;
  beforeAll(async () => {
    disk = await mountSmallDisk(belongings, 128 * MiB);
    world = await openWorld(belongings, {
      agents: 4,
      configuration: { recording: { reserve: '16MiB' } },
      gateway: { data: join(disk.path, 'data'), https: true },
    });
  }, 240_000);
  afterEach(() => disk.empty());

  const states = async () => (await recordsOf(world.gateway.data, 'storage.changed')).map(({ body }) => body.state);

  it('records each limit that is crossed, in both directions, and says that it is not ready meanwhile', { timeout: 240_000 }, async () => {
    expect(await readiness(world)).toEqual([200, undefined]);
    await disk.fillUpTo(RESERVE - 4 * MiB);
    await until('that is recorded', async () => ((await states()).length === 1 ? true : undefined));
    expect(await readiness(world)).toEqual([503, 'DISK_LOW']);
    const more = join(disk.path, 'more');
    expect((await run('fallocate', ['-l', String(disk.free() - (RESERVE / 2 - 2 * MiB)), more])).status).toBe(0);
    await until('that is recorded', async () => ((await states()).length === 2 ? true : undefined));
    rmSync(more);
    disk.empty();
    await until('that is recorded', async () => ((await states()).length === 3 ? true : undefined));
    expect(await states()).toEqual(['low', 'critical', 'ample']);
    const records = await recordsOf(world.gateway.data, 'storage.changed');
    expect(records.map(({ outcome }) => outcome)).toEqual(['failure', 'failure', 'success']);
    for (const { body, actor } of records) expect([body.reserve, body.free > 0, actor.kind]).toEqual([RESERVE, true, 'gateway']);
    expect(await readiness(world)).toEqual([200, undefined]);
  });

  it('lives through a disk that takes nothing at all, and records afterwards what it could not record then', {
    timeout: 240_000,
  }, async () => {
    const before = (await states()).length;
    disk.fillToTheBrim();
    await world.gateway.logged(
      'that the disk is full',
      (line) => line.space === 'critical' && (line.before === 'ample' || line.before === 'low'),
    );
    await until('the gateway is not ready', async () => ((await readiness(world))[0] === 503 ? true : undefined));
    disk.empty();
    await until('it is ready again', async () => ((await readiness(world))[0] === 200 ? true : undefined), { withinMs: 60_000 });
    await until(
      'both are recorded',
      async () => ((await states()).at(-1) === 'ample' && (await states()).length > before + 1 ? true : undefined),
      {
        withinMs: 60_000,
      },
    );
    expect((await states()).slice(before)).toContain('critical');
  });
});

describe('a session that is over', () => {
  it('is told of in the log when a checkpoint covers its record', async () => {
    const world = await openWorld(belongings, { agents: 1 });
    expect((await ssh(world.agent(), 'true')).status).toBe(0);
    const line = await world.gateway.logged('the end of the session', ({ msg }) => msg === 'a session is over, recorded and signed');
    const checkpoint = readFileSync(join(world.gateway.data, 'ledger', 'checkpoint'), 'utf8');
    const database = await Database.openForReading(world.gateway.data);
    try {
      const close = (await database.records.after(0, 1000)).find(({ type }) => type === 'session.close');
      expect(line).toMatchObject({ session: close?.session, principal: 'agent-1', target: 'web' });
      expect(Number(line.checkpoint)).toBeGreaterThanOrEqual(close?.seq ?? Number.POSITIVE_INFINITY);
      expect(Number(checkpoint.split('\n')[1])).toBeGreaterThanOrEqual(Number(line.checkpoint));
    } finally {
      await database.close();
    }
  });
});

describe('a gateway that is stopped', () => {
  it('says that it is not ready while its sessions end, and then is gone', { timeout: 240_000 }, async () => {
    const world = await openWorld(belongings, { agents: 1, gateway: { https: true } });
    const client = startProgram('ssh', [...sshArguments(world.agent()), 'echo here; sleep 60'], {
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    belongings.add(() => void client.kill('SIGKILL'));
    if (client.stdout === null) throw new Error('ssh has no output');
    await once(client.stdout, 'data');
    const port = world.gateway.httpsPort;
    const chain = certificateOf(world);
    const stopped = world.gateway.stop();
    await until('it says so', async () => ((await readiness(world, chain))[1] === 'GATEWAY_DRAINING' ? true : undefined), { everyMs: 20 });
    expect(await stopped).toBe(0);
    expect(isListened(port)).toBe(false);
    await ended(client);
  });
});

describe('a certificate of somebody else', () => {
  const certified = (name: string) =>
    selfSigned({
      commonName: name,
      names: ['localhost', '127.0.0.1'],
      notBefore: new Date(Date.now() - 1000),
      notAfter: new Date(Date.now() + 90 * 86_400_000),
    });

  it('is shown, and its successor after a reload, while sessions go on', async () => {
    const directory = belongings.directory('tls');
    const [first, second] = [certified('first'), certified('second')];
    const write = ({ certificate, key }: typeof first) => {
      writeFileSync(join(directory, 'chain.pem'), certificate);
      writeFileSync(join(directory, 'key.pem'), key, { mode: 0o600 });
    };
    write(first);
    const world = await openWorld(belongings, {
      agents: 1,
      configuration: { gateway: { certificate: { chain: join(directory, 'chain.pem'), key: { file: join(directory, 'key.pem') } } } },
      gateway: { https: true },
    });
    const shown = async (ca: string) => {
      const socket = connect({ host: '127.0.0.1', port: world.gateway.httpsPort, ca, servername: 'localhost' });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    expect(await shown(first.certificate)).toBe(new X509Certificate(first.certificate).fingerprint256);
    const client = startProgram('ssh', [...sshArguments(world.agent()), 'echo here; cat'], {
      env: plainEnvironment(),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    belongings.add(() => void client.kill('SIGKILL'));
    if (client.stdout === null || client.stdin === null) throw new Error('ssh has no pipes');
    await once(client.stdout, 'data');

    write(second);
    process.kill(world.gateway.pid, 'SIGHUP');
    await world.gateway.logged('another certificate', ({ msg }) => msg === 'another certificate is shown over HTTPS');
    expect(await shown(second.certificate)).toBe(new X509Certificate(second.certificate).fingerprint256);

    copyFileSync(join(directory, 'chain.pem'), join(directory, 'key.pem'));
    process.kill(world.gateway.pid, 'SIGHUP');
    await until('the fault is told', () => (world.gateway.log().includes('not reloaded') ? true : undefined));
    expect(await shown(second.certificate)).toBe(new X509Certificate(second.certificate).fingerprint256);

    client.stdin.end('still there\n');
    expect(String((await once(client.stdout, 'data'))[0])).toBe('still there\n');
    await ended(client);
  });
});

describe('a gateway that cannot listen for HTTPS', () => {
  const start = async (listen: Record<string, string>) => {
    const directory = belongings.directory('start');
    writeFileSync(join(directory, 'gateway.yaml'), JSON.stringify({ gateway: { listen } }));
    return sallyport(['serve', '--config', join(directory, 'gateway.yaml')], { timeoutMs: 60_000 });
  };

  it('does not start, and says which port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    try {
      const { status, stdout, stderr } = await start({ ssh: '127.0.0.1:0', https: `127.0.0.1:${port}` });
      expect([status, stdout.toString()]).toEqual([1, '']);
      expect(stderr).toContain(`can't listen for HTTPS on 127.0.0.1:${port}: EADDRINUSE`);
    } finally {
      taken.close();
    }
  });
});
