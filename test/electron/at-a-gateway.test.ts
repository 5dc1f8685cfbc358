import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Approval } from '../../contract/operator-api.ts';
import { ApprovalWatch, type WatchState } from '../../electron/watch/approval-watch.ts';
import { ask as askRenderer } from '../../renderer/app/client/ask.ts';
import { EventStream } from '../../renderer/app/client/event-stream.ts';
import { judge } from '../../renderer/app/evidence/ledger-memory.ts';
import { desktopHost } from '../../renderer/app/host/desktop-host.ts';
import { type Host, NoSigningKey } from '../../renderer/app/host/host.ts';
import { askOnSocket, makeOperators } from '../operator-api/api-client.ts';
import { startBrowser } from '../support/browser.ts';
import { sshArguments } from '../support/clients.ts';
import { clients, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts';
import { reviewerKey } from '../support/reviewer-key.ts';
import { plainEnvironment } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';
import { showBehindBridge } from './page-behind-bridge.ts';
import { openTestDesk, type TestDesk } from './test-desk.ts';

/** The page's own host, over the bridge as it is in the app but for Electron in between, to a gateway with agents at work. */

const belongings = new Belongings();
afterAll(() => belongings.release());

const ADA = 'ada@example.com';
let idp: TestProvider;
let world: World;
let test: TestDesk;
let host: Host;
let origin: string;
let fingerprint: string;

beforeAll(async () => {
  const directory = belongings.directory('desktop');
  const policy = join(directory, 'policy.cedar');
  writeFileSync(
    policy,
    `@id("in") permit(principal is Agent, action == Action::"connect", resource);
@id("asks") @approval("prod") permit(principal is Agent, action == Action::"ssh:exec", resource);
`,
    { mode: 0o644 },
  );
  idp = await startOidcProvider(belongings);
  idp.person = { sub: 'ada', email: ADA, email_verified: true };
  test = await openTestDesk(belongings);
  const { key } = await test.ask('signer.create', {});
  const { humans } = await makeOperators(directory, { 'bob@example.com': ['reviewer'] });
  world = await openWorld(belongings, {
    agents: 6,
    web: { allow: undefined },
    gateway: { https: true, env: { OIDC_SECRET: 'a secret' } },
    humans: [...humans, { name: ADA, operator: ['reviewer', 'auditor'], 'ssh-keys': [key.line] }],
    configuration: {
      policy,
      approvals: { prod: { reviewers: { names: [ADA, 'bob@example.com'] }, within: '60s' } },
      oidc: {
        issuer: idp.issuer,
        'client-id': clients.browser.id,
        'client-secret': { env: 'OIDC_SECRET' },
        'native-client-id': clients.native.id,
        redirect: 'https://bastion.test/login/callback',
      },
    },
  });
  origin = `https://127.0.0.1:${world.gateway.httpsPort}`;
  fingerprint = new X509Certificate(readFileSync(join(world.gateway.data, 'keys', 'https.crt'))).fingerprint256;
  host = await desktopHost(test.page);
});

/** An agent asks for something that a person has to approve; `ended` is what becomes of it. */
async function agentAsks(command: string) {
  const route = world.agent();
  const child = spawn('ssh', [...sshArguments(route), command], { env: plainEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  belongings.add(() => void child.kill());
  let output = '';
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString();
  });
  const ended = new Promise<{ status: number | null; output: string }>((resolve) => {
    child.on('close', (status) => resolve({ status, output }));
  });
  const approval = await until(`a request of ${route.principal}`, async () => {
    const { approvals } = await askRenderer(host.transport, 'approval.list', {});
    return approvals.find(({ request }) => request.principal === route.principal);
  });
  return { approval, ended };
}

function statementOf({ request, origin: ledger }: Approval, verdict: 'approve' | 'deny', reason = 'seen') {
  return { kind: 'approval' as const, origin: ledger, request, decision: { verdict, reviewer: ADA, reason } };
}

async function codeOf(doing: Promise<unknown>): Promise<string> {
  return doing.then(
    () => 'none',
    (thrown: unknown) => (thrown as { code?: string }).code ?? String(thrown),
  );
}

describe('getting in', () => {
  it('asks nobody before a gateway is in use', async () => {
    expect(await codeOf(host.transport.request('/api/whoami', { method: 'GET', headers: {} }))).toBe('LOGIN_REQUIRED');
    expect(await host.door.gateways()).toEqual([]);
  });

  it('shows the certificate, and trusts it when the person says so outside of the page', async () => {
    const desktop = host.door.desktop;
    if (desktop === undefined) throw new Error('there is no desktop door');
    const seen = await desktop.look(`127.0.0.1:${world.gateway.httpsPort}`);
    expect(seen).toMatchObject({ origin, fingerprint });

    test.says = () => false;
    expect(await codeOf(desktop.trust(origin, fingerprint, 'prod'))).toBe('NOT_CONFIRMED');
    test.says = () => true;
    const other = fingerprint.replace(/^../, fingerprint.startsWith('00') ? '01' : '00');
    expect(await codeOf(desktop.trust(origin, other, 'prod'))).toBe('GATEWAY_MISMATCH');
    expect(await host.door.gateways()).toEqual([]);

    await desktop.trust(origin, fingerprint, 'prod');
    expect(await host.door.gateways()).toMatchObject([{ name: 'prod', origin, fingerprint, current: true }]);
    expect(test.asked.at(-1)?.detail.replaceAll('\n', '')).toContain(fingerprint);
  });

  it('goes through the identity provider in the browser of the system', async () => {
    const entering = host.door.providerLogin('/');
    const address = await until('the browser', () => test.opened.at(-1));
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/.*code_challenge_method=S256/);
    const back = await idp.browse(address);
    expect(await (await fetch(back)).text()).toContain('Done');
    await entering;
    expect(await (await host.transport.request('/api/whoami', { method: 'GET', headers: {} })).text()).toContain(ADA);
    await host.door.logOut();
    expect((await host.transport.request('/api/whoami', { method: 'GET', headers: {} })).status).toBe(401);
  });

  it('can be given up while the browser is open', async () => {
    const entering = codeOf(host.door.providerLogin('/'));
    await until('the browser', () => test.opened.length === 2 || undefined);
    await test.ask('login.cancel', {});
    expect(await entering).toBe('LOGIN_REFUSED');
  });

  it('goes with the key of this device, and the page never sees what came of it', async () => {
    expect(await codeOf(host.door.keyLogin('bob@example.com'))).toBe('LOGIN_REFUSED');
    await host.door.keyLogin(ADA);
    const kept = readFileSync(join(test.folder, 'log-ins'));
    expect(kept.toString('latin1')).not.toContain('sp_');
    expect(JSON.stringify(test.events)).not.toContain('sp_');
  });

  it('says whose ledger it is, so that no other gateway has statements signed for it', async () => {
    const { origin: ledger } = await askRenderer(host.transport, 'whoami', {});
    const { known } = test.desk.inUse;
    // Nothing was signed here yet, and somebody else's gateway says that this ledger is its own.
    const evil = await known.trust({ origin: 'https://evil.example', fingerprint: fingerprint.replace(/^../, 'AB'), name: 'evil' });
    await expect(known.learnLedger(evil.id, ledger)).rejects.toMatchObject({ code: 'GATEWAY_MISMATCH' });
    await known.remove(evil.id);
    expect(known.current()).toMatchObject({ origin, ledger });
  });
});

describe('somebody who is logged in', () => {
  it('asks for what the gateway has', async () => {
    await expect(askRenderer(host.transport, 'gateway.status', {})).resolves.toMatchObject({ ready: true });
    const missing = await host.transport.request('/api/no-such-thing', { method: 'GET', headers: { accept: 'application/json' } });
    expect(missing.status).toBe(404);
  });

  it('proves with the tiles of the ledger, byte for byte, that it only grew', async () => {
    const { checkpoint, key, size } = await askRenderer(host.transport, 'evidence.status', {});
    const first = await judge({ checkpoint, key }, undefined, undefined, '');
    if (!('remember' in first)) throw new Error(first.words);
    // Asking to whom it has spoken is on record, so the ledger grows.
    await askRenderer(host.transport, 'audit.ask', { question: 'sessions' });
    const grown = await until('the ledger', async () => {
      const now = await askRenderer(host.transport, 'evidence.status', {});
      return now.size > size && now.checkpoint !== checkpoint ? now : undefined;
    });
    const bytes = (path: string) => host.transport.bytes?.(`/ledger/${path}`) ?? Promise.reject(new Error('no bytes'));
    expect((await bytes('tile/0/000.p/3')).length).toBe(96);
    await expect(bytes('tile/0/999')).rejects.toMatchObject({ status: 404 });
    const judged = await judge({ checkpoint: grown.checkpoint, key: grown.key }, first.remember, bytes, '');
    expect(judged.state, judged.words).toBe('consistent');
  });

  it('hears what happens, as it happens', async () => {
    const stream = new EventStream(host.transport);
    const heard: string[] = [];
    stream.onEvent((event) => heard.push(event.event));
    stream.start();
    await until('the stream', () => stream.state === 'up' || undefined);
    const { approval, ended } = await agentAsks('echo heard');
    await until('the event', () => heard.includes('approval.asked') || undefined);
    stream.stop();
    const { signature, key } = await host.signer.sign(statementOf(approval, 'deny'));
    await decide(approval, 'deny', key, signature);
    expect((await ended).status).not.toBe(0);
  });

  it('approves with the key of this device, and the gateway takes it', async () => {
    const { approval, ended } = await agentAsks('echo approved from a desktop');
    const asked = test.asked.length;
    const { signature, key } = await host.signer.sign(statementOf(approval, 'approve'));
    expect(test.asked.slice(asked)).toMatchObject([
      { title: 'Approve ssh:exec on web?', detail: expect.stringContaining('echo approved from a desktop') },
    ]);
    await decide(approval, 'approve', key, signature);
    expect(await ended).toEqual({ status: 0, output: 'approved from a desktop\n' });
  });

  it('is told in the tray and by a notification what waits, with no page open', async () => {
    const arrived: string[] = [];
    const states: WatchState['state'][] = [];
    const watch = new ApprovalWatch(test.desk.inUse, {
      changed: ({ state }) => void states.push(state),
      arrived: ({ request }) => void arrived.push(request.principal),
      log: () => undefined,
    });
    belongings.add(() => watch.stop());
    test.desk.onGateway(() => watch.follow());
    watch.follow();
    await until('the watch', () => watch.state.state === 'up' || undefined);
    expect(arrived).toEqual([]);

    const { approval, ended } = await agentAsks('true');
    await until('the notice', () => arrived.length === 1 || undefined);
    expect(watch.state.waiting.map(({ request }) => request.id)).toEqual([approval.request.id]);
    const { signature, key } = await host.signer.sign(statementOf(approval, 'deny'));
    await decide(approval, 'deny', key, signature);
    await until('it to be over', () => watch.state.waiting.length === 0 || undefined);
    await ended;
    await host.door.logOut();
    expect(watch.state.state).toBe('logged-out');
    await host.door.keyLogin(ADA);
    await until('the watch', () => watch.state.state === 'up' || undefined);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });
});

describe('somebody new at this device', () => {
  const BOB = 'bob@example.com';

  it('gets in with a link, once, and registers the key that the device makes for them', async () => {
    const bobs = await openTestDesk(belongings);
    const here = await desktopHost(bobs.page);
    await here.door.desktop?.trust(origin, fingerprint, 'prod');
    const { body } = await askOnSocket(world.gateway, 'login.link', { operator: BOB });
    const code = String(body.code);

    expect(await codeOf(here.door.codeLogin(`https://bastion.example.com/#code=${code}`))).toBe('LOGIN_REFUSED');
    expect(await codeOf(here.door.codeLogin('not a code'))).toBe('LOGIN_REFUSED');
    await here.door.codeLogin(` ${origin}/#code=${code} `);
    expect(await codeOf(here.door.codeLogin(code))).toBe('LOGIN_REFUSED');

    await expect(here.signer.sign({ kind: 'key', origin: 'x', operator: BOB, key: 'x', login: 'x' })).rejects.toMatchObject({
      code: 'GATEWAY_MISMATCH',
    });
    const { line } = await here.signer.create();
    const who = await askRenderer(here.transport, 'whoami', {});
    const proof = { kind: 'key' as const, origin: who.origin, operator: BOB, key: line, login: who.login };
    expect(await codeOf(here.signer.sign({ ...proof, login: 'another' }))).toBe('REQUEST_INVALID');
    const { signature } = await here.signer.sign(proof);
    expect(bobs.asked.at(-1)?.title).toBe(`Register the key of this device for ${BOB}?`);
    await askRenderer(here.transport, 'key.add', { key: line, label: 'this device', signature });
    expect((await askRenderer(here.transport, 'whoami', {})).keys).toContain(line);
  });

  it('is told that there is no key, where there is none', async () => {
    const fresh = await openTestDesk(belongings);
    const here = await desktopHost(fresh.page);
    await here.door.desktop?.trust(origin, fingerprint, 'prod');
    const { body } = await askOnSocket(world.gateway, 'login.link', { operator: BOB });
    await here.door.codeLogin(String(body.code));
    const { origin: ledger } = await askRenderer(here.transport, 'whoami', {});
    const review = { session: 'x', subject: '0'.repeat(64), verdict: 'fine' as const, reviewer: BOB, reason: '' };
    await expect(here.signer.sign({ kind: 'review', origin: ledger, review })).rejects.toBeInstanceOf(NoSigningKey);
  });
});

describe('a page that was taken over', () => {
  it('gets nothing signed but what the gateway asks the person themselves', async () => {
    const { approval, ended } = await agentAsks('echo once');
    const good = statementOf(approval, 'approve');
    const sign = (statement: typeof good) => codeOf(host.signer.sign(statement));
    const asked = test.asked.length;

    expect(await sign({ ...good, origin: 'other.example/log' })).toBe('GATEWAY_MISMATCH');
    expect(await sign({ ...good, decision: { ...good.decision, reviewer: 'bob@example.com' } })).toBe('REQUEST_INVALID');
    expect(await sign({ ...good, request: { ...good.request, facts: { ...good.request.facts, command: 'rm -rf /' } } })).toBe('CONFLICT');
    expect(await sign({ ...good, request: { ...good.request, facts: { share: 0.5 } } })).toBe('CONFLICT');
    expect(await sign({ ...good, request: { ...good.request, id: good.request.session } })).toBe('APPROVAL_NOT_FOUND');
    const key = (await host.signer.key())?.line ?? '';
    expect(await codeOf(host.signer.sign({ kind: 'key', origin: good.origin, operator: ADA, key: `${key}A`, login: 'x' }))).toBe(
      'REQUEST_INVALID',
    );
    expect(await codeOf(host.signer.sign({ kind: 'key', origin: good.origin, operator: 'bob@example.com', key, login: 'x' }))).toBe(
      'REQUEST_INVALID',
    );
    expect(test.asked).toHaveLength(asked);

    test.says = () => false;
    expect(await sign(good)).toBe('NOT_CONFIRMED');
    test.says = () => true;
    const { signature } = await host.signer.sign(statementOf(approval, 'deny'));
    await decide(approval, 'deny', key, signature);
    await ended;
  });

  it('has no log-in signed, and logs nobody in or out by itself', async () => {
    await expect(host.signer.sign({ kind: 'login', challenge: '{}' })).rejects.toThrow(TypeError);
    expect(await test.refusal('signer.sign', { statement: { kind: 'login', challenge: '{}' } } as never)).toBe('REQUEST_INVALID');
    for (const path of [
      '/api/login/challenge',
      '/api/login/ssh',
      '/api/login/links',
      '/api/logout',
      '/api/%6cogin/ssh',
      '/api/x/../logout',
      '/api//logout',
    ])
      expect([path, await codeOf(host.transport.request(path, { method: 'POST', headers: {}, body: '{}' }))]).toEqual([
        path,
        'REQUEST_INVALID',
      ]);
  });

  it('registers no key but the one of this device', async () => {
    const { line } = reviewerKey();
    for (const path of ['/api/keys', '/api/%6beys', '/api/keys?x=1', '/api/keys/'])
      for (const body of [JSON.stringify({ key: line, label: 'x', signature: 'x' }), 'no JSON', ''])
        expect([path, await codeOf(host.transport.request(path, { method: 'POST', headers: {}, body }))]).toEqual([
          path,
          'REQUEST_INVALID',
        ]);
  });

  it('signs nothing off by itself', async () => {
    const { origin: ledger } = await askRenderer(host.transport, 'whoami', {});
    const review = { session: 'x', subject: '0'.repeat(64), verdict: 'fine' as const, reviewer: ADA, reason: 'as\u202Eif' };
    test.says = () => false;
    expect(await codeOf(host.signer.sign({ kind: 'review', origin: ledger, review }))).toBe('NOT_CONFIRMED');
    expect(test.asked.at(-1)?.detail).toContain('as\\u{202e}if');
    test.says = () => true;
    expect(await codeOf(host.signer.sign({ kind: 'review', origin: ledger, review: { ...review, reviewer: 'bob@example.com' } }))).toBe(
      'REQUEST_INVALID',
    );
  });

  it('does not weaken the app without the person', async () => {
    test.says = () => false;
    expect(await test.ask('settings.set', { confirmSignatures: false, allowUnprotectedKeys: true, theme: 'dark' })).toMatchObject({
      confirmSignatures: true,
      allowUnprotectedKeys: false,
    });
    expect(await test.ask('signer.forget', {})).toEqual({ forgotten: false });
    test.says = () => true;
  });
});

describe('the page itself, as it is in the app but for Electron', () => {
  it('shows what runs and what waits over the bridge alone, under its policy', async () => {
    const browser = await startBrowser(belongings);
    const { approval, ended } = await agentAsks('echo seen in the app');
    const { page, faults, strays } = await showBehindBridge(browser, test.page, '/sessions');
    await page.getByText(approval.request.principal).first().waitFor();
    test.desk.openRoute('/approvals');
    await page.getByText('echo seen in the app').first().waitFor();
    const { signature, key } = await host.signer.sign(statementOf(approval, 'deny'));
    await decide(approval, 'deny', key, signature);
    await ended;
    expect([faults, strays]).toEqual([[], []]);
  });

  it('shows how to begin to somebody who has no gateway yet', async () => {
    const browser = await startBrowser(belongings);
    const fresh = await openTestDesk(belongings);
    const { page, faults, strays } = await showBehindBridge(browser, fresh.page);
    await page.getByRole('textbox', { name: /address/i }).waitFor();
    expect([faults, strays]).toEqual([[], []]);
  });
});

async function decide({ request }: Approval, verdict: 'approve' | 'deny', key: string, signature: string): Promise<void> {
  const input = { approval: request.id, digest: request.digest, verdict, reason: 'seen', key, signature };
  await askRenderer(host.transport, 'approval.decide', input);
}
