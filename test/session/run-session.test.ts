import ssh2 from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { SallyportError } from '../../gateway/base/errors.ts';
import { rawServer, shellTarget, sshTarget, type TestGateway, type TestGatewayOptions, testGateway } from '../protocol/ssh/support.ts';
import { MemoryLedger } from '../recording/support.ts';
import { Belongings } from '../support/temp.ts';

let belongings = new Belongings();
afterEach(async () => {
  await belongings.release();
  belongings = new Belongings();
});

/** What a person sees: runs `true` and gives the error output, the status and the end of the connection. */
function visit(gateway: TestGateway, username: string): Promise<{ stderr: string; status: number | undefined; error: string | undefined }> {
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    let stderr = '';
    let status: number | undefined;
    let error: string | undefined;
    client.on('ready', () => {
      client.exec('true', (failure, channel) => {
        if (failure) {
          error = failure.message;
          client.end();
          return;
        }
        channel.stderr.on('data', (bytes: Buffer) => {
          stderr += bytes.toString();
        });
        channel.on('data', () => undefined);
        channel.on('exit', (code: number) => {
          status = code;
        });
        channel.on('close', () => client.end());
      });
    });
    client.on('error', (failure) => {
      error = failure.message;
    });
    client.on('close', () => resolve({ stderr, status, error }));
    client.connect({ host: gateway.host, port: gateway.port, username, privateKey: gateway.key });
  });
}

async function shellGateway(options: Partial<TestGatewayOptions> = {}): Promise<TestGateway> {
  return testGateway(belongings, { targets: [shellTarget()], ...options });
}

describe('a session', () => {
  it('is opened, closed and counted', async () => {
    const gateway = await shellGateway();
    expect(await visit(gateway, 'sh')).toMatchObject({ status: 0, stderr: '' });
    await gateway.parts.live.drain();
    const types = gateway.ledger.stored.map(({ record }) => record.type);
    expect(types[0]).toBe('session.open');
    expect(types.at(-1)).toBe('session.close');
    expect(gateway.ledger.of('action.finished')).toHaveLength(1);
    expect(gateway.parts.live.size).toBe(0);
  });

  it('with a target that does not exist is refused, with a record and the list of those that do', async () => {
    const gateway = await shellGateway();
    const seen = await visit(gateway, 'nowhere');
    expect(seen).toMatchObject({ status: 255, stderr: expect.stringContaining('you may reach: sh') });
    expect(gateway.ledger.of('session.refused')[0]?.body).toMatchObject({ code: 'TARGET_UNKNOWN', requested: 'nowhere' });
  });

  it('beyond the number that one may have is refused, with a record', async () => {
    const gateway = await shellGateway({ limits: { sessionsPerPrincipal: 0 } });
    expect((await visit(gateway, 'sh')).stderr).toContain('already has 0 sessions');
    expect(gateway.ledger.of('session.refused')[0]?.body.code).toBe('TOO_MANY_SESSIONS');
  });

  it('is none when the ledger fails: the client is told, the target hears nothing', async () => {
    const ledger = new MemoryLedger();
    ledger.refusing = true;
    const server = await rawServer(belongings);
    const gateway = await testGateway(belongings, { targets: [sshTarget(server)], ledger });
    const seen = await visit(gateway, 'web');
    expect(seen).toMatchObject({ status: 255, stderr: expect.stringContaining('could not be made durable') });
    await gateway.parts.live.drain();
    ledger.refusing = false;
    expect(ledger.stored).toEqual([]);
  });

  it('whose recording cannot be opened has no channel, and the client is told why', async () => {
    const gateway = await shellGateway({
      failRecording: () => new SallyportError('RECORDING_UNAVAILABLE', 'the journal cannot be opened'),
    });
    expect((await visit(gateway, 'sh')).error).toContain('the journal cannot be opened');
    await gateway.parts.live.drain();
    expect(gateway.ledger.of('channel.open')).toEqual([]);
  });

  it('with a target that cannot be reached is closed with the reason, and leaves', async () => {
    const server = await rawServer(belongings, { password: 'another' });
    const gateway = await testGateway(belongings, { targets: [sshTarget(server)] });
    expect(await visit(gateway, 'web')).toMatchObject({ status: 255, stderr: expect.stringContaining('refused the gateway') });
    await gateway.parts.live.drain();
    expect(gateway.ledger.of('session.close')[0]?.body.code).toBe('TARGET_LOGIN_REFUSED');
  });

  it('that is ended before it is relayed ends all the same', async () => {
    const gateway = await shellGateway();
    const enter = gateway.parts.live.enter.bind(gateway.parts.live);
    gateway.parts.live.enter = (session) => {
      enter(session);
      session.end(new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down'));
    };
    await visit(gateway, 'sh');
    await gateway.parts.live.drain();
    expect(gateway.ledger.of('session.close')[0]?.body.code).toBe('GATEWAY_DRAINING');
  });

  it('does not begin while the ledger has not been signed for too long, and the client is told', async () => {
    const gateway = await shellGateway();
    gateway.ledger.trouble = new SallyportError('LEDGER_BEHIND', 'the ledger has not been signed for 31 seconds');
    expect((await visit(gateway, 'sh')).stderr).toContain('not been signed for 31 seconds');
    expect(gateway.ledger.of('session.refused')[0]?.body.code).toBe('LEDGER_BEHIND');
    expect(gateway.ledger.of('session.open')).toEqual([]);
    gateway.ledger.trouble = undefined;
    expect(await visit(gateway, 'sh')).toMatchObject({ status: 0 });
  });

  it('is over when its end is signed, and not before', async () => {
    const gateway = await shellGateway();
    let asked = 0;
    const sign = gateway.ledger.signed.bind(gateway.ledger);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      gateway.ledger.signed = async () => {
        asked = gateway.ledger.of('session.close').length;
        resolve();
        await held;
        return sign();
      };
    });
    await visit(gateway, 'sh');
    let over = false;
    const drained = gateway.parts.live.drain().then(() => {
      over = true;
    });
    await begun;
    expect({ asked, over }).toEqual({ asked: 1, over: false });
    release();
    await drained;
  });

  it('is over also when its end cannot be signed now', async () => {
    const gateway = await shellGateway();
    gateway.ledger.signed = () => Promise.reject(new SallyportError('LEDGER_BEHIND', 'the ledger could not be signed'));
    await visit(gateway, 'sh');
    await gateway.parts.live.drain();
    expect(gateway.ledger.of('session.close')).toHaveLength(1);
  });
});
