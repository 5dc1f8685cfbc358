import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askOnSocket, makeOperators } from '../operator-api/api-client.ts';
import { startBrowser } from '../support/browser.ts';
import { ssh, sshArguments } from '../support/clients.ts';
import { accessibilityFaults, logInCode, type OpenConsole, openConsole } from '../support/console.ts';
import { DrivenTerminal } from '../support/driven-terminal.ts';
import { type Configuration, type Gateway, sallyport, startGateway } from '../support/gateway.ts';
import { makeManySessions } from '../support/many-sessions.ts';
import { clients, startOidcProvider } from '../support/oidc-provider.ts';
import { endedSessions } from '../support/recordings.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World, webTarget } from '../support/world.ts';

/** What happens to whoever looks: there is nothing yet, there is very much, they may not any more, the gateway is gone. */

const REVIEWER = 'reviewer@example.com';
const SECOND = 'second-reviewer@example.com';
const AUDITOR = 'auditor@example.com';
const ADMINS = ['admin-1@example.com', 'admin-2@example.com'] as const;
const LONG_TARGET = 'a-target-with-quite-a-long-name-of-its-own-in-eu-central-1';
const MANY = 3000;
const belongings = new Belongings();

let browser: Browser;
let world: World;
let operators: Awaited<ReturnType<typeof makeOperators>>;
const opened: OpenConsole[] = [];
/** A command, and one with a name, a target and words that are too long for any place. */
let plain: string;
let long: string;

beforeAll(async () => {
  const directory = belongings.directory('circumstances');
  const data = join(directory, 'data');
  const policy = join(directory, 'policy.cedar');
  writeFileSync(
    policy,
    `@id("in") permit(principal is Agent, action == Action::"connect", resource);
@id("shell") permit(principal is Agent, action == Action::"ssh:shell", resource);
@id("exec") permit(principal is Agent, action == Action::"ssh:exec", resource) when { !context.opaque && context.program != "touch" };
@id("asks") @approval("prod") permit(principal is Agent, action == Action::"ssh:exec", resource) when { !context.opaque && context.program == "touch" };
`,
  );
  chmodSync(policy, 0o644);
  [browser, operators] = await Promise.all([
    startBrowser(belongings),
    makeOperators(directory, {
      [REVIEWER]: ['reviewer'],
      [SECOND]: ['reviewer'],
      [AUDITOR]: ['auditor'],
      [ADMINS[0]]: ['admin'],
      [ADMINS[1]]: ['admin'],
    }),
    makeManySessions(data, MANY),
  ]);
  world = await openWorld(belongings, {
    agents: 12,
    web: { allow: undefined, tags: { env: 'prod' } },
    targets: (host) => [
      { ...webTarget(host, LONG_TARGET), allow: undefined, tags: { env: 'staging', team: 'platform-engineering', tier: 'gold' } },
    ],
    humans: operators.humans,
    configuration: {
      gateway: { name: 'gateway-1' },
      policy,
      approvals: { prod: { reviewers: { names: [REVIEWER, SECOND] }, within: '1h' } },
    },
    gateway: { https: true, data },
  });
  [plain, long] = await Promise.all([execute('echo plainly'), execute(`echo ${'a-very-long-argument '.repeat(60)}`, LONG_TARGET)]);
}, 90_000);
afterAll(() => belongings.release());
afterEach(async () => {
  const faults = opened.flatMap((each) => each.faults());
  for (const { close } of opened.splice(0)) await close();
  expect(faults).toEqual([]);
});

async function execute(command: string, target = 'web'): Promise<string> {
  const route = world.agent(target);
  await ssh(route, command);
  // Of the many that are there already some are of a principal of this name.
  const row = (await endedSessions(world.gateway.data, route.principal)).find((each) => each.target === target);
  if (row === undefined) throw new Error('there was no session');
  return row.id;
}

async function show(route: string, operator?: string, options: Parameters<typeof openConsole>[2] = {}, gateway?: Gateway): Promise<Page> {
  const who = operator === undefined ? {} : { operator };
  const console = await openConsole(browser, gateway ?? world.gateway, { ...who, route, ...options });
  opened.push(console);
  console.page.setDefaultTimeout(15_000);
  return console.page;
}

/** Within the app, as somebody who clicks through it. */
const places = ['Live', 'Approvals', 'Sessions', 'Search', 'Evidence', 'Settings'] as const;
const go = (page: Page, place: (typeof places)[number]) =>
  page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: place }).click();

/** A shell that goes on, and what asks for somebody; both are over with the test. */
async function running(): Promise<{ principal: string; terminal: DrivenTerminal; session: string }> {
  const route = world.agent();
  const terminal = new DrivenTerminal('ssh', sshArguments(route, ['-tt']), 80, 24);
  belongings.add(() => terminal.kill());
  await terminal.shows(/[#$]$/m);
  const { body } = await askOnSocket(world.gateway, 'session.list', { principal: route.principal });
  const [session] = body.sessions as { id: string }[];
  return { principal: route.principal, terminal, session: session?.id ?? '' };
}

function asking(): { principal: string; over: Promise<unknown> } {
  const route = world.agent();
  return { principal: route.principal, over: ssh(route, 'touch /tmp/nothing-of-this') };
}

/** Changes the configuration of the gateway that runs, which takes it up. */
function reconfigure(change: (configuration: Configuration) => Configuration): void {
  const file = world.gateway.config;
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Configuration)));
  process.kill(world.gateway.pid, 'SIGHUP');
}

function withRoles(operator: string, roles: readonly string[]) {
  return (configuration: Configuration): Configuration => ({
    ...configuration,
    humans: (configuration.humans as { name: string }[]).map((human) =>
      human.name === operator ? { ...human, operator: roles.length === 0 ? undefined : roles } : human,
    ),
  });
}

describe('an empty gateway', () => {
  let empty: Gateway;
  let person: Awaited<ReturnType<typeof startOidcProvider>>;

  beforeAll(async () => {
    const redirects: string[] = [];
    person = await startOidcProvider(belongings, { redirects });
    empty = await startGateway(belongings, {
      https: true,
      configuration: {
        humans: operators.humans,
        oidc: { issuer: person.issuer, 'client-id': clients.public.id, unlisted: true },
      },
    });
    redirects.push(`https://127.0.0.1:${empty.httpsPort}/login/callback`);
    await person.rotate();
  });

  it('says in every place what will be there and how it comes about', async () => {
    const page = await show('/', AUDITOR, { size: { width: 1000, height: 700 } }, empty);
    await page.getByText('Nothing is recorded yet').waitFor();
    for (const [place, words] of [
      ['Live', 'Nothing runs at the moment'],
      ['Approvals', 'Nothing waits for a person'],
      ['Sessions', 'Nothing is recorded yet'],
      ['Search', 'Find what stood on a screen'],
      ['Evidence', 'Nothing was verified since the gateway started'],
      ['Settings', 'Signing keys'],
    ] as const) {
      await go(page, place);
      await page.getByText(words).first().waitFor();
      await expect.poll(() => page.title()).toBe(`${place} · Sallyport`);
      expect(await accessibilityFaults(page), place).toEqual([]);
    }
    // All of the settings are there to be scrolled to, also where the window is narrow.
    await page.getByRole('heading', { name: 'Look' }).scrollIntoViewIfNeeded();
    expect(await isWithin(page, page.getByRole('heading', { name: 'Look' }))).toBe(true);
    await page.goto(page.url().replace('/settings', '/somewhere'));
    await page.getByText('There is nothing at this address').waitFor();
  });

  it('lets in whoever its provider knows, and tells somebody without a role what they lack in every place', async () => {
    person.person = { sub: 'visitor', email: 'visitor@example.com', email_verified: true };
    const page = await show('/live', undefined, {}, empty);
    await page.getByRole('button', { name: /Log in with/ }).click();
    await page.waitForURL(/\/live/);
    for (const place of places) {
      await go(page, place);
      if (place === 'Settings') await page.getByText('none: you may look at nothing here').waitFor();
      else await page.getByText('You have no role at this gateway').waitFor();
    }
    await go(page, 'Live');
    expect(await accessibilityFaults(page)).toEqual([]);
  });
});

/** Whether all of it can be seen. */
async function isWithin(page: Page, what: ReturnType<Page['locator']>): Promise<boolean> {
  const box = await what.boundingBox();
  const size = page.viewportSize();
  if (box === null || size === null) return false;
  return box.x >= 0 && box.y >= 0 && box.x + box.width <= size.width && box.y + box.height <= size.height;
}

describe('very many sessions', () => {
  it('are gone through from end to end, and one comes back to where one was', async () => {
    const page = await show('/sessions?q=protocol:ssh', AUDITOR);
    await page.getByText(/^3,00\d sessions$/).waitFor();
    await page.keyboard.press('End');
    const rows = page.getByRole('grid', { name: 'Sessions' }).getByRole('row');
    await rows
      .getByText(/^agent-0$/)
      .last()
      .waitFor();
    await page.keyboard.press('PageUp');
    const current = await page.locator('[data-current]').getAttribute('id');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/session\//);
    await expect.poll(() => page.title()).toMatch(/^Replay of a session of agent-\d+ at web-\d+ · Sallyport$/);
    await page.goBack();
    await expect.poll(() => page.locator('[data-current]').getAttribute('id')).toBe(current);
    expect(page.url()).toContain('q=protocol:ssh');
    await page.goForward();
    await page.waitForURL(/\/session\//);
  });
});

describe('whoever may not any more', () => {
  it('loses the buttons of a role with the role, where they stand, and has them again with it', async () => {
    const { session } = await running();
    const { principal } = asking();
    const [approvals, live] = await Promise.all([show('/approvals', REVIEWER), show(`/live/${session}`, REVIEWER)]);
    const card = approvals.getByRole('article', { name: `${principal} on web`, exact: true });
    await card.getByRole('button', { name: /^Approve/ }).waitFor();
    await live.getByRole('button', { name: /^Terminate/ }).waitFor();
    reconfigure(withRoles(REVIEWER, ['auditor']));
    await card.getByText(/the role reviewer is not among yours/).waitFor();
    await live.getByText('You may watch.').waitFor();
    expect(await card.getByRole('button', { name: /^Approve/ }).count()).toBe(0);
    expect(await live.getByRole('button', { name: /^Terminate/ }).count()).toBe(0);
    reconfigure(withRoles(REVIEWER, ['reviewer']));
    await card.getByRole('button', { name: /^Approve/ }).waitFor();
    await live.getByRole('button', { name: /^Terminate/ }).waitFor();
  });

  it('is asked to log in when nothing is left to them', async () => {
    const page = await show(`/session/${plain}`, AUDITOR, { expectedStatuses: [401] });
    await page.getByRole('list', { name: 'Transcript' }).getByText('echo plainly').waitFor();
    reconfigure(withRoles(AUDITOR, []));
    await page.getByRole('heading', { name: 'Log in again' }).waitFor();
    await page.getByText(`The log-in of ${AUDITOR} was ended`).waitFor();
    await expect.poll(() => page.title()).toBe('Log in again · Sallyport');
    reconfigure(withRoles(AUDITOR, ['auditor']));
    await expect.poll(() => logInCode(world.gateway, AUDITOR).catch(() => '')).not.toBe('');
    await page.getByRole('textbox', { name: /Code/ }).fill(await logInCode(world.gateway, AUDITOR));
    await page.keyboard.press('Enter');
    await page.getByRole('list', { name: 'Transcript' }).getByText('echo plainly').waitFor();
  });

  it('and never might, is offered nothing that would be refused', async () => {
    const { session } = await running();
    asking();
    const page = await show('/live', AUDITOR);
    await page.getByRole('navigation', { name: 'Places' }).waitFor();
    const refused: string[] = [];
    page.on('response', (response) => response.status() === 403 && refused.push(response.url()));
    const never = /^(Approve|Deny|Justified|Object|Message|Pause|Step|Terminate|Lock|Unlock)\b/;
    for (const [route, words] of [
      ['/live', 'You may watch.'],
      [`/live/${session}`, 'You may watch.'],
      ['/approvals', 'the role reviewer is not among yours'],
      ['/sessions', /^3,0\d\d sessions$/],
      [`/session/${plain}`, 'echo plainly'],
      ['/search?q=plainly', 'plainly'],
      ['/evidence', 'Answered from the records'],
      ['/settings', 'Signing keys'],
    ] as const) {
      await page.goto(new URL(route, page.url()).href);
      await page.getByRole('main').getByText(words).first().waitFor();
      expect(await page.getByRole('button', { name: never }).count(), route).toBe(0);
    }
    await page.goto(new URL('/live', page.url()).href);
    await page.getByRole('button', { name: 'Locked principals…' }).click();
    await page.getByRole('dialog').getByText('Nobody is locked.').waitFor();
    expect(await page.getByRole('dialog').getByRole('textbox').count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(refused).toEqual([]);
  });
});

describe('what is long', () => {
  it('is cut where it ends, beside others and never over them, however wide the window is', async () => {
    const page = await show(`/session/${long}`, AUDITOR);
    const widths = async (): Promise<void> => {
      for (const width of [1000, 1360, 1920]) {
        await page.setViewportSize({ width, height: 720 });
        await expect.poll(() => overlaps(page), { message: String(width) }).toEqual([]);
      }
    };
    await page.getByRole('list', { name: 'Transcript' }).getByText('a-very-long-argument').first().waitFor();
    await widths();
    await go(page, 'Sessions');
    await page.getByRole('grid', { name: 'Sessions' }).getByText(LONG_TARGET).waitFor();
    await widths();
  });
});

/** Words that are drawn over other words, and what sticks out of the window. */
function overlaps(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const seen: { text: string; box: DOMRect }[] = [];
    const walker = document.createTreeWalker(document.querySelector('main') ?? document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      if (element === null || (node.textContent ?? '').trim() === '' || element.closest('.heard, .terminal, [role=list], svg') !== null)
        continue;
      if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const text = (node.textContent ?? '').slice(0, 40);
      for (const line of range.getClientRects()) seen.push({ text, box: shown(line, element) });
    }
    // What an ancestor cuts off is not drawn.
    function shown(line: DOMRect, element: Element): DOMRect {
      let box = line;
      for (let around: Element | null = element; around !== null; around = around.parentElement) {
        if (getComputedStyle(around).overflowX === 'visible') continue;
        const limit = around.getBoundingClientRect();
        const [left, right] = [Math.max(box.left, limit.left), Math.min(box.right, limit.right)];
        const [top, bottom] = [Math.max(box.top, limit.top), Math.min(box.bottom, limit.bottom)];
        box = new DOMRect(left, top, Math.max(0, right - left), Math.max(0, bottom - top));
      }
      return box;
    }
    const faults = seen.filter(({ box }) => box.right > window.innerWidth + 1).map(({ text }) => `sticks out: ${text}`);
    for (const [at, one] of seen.entries())
      for (const other of seen.slice(at + 1)) {
        const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (wide > 2 && high > 6 && one.text !== other.text) faults.push(`“${one.text}” over “${other.text}”`);
      }
    return faults;
  });
}

describe('what is taken away while somebody looks', () => {
  it('is a target of the configuration: its sessions stay, without its tags', async () => {
    const page = await show(`/session/${long}`, AUDITOR);
    await page.getByText('staging', { exact: true }).waitFor();
    reconfigure((configuration) => ({
      ...configuration,
      targets: (configuration.targets as { name: string }[]).filter(({ name }) => name !== LONG_TARGET),
    }));
    await page.getByText('staging', { exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('list', { name: 'Transcript' }).getByText('a-very-long-argument').first().waitFor();
    await go(page, 'Sessions');
    await page.getByRole('grid', { name: 'Sessions' }).getByText(LONG_TARGET).waitFor();
  });

  it('is a session that is erased: what is left of it is said', async () => {
    const session = await execute('echo to be forgotten');
    const page = await show(`/session/${session}`, AUDITOR, { expectedStatuses: [404, 410] });
    await page.getByRole('list', { name: 'Transcript' }).getByText('echo to be forgotten').waitFor();
    await erase(session);
    await page.getByRole('tab', { name: 'Evidence' }).click();
    await page.getByRole('button', { name: 'Verify now' }).click();
    await page.reload();
    await page.getByText('This session is erased').waitFor();
    expect(await page.getByRole('button', { name: /Export|Sign off/ }).count()).toBe(0);
    expect(await accessibilityFaults(page)).toEqual([]);
  });
});

async function erase(session: string): Promise<void> {
  const file = join(belongings.directory('erasure'), 'request.json');
  const prepared = await sallyport(['erase', 'prepare', session, '--basis', 'a test', '--output', file, '--data', world.gateway.data]);
  expect(prepared.stderr).toBe('');
  const signatures = [];
  for (const admin of ADMINS) {
    await run('ssh-keygen', ['-q', '-Y', 'sign', '-f', operators.keyOf(admin).path, '-n', 'sallyport-erase', file]);
    signatures.push({ key: operators.keyOf(admin).publicLine, signature: readFileSync(`${file}.sig`, 'utf8') });
    renameSync(`${file}.sig`, `${file}.${admin}`);
  }
  const answer = await askOnSocket(world.gateway, 'erase.run', { document: readFileSync(file, 'utf8'), signatures });
  expect(answer.body).toMatchObject({ sessions: 1 });
}

describe('a gateway that is lost', () => {
  it('in the middle of a replay, of watching and of a decision, says so in each of them and takes nothing away', async () => {
    const { session } = await running();
    const { principal } = asking();
    const options = { expectedStatuses: [0, 401, 502, 503] };
    const [replay, live, approvals] = await Promise.all([
      show(`/session/${plain}`, AUDITOR, options),
      show(`/live/${session}`, REVIEWER, options),
      show('/approvals', REVIEWER, options),
    ]);
    await replay.getByRole('list', { name: 'Transcript' }).getByText('echo plainly').waitFor();
    await live.getByRole('group', { name: 'Screen of the session as it is now' }).waitFor();
    const card = approvals.getByRole('article', { name: `${principal} on web`, exact: true });
    await card.waitFor();
    await world.gateway.kill();
    for (const page of [replay, live, approvals]) await page.getByText('Not connected: what you see may be old').waitFor();
    await live.getByText('What you see is how it stood then').waitFor();
    await replay.keyboard.press('End');
    await replay.locator('.terminal').getByText('plainly').waitFor();
    await card.getByText(/nothing can be decided until the gateway is back/).waitFor();
    expect(await card.getByRole('button', { name: /^Approve/ }).isEnabled()).toBe(false);
    expect(await accessibilityFaults(approvals)).toEqual([]);
    await world.gateway.start();
    for (const page of [replay, live, approvals]) await page.getByRole('heading', { name: 'Log in again' }).waitFor();
    await live.getByRole('textbox', { name: /Code/ }).fill(await logInCode(world.gateway, REVIEWER));
    await live.keyboard.press('Enter');
    // The sessions went with the gateway; what became of this one is said, and where it can be seen.
    await live
      .getByText(/This session is over|Ended/)
      .first()
      .waitFor();
  });
});
