import type { ChildProcess } from 'node:child_process';
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAttestation } from '../../gateway/ledger/attestation.ts';
import { noteSigner, parseVerifierKey, signNote } from '../../gateway/ledger/signed-note.ts';
import { askGateway } from '../../gateway/operator-api/ask-gateway.ts';
import { Database } from '../../gateway/store/database.ts';
import { version } from '../../gateway/version.ts';
import { ssh } from '../support/clients.ts';
import { processFacts } from '../support/processes.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';
import { Monitor } from './monitor.ts';
import { get } from './served.ts';

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: 12, gateway: { https: true, openFiles: 4096, tellsHeld: true } });
}, 240_000);
afterAll(() => belongings.release());

const MiB = 1024 * 1024;
const as = { user: 'tester', version };
const keyFile = (name: string) => join(world.gateway.data, 'keys', name);
const certificate = () => readFileSync(keyFile('https.crt'), 'utf8');
const verifierKey = () => readFileSync(keyFile('ledger.pub'), 'utf8');
const over = () => ({ port: world.gateway.httpsPort, certificate: { chain: certificate(), key: '' } });

const exported = (index: number) => ({ question: { index }, sessions: 0, records: 0, leftOut: 0, manifest: '00'.repeat(32) });

/** So many records, made by asking the gateway for them. */
async function record(count: number): Promise<number[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, index) => askGateway(world.gateway.data, 'export.recorded', exported(index), as)),
  );
  return answers.map((answer) => answer?.output.index ?? -1);
}

/** 300 connections from one address on which nothing is said. */
async function silentCrowd(program: string, source: string): Promise<ChildProcess> {
  const args = [program, '127.0.0.1', String(world.gateway.httpsPort), '300', source];
  const crowd = startProgram(process.execPath, args, { env: plainEnvironment(), stdio: ['pipe', 'pipe', 'inherit'] });
  belongings.add(() => void crowd.kill('SIGKILL'));
  if (crowd.stdout === null) throw new Error('the crowd has no output');
  await once(crowd.stdout, 'data');
  return crowd;
}

describe('a monitor that knows the specifications only', () => {
  it('can follow the log over HTTPS while the gateway records, and finds every tile as it should be', { timeout: 240_000 }, async () => {
    const monitor = new Monitor({ port: world.gateway.httpsPort, ca: certificate(), verifierKey: verifierKey() });
    const sizes: number[] = [];
    let recording = true;
    const work = (async () => {
      for (let round = 0; round < 30; round += 1) await record(20);
      const route = world.agent();
      for (let round = 0; round < 5; round += 1) expect((await ssh(route, 'echo hello')).status).toBe(0);
    })().finally(() => (recording = false));
    while (recording) sizes.push((await monitor.follow()).size);
    await work;
    await askGateway(world.gateway.data, 'ledger.sign', {}, as);
    const { size } = await monitor.follow();
    expect(new Set(sizes).size).toBeGreaterThan(3);
    expect(size).toBeGreaterThan(600);
    expect(await monitor.checkTiles(size)).toBeGreaterThan(100);

    const database = await Database.openForReading(world.gateway.data);
    try {
      const rows = await database.records.after(0, size);
      expect(rows).toHaveLength(size);
      for (const [index, { bytes }] of rows.entries()) {
        if (bytes === null) throw new Error(`record ${index} has no bytes`);
        expect(
          createHash('sha256')
            .update(bytes)
            .digest()
            .equals(monitor.entries[index] as Buffer),
        ).toBe(true);
      }
    } finally {
      await database.close();
    }
  });
});

describe('an operation on a running gateway', () => {
  it('is answered while sessions run, and many at once get a place each', async () => {
    const [indexes, session] = await Promise.all([record(25), ssh(world.agent(), 'sleep 0.3; echo done')]);
    expect(session.stdout.toString()).toBe('done\n');
    expect(new Set(indexes).size).toBe(25);
    expect(Math.min(...indexes)).toBeGreaterThan(0);
  });

  it('signs a checkpoint over all that was recorded before', async () => {
    const [index = -1] = await record(1);
    const { output } = (await askGateway(world.gateway.data, 'ledger.sign', {}, as)) ?? { output: { checkpoint: '' } };
    const sizeOf = (checkpoint: string) => Number(checkpoint.split('\n')[1]);
    expect(sizeOf(output.checkpoint)).toBeGreaterThan(index);
    const published = (await get(over(), '/ledger/checkpoint')).body.toString();
    // The end of a session may have been recorded in between.
    if (sizeOf(published) > sizeOf(output.checkpoint)) return;
    expect(published).toBe(output.checkpoint);
  });

  it('attests a bundle against one of its own checkpoints, and nothing else', async () => {
    const { output: signed } = (await askGateway(world.gateway.data, 'ledger.sign', {}, as)) ?? { output: { checkpoint: '' } };
    const claim = { tagManifest: '12'.repeat(32), question: { from: '2026-03-01' }, checkpoint: signed.checkpoint };
    const answer = await askGateway(world.gateway.data, 'attestation.sign', claim, as);
    const { attestation } = openAttestation(answer?.output.envelope ?? '', [parseVerifierKey(verifierKey())]);
    expect(attestation).toMatchObject({ ...claim, gateway: { version } });

    const { privateKey } = generateKeyPairSync('ed25519');
    const [text = ''] = signed.checkpoint.split('\n\n');
    const forged = signNote(`${text}\n`, [noteSigner(text.split('\n')[0] ?? '', privateKey)]);
    await expect(askGateway(world.gateway.data, 'attestation.sign', { ...claim, checkpoint: forged }, as)).rejects.toMatchObject({
      code: 'LEDGER_SIGNATURE_INVALID',
    });
  });

  it('that cannot be answered because the gateway hangs ends in time, and is told so', async () => {
    process.kill(world.gateway.pid, 'SIGSTOP');
    try {
      await expect(askGateway(world.gateway.data, 'ledger.sign', {}, { ...as, patience: 700 })).rejects.toMatchObject({
        code: 'GATEWAY_UNREACHABLE',
      });
    } finally {
      process.kill(world.gateway.pid, 'SIGCONT');
    }
    expect(await askGateway(world.gateway.data, 'ledger.sign', {}, as)).toBeDefined();
  });
});

describe('the HTTPS listener', () => {
  it('gives nothing away but what it is there for', async () => {
    const secrets = ['https.key', 'ledger.key', 'ssh_host_ed25519_key'].flatMap((name) =>
      readFileSync(keyFile(name), 'utf8')
        .split('\n')
        .filter((line) => line.length > 20 && !line.startsWith('-')),
    );
    expect(secrets.length).toBeGreaterThan(3);
    const paths = [
      '/',
      '/ledger/checkpoint',
      '/healthz',
      '/readyz',
      '/operations/ledger.sign',
      '/ledger/tile/0/000.p/1',
      '/keys/https.key',
      '/openapi.json',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'POST']) {
        const { headers, body } = await get(over(), path, method, method === 'POST' ? '{}' : undefined);
        const said = `${JSON.stringify(headers)}${body.toString('latin1')}`;
        for (const secret of secrets) expect(said).not.toContain(secret);
        expect(said).not.toContain(world.gateway.data);
        expect(said).not.toContain(world.host.loginKey.path);
      }
    }
    expect((await get(over(), '/operations/ledger.sign', 'POST', '{}')).status).toBe(404);
  });

  it('keeps its files to itself', () => {
    for (const name of readdirSync(join(world.gateway.data, 'keys')).filter((name) => !/\.(crt|pem|pub)$/.test(name)))
      expect([name, statSync(keyFile(name)).mode & 0o077]).toEqual([name, 0]);
    expect(statSync(join(world.gateway.data, 'control.sock')).mode & 0o777).toBe(0o600);
  });

  // Before the crowd, which uses up what all sources together may open in a while.
  it('makes no more than a bounded number of handshakes with one source, and goes on with the others', async () => {
    const began = performance.now();
    const secured = await Promise.all(
      Array.from({ length: 400 }, async () => {
        const tcp = connectTcp({ host: '127.0.0.1', port: world.gateway.httpsPort, localAddress: '127.0.0.9' });
        const socket = connect({ socket: tcp, ca: certificate(), servername: 'localhost' });
        const outcome = new Promise<boolean>((resolve) => {
          socket.once('secureConnect', () => resolve(true));
          socket.once('error', () => resolve(false));
          socket.once('close', () => resolve(false));
        });
        return outcome.finally(() => socket.destroy());
      }),
    );
    const through = secured.filter(Boolean).length;
    expect(through).toBeGreaterThan(100);
    // Two hundred at once, and fifty more in every second that this machine took for them.
    expect(through).toBeLessThanOrEqual(Math.floor(200 + ((performance.now() - began) / 1000) * 50));
    expect((await get(over(), '/healthz')).status).toBe(200);
  });

  it('does not let a crowd of silent connections reach SSH', { timeout: 240_000 }, async () => {
    const program = join(import.meta.dirname, '../support/silent-crowd.ts');
    const before = { ...processFacts(world.gateway.pid), held: await world.gateway.held() };
    const crowds = await Promise.all(['127.0.0.2', '127.0.0.3', '127.0.0.4'].map((source) => silentCrowd(program, source)));
    const during = { ...processFacts(world.gateway.pid), held: await world.gateway.held() };
    expect(during.openFiles - before.openFiles).toBeLessThanOrEqual(260);
    expect((await ssh(world.agent(), 'echo here', { timeoutMs: 60_000 })).stdout.toString()).toBe('here\n');
    expect((await get(over(), '/ledger/checkpoint')).status).toBe(200);
    for (const crowd of crowds) crowd.kill('SIGKILL');
    await Promise.all(crowds.map(ended));
    expect((during.held - before.held) / MiB).toBeLessThan(32);
    // OpenSSL's share is not in that.
    expect((during.resident - before.resident) / MiB).toBeLessThan(200);
  });

  it('holds no memory for a client that asks and does not read', { timeout: 240_000 }, async () => {
    await record(1);
    for (let round = 0; round < 50; round += 1) await get(over(), '/ledger/tile/entries/000');
    const before = await world.gateway.held();
    const asks = 'GET /ledger/tile/entries/000 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50_000);
    const greedy = Array.from({ length: 10 }, () => {
      const socket = connect({ host: '127.0.0.1', port: world.gateway.httpsPort, ca: certificate(), servername: 'localhost' }, () => {
        socket.pause();
        socket.write(asks);
      });
      socket.on('error', () => undefined);
      return socket;
    });
    try {
      for (let round = 0; round < 30; round += 1) expect((await get(over(), '/readyz')).status).toBe(200);
      expect(((await world.gateway.held()) - before) / MiB).toBeLessThan(32);
    } finally {
      for (const socket of greedy) socket.destroy();
    }
  });

  it('shows the certificate that it says, in its first line and to clients', async () => {
    const fingerprint = new X509Certificate(certificate()).fingerprint256;
    const socket = connect({ host: '127.0.0.1', port: world.gateway.httpsPort, ca: certificate(), servername: 'localhost' });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().fingerprint256).toBe(fingerprint);
    socket.destroy();
  });
});
