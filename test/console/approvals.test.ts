import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeOperators } from '../operator-api/api-client.ts';
import { startBrowser } from '../support/browser.ts';
import { ssh } from '../support/clients.ts';
import { accessibilityFaults, type OpenConsole, openConsole } from '../support/console.ts';
import type { Finished } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';

/** Consent from both ends: OpenSSH waits, and reviewers decide in real browsers with keys of their own. */

const ALICE = 'alice@example.com';
const BOB = 'bob@example.com';
const ENGINEER = 'engineer@example.com';
const AUDITOR = 'auditor@example.com';
const belongings = new Belongings();

let world: World;
let browser: Browser;
/** Reviewers who have a signing key in their browser stay there; others come and go. */
const reviewers = new Map<string, OpenConsole>();
const visitors: OpenConsole[] = [];

beforeAll(async () => {
  const directory = belongings.directory('approvals');
  const operators = await makeOperators(directory, {
    [ALICE]: ['reviewer'],
    [BOB]: ['reviewer'],
    [ENGINEER]: ['reviewer'],
    [AUDITOR]: ['auditor'],
  });
  const policy = join(directory, 'policy.cedar');
  const asks = (program: string, rule: string) =>
    `@id("${program}-asks") @approval("${rule}") permit(principal is Agent, action == Action::"ssh:exec", resource) when { !context.opaque && context.program == "${program}" };`;
  writeFileSync(
    policy,
    `@id("in") permit(principal is Agent, action == Action::"connect", resource);
${asks('echo', 'prod')}
${asks('printf', 'two')}
${asks('true', 'quick')}
${asks('rmdir', 'emergency')}
@id("opaque-asks") @approval("prod") permit(principal is Agent, action == Action::"ssh:exec", resource) when { context.opaque };
`,
  );
  chmodSync(policy, 0o644);
  const rule = { reviewers: { names: [ALICE, BOB, ENGINEER] }, within: '10m' };
  [browser, world] = await Promise.all([
    startBrowser(belongings),
    openWorld(belongings, {
      agents: 20,
      web: { allow: undefined, tags: { env: 'production' } },
      humans: operators.humans.filter(({ name }) => name !== ENGINEER),
      engineer: operators.humans.find(({ name }) => name === ENGINEER) ?? {},
      configuration: {
        policy,
        approvals: {
          prod: { ...rule, reason: 'required' },
          two: { ...rule, needed: 2 },
          quick: { ...rule, within: '5s' },
          emergency: { ...rule, 'break-glass': true },
        },
      },
      gateway: { https: true },
    }),
  ]);
  await Promise.all([ALICE, BOB].map(settle));
});
afterAll(() => belongings.release());
afterEach(async () => {
  for (const { faults } of [...reviewers.values(), ...visitors]) expect(faults()).toEqual([]);
  for (const { close } of visitors.splice(0)) await close();
});

async function settle(operator: string): Promise<void> {
  const opened = await openConsole(browser, world.gateway, { operator, route: '/approvals' });
  reviewers.set(operator, opened);
  opened.page.setDefaultTimeout(15_000);
  await opened.page.getByText('Nothing waits for a person').waitFor();
}

function pageOf(operator: string): Page {
  const page = reviewers.get(operator)?.page;
  if (page === undefined) throw new Error(`${operator} has no browser`);
  return page;
}

async function visit(operator: string, options: Partial<Parameters<typeof openConsole>[2]> = {}): Promise<Page> {
  const opened = await openConsole(browser, world.gateway, { operator, route: '/approvals', ...options });
  visitors.push(opened);
  opened.page.setDefaultTimeout(15_000);
  return opened.page;
}

/** Within the app, so that the log-in's page stays. */
async function toApprovals(page: Page): Promise<void> {
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await page.waitForURL(/\/approvals/);
}

interface Asking {
  readonly principal: string;
  readonly done: Promise<Finished>;
}

/** An agent asks, and waits. */
function agentRuns(command: string): Asking {
  const route = world.agent();
  return { principal: route.principal, done: ssh(route, command) };
}

const cardOf = (page: Page, { principal }: Asking) => page.getByRole('article', { name: `${principal} on web`, exact: true });

/** With J until it is the selected one. */
async function select(page: Page, asking: Asking): Promise<void> {
  const card = cardOf(page, asking);
  await card.waitFor();
  for (let tries = 0; tries < 8 && (await card.getAttribute('data-selected')) === null; tries += 1) await page.keyboard.press('j');
  await expect.poll(() => card.getAttribute('data-selected')).toBe('true');
}

async function decide(page: Page, asking: Asking, key: 'a' | 'd', reason: string): Promise<void> {
  await select(page, asking);
  const card = cardOf(page, asking);
  await card.getByRole('button', { name: /^Approve/ }).isEnabled();
  await expect.poll(() => card.getByRole('textbox').isEnabled()).toBe(true);
  await page.keyboard.press(key);
  await page.keyboard.type(reason);
  await page.keyboard.press('Enter');
}

describe('a key', () => {
  it.each([ALICE, BOB])('is made in the browser of %s and registered, by keys alone', async (operator) => {
    const page = pageOf(operator);
    const asking = agentRuns('echo first');
    await select(page, asking);
    const card = cardOf(page, asking);
    await card.getByRole('button', { name: 'Make a signing key…' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'What you call this device' }).waitFor();
    await page.keyboard.press('Enter');
    await dialog.getByText('This device signs for you').waitFor();
    expect(await dialog.locator('code').textContent()).toMatch(/^SHA256:[\w+/]{43}$/);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'hidden' });
    await decide(page, asking, 'd', 'only a try');
    expect((await asking.done).status).not.toBe(0);
  });
});

describe('what waits', () => {
  it('is approved by keys alone, and runs', async () => {
    const page = pageOf(ALICE);
    const asking = agentRuns('echo appro""ved');
    await select(page, asking);
    const card = cardOf(page, asking);
    expect(await card.getByRole('group', { name: 'Runs this command' }).textContent()).toBe('echo appro""ved');
    await decide(page, asking, 'a', 'seen by alice');
    const { stdout, status } = await asking.done;
    expect([stdout.toString(), status]).toEqual(['approved\n', 0]);
    await card.getByText(`Approved by ${ALICE}`).waitFor();
    await card.getByText('“seen by alice”').waitFor();
  });

  it('takes a reason where the rule wants one, and to be denied; the client is told it', async () => {
    const page = pageOf(ALICE);
    const asking = agentRuns('echo not-this');
    await select(page, asking);
    const card = cardOf(page, asking);
    await page.keyboard.press('a');
    await page.keyboard.press('Enter');
    await card.getByText('This rule asks for a reason.').waitFor();
    await page.keyboard.press('Escape');
    await decide(page, asking, 'd', 'not on a Friday');
    const { status, stderr } = await asking.done;
    expect(status).not.toBe(0);
    expect(stderr).toContain('not on a Friday');
    await card.getByText(`Denied by ${ALICE}`).waitFor();
  });

  it('is seen by every reviewer as it changes: one approves, another one sees it and makes it two', async () => {
    const [alice, bob] = [pageOf(ALICE), pageOf(BOB)];
    const asking = agentRuns('printf both');
    await Promise.all([select(alice, asking), select(bob, asking)]);
    await decide(alice, asking, 'a', 'first');
    const theirs = cardOf(bob, asking);
    await theirs.getByText('2 reviewers, 1 given').waitFor();
    await theirs.getByText('“first”').waitFor();
    await cardOf(alice, asking)
      .getByText(/has decided already, and others are needed/)
      .waitFor();
    await decide(bob, asking, 'a', 'second');
    expect((await asking.done).stdout.toString()).toBe('both');
    for (const page of [alice, bob]) await cardOf(page, asking).getByText(`Approved by ${ALICE} and ${BOB}`).waitFor();
  });

  it('decided by somebody else meanwhile, cannot be decided again', async () => {
    const [alice, bob] = [pageOf(ALICE), pageOf(BOB)];
    const asking = agentRuns('echo one-of-us');
    await Promise.all([select(alice, asking), select(bob, asking)]);
    await decide(bob, asking, 'd', 'bob was first');
    const card = cardOf(alice, asking);
    await card.getByText(`Denied by ${BOB}`).waitFor();
    await card.getByText('“bob was first”').waitFor();
    expect(await card.getByRole('button', { name: /^(Approve|Deny)/ }).count()).toBe(0);
    // Its keys mean it still, and no other.
    await alice.keyboard.press('a');
    expect(await alice.getByRole('textbox', { name: /^Reason, Approve/ }).count()).toBe(0);
    await asking.done;
  });

  it('stays where it is when something more urgent comes, and keys mean what was selected', async () => {
    const page = pageOf(ALICE);
    const asking = agentRuns('echo steady');
    await select(page, asking);
    const card = cardOf(page, asking);
    const place = await card.boundingBox();
    const urgent = agentRuns('true');
    await cardOf(page, urgent).waitFor();
    expect((await card.boundingBox())?.y).toBe(place?.y);
    await decide(page, asking, 'a', 'the one that was selected');
    expect((await asking.done).stdout.toString()).toBe('steady\n');
    // The urgent one is not decided by that: nobody does it in time.
    await cardOf(page, urgent).waitFor({ state: 'hidden' });
    const { status } = await urgent.done;
    expect(status).not.toBe(0);
  });

  it('expires under the eyes of its reviewer, who can do nothing about it then', async () => {
    const page = pageOf(BOB);
    const asking = agentRuns('true');
    await select(page, asking);
    const card = cardOf(page, asking);
    await card.getByRole('timer', { name: 'less than half a minute left' }).waitFor();
    await card.getByText(/^Expired: /).waitFor();
    expect(await card.getByRole('button', { name: /^(Approve|Deny)/ }).count()).toBe(0);
    await asking.done;
  });
});

describe('a reviewer is not deceived', () => {
  it('by characters that hide', async () => {
    const page = pageOf(ALICE);
    const asking = agentRuns("echo '\u202egpj.exe' \u0455udo\u00a0x");
    await select(page, asking);
    const card = cardOf(page, asking);
    expect(await card.getByRole('group', { name: 'Runs this command' }).textContent()).toBe("echo '\\u{202e}gpj.exe' \u0455udo\\u{a0}x");
    await card.getByText(/2 hidden characters.*1 character is not ASCII/).waitFor();
    await decide(page, asking, 'd', 'what is that');
    await asking.done;
  });

  it('by a gateway that shows something else than what would be done, or changes it while it is read', async () => {
    const asking = agentRuns('echo honest');
    const page = await visit(BOB, { route: '/sessions' });
    await page.getByRole('link', { name: /^Approvals/ }).waitFor();
    let change = (text: string) => text.replaceAll('echo honest', 'echo gentle');
    await page.route('**/api/approvals*', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: change(await answer.text()) });
    });
    await toApprovals(page);
    const card = cardOf(page, asking);
    await card.getByText('This request is not what it says').waitFor();
    expect(await card.getByRole('button', { name: /^(Approve|Deny)/ }).count()).toBe(0);
    change = (text) => text.replaceAll('"grants":"once"', '"grants":"session"');
    const another = agentRuns('echo another');
    await card.getByText('This request has changed since it was shown to you').waitFor();
    expect(await card.getByRole('button', { name: /^(Approve|Deny)/ }).count()).toBe(0);
    for (const each of [asking, another]) {
      await decide(pageOf(ALICE), each, 'd', 'enough');
      await each.done;
    }
  });
});

describe('whoever may not decide', () => {
  it('is told why, and sees everything else', async () => {
    const asking = agentRuns('echo for-the-engineer');
    const [engineer, auditor] = [await visit(ENGINEER), await visit(AUDITOR)];
    await cardOf(engineer, asking)
      .getByText(/acts for engineer@example.com, and nobody decides about their own agents/)
      .waitFor();
    await cardOf(auditor, asking)
      .getByText(/the role reviewer is not among yours/)
      .waitFor();
    for (const page of [engineer, auditor]) {
      expect(await cardOf(page, asking).getByRole('group', { name: 'Runs this command' }).textContent()).toBe('echo for-the-engineer');
      expect(
        await cardOf(page, asking)
          .getByRole('button', { name: /^(Approve|Deny)/ })
          .count(),
      ).toBe(0);
    }
    await decide(pageOf(ALICE), asking, 'd', 'no');
    await asking.done;
  });
});

describe('what is over', () => {
  it('stands under Decided with who and why, and is found by its link', async () => {
    const page = await visit(AUDITOR);
    await page.getByRole('tab', { name: 'Decided' }).click();
    const row = page.getByRole('row', { name: /echo not-this/ });
    await row.getByText(`Denied by ${ALICE}`).waitFor();
    await row.getByText('“not on a Friday”').waitFor();
    await row.getByRole('link').click();
    await page.waitForURL(/\/approvals\/[0-9a-f-]{36}/);
  });

  it('of break-glass waits for its review, which is signed', async () => {
    const page = pageOf(ALICE);
    const asking = agentRuns('rmdir /nowhere-at-all');
    expect((await asking.done).status).toBe(1);
    await page.getByRole('tab', { name: /Break-glass to review 1/ }).click();
    await select(page, asking);
    await cardOf(page, asking).getByText('break-glass: done already').waitFor();
    await expect.poll(() => cardOf(page, asking).getByRole('textbox').isEnabled()).toBe(true);
    await page.keyboard.press('a');
    await page.keyboard.type('it was an emergency');
    await page.keyboard.press('Enter');
    await cardOf(page, asking).getByText(`Found justified by ${ALICE}`).waitFor();
  });
});

describe('for everybody', () => {
  it.each(['dark', 'light'] as const)('the screen is without fault in %s', async (theme) => {
    const asking = agentRuns('echo "$HOME" | tee -a /tmp/nowhere # a comment');
    const page = await visit(BOB, { theme });
    await cardOf(page, asking).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await cardOf(page, asking)
      .getByRole('button', { name: /-asks$/ })
      .click();
    await page.getByRole('dialog').getByText('In force since').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('tab', { name: 'Decided' }).click();
    await page.getByRole('row').nth(2).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
  });
});
