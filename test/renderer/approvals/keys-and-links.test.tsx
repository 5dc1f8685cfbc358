// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Approval } from '../../../contract/operator-api.ts';
import { OpenList } from '../../../renderer/app/approvals/open-list.tsx';
import { SideApproval } from '../../../renderer/app/approvals/side-approval.tsx';
import { EventProvider } from '../../../renderer/app/client/event-context.tsx';
import { OperatorContext } from '../../../renderer/app/client/operator-context.tsx';
import { newQueryClient, queryKey } from '../../../renderer/app/client/queries.ts';
import type { Host } from '../../../renderer/app/host/host.ts';
import { HostProvider } from '../../../renderer/app/host/host-context.tsx';
import { KeyProvider } from '../../../renderer/app/keyboard/use-keys.tsx';
import { requested } from './request.ts';

/** Anybody can have a link opened, and an agent asks when it likes: a key that was on its way must not meet another request. */

const SETTLED_MILLIS = 700;
const key = { line: 'ssh-ed25519 AAAA', fingerprint: 'SHA256:a' };
let client: ReturnType<typeof newQueryClient>;
let signed: unknown[];
let now: number;

beforeEach(() => {
  now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  client = newQueryClient();
  signed = [];
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const soon = () => new Date(Date.now() + 3600_000).toISOString().replace('Z', '000Z');
const asked = (command: string): Approval => requested({ facts: { command, terminal: false }, expires: soon() });

function App({ children }: { children: React.ReactNode }) {
  const host = {
    // Nothing is answered that is not there already, and no screen comes.
    transport: { request: () => new Promise(() => undefined), connect: () => ({ close: () => undefined }), after: () => () => undefined },
    signer: {
      key: async () => key,
      sign: async (statement: unknown) => {
        signed.push(statement);
        return { key: key.line, signature: 'a signature' };
      },
    },
  } as unknown as Host;
  const operator = {
    ...{ operator: 'reviewer', roles: ['reviewer' as const], groups: [], login: 'l', expires: soon(), mayAddKey: null },
    ...{ origin: 'test.example/log', keys: [key.line] },
  };
  return (
    <MantineProvider>
      <HostProvider host={host}>
        <QueryClientProvider client={client}>
          <KeyProvider>
            <OperatorContext value={operator}>
              <EventProvider>{children}</EventProvider>
            </OperatorContext>
          </KeyProvider>
        </QueryClientProvider>
      </HostProvider>
    </MantineProvider>
  );
}

const list = (open: readonly Approval[], linked: string | undefined) => (
  <App>
    <OpenList kind="waiting" open={open} lately={[]} linked={linked} before={null} />
  </App>
);

async function press(name: string): Promise<void> {
  await act(async () => {
    const target = document.activeElement ?? document.body;
    target.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }));
    if (name === 'Enter') document.activeElement?.closest('form')?.requestSubmit();
  });
  await settle();
}

/** Digests are computed, and the key of the device is looked up. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await act(() => new Promise((resolve) => setImmediate(resolve)));
}

const selected = () => document.querySelector('[data-selected]')?.getAttribute('data-approval');
const reasonIsOn = () => document.activeElement?.closest('[data-approval]')?.getAttribute('data-approval') ?? undefined;

it('decides what was selected by keys', async () => {
  const [one, two] = [asked('uptime'), asked('reboot')];
  render(list([one, two], undefined));
  await settle();
  now += SETTLED_MILLIS + 1;
  expect(selected()).toBe(one.request.id);
  await press('j');
  await press('a');
  expect(reasonIsOn()).toBe(two.request.id);
  await press('Enter');
  expect(signed).toMatchObject([{ request: { id: two.request.id }, decision: { verdict: 'approve' } }]);
});

it('decides nothing about a request that a link has just put where another one was', async () => {
  const [one, two] = [asked('uptime'), asked('rm -rf /srv')];
  const { rerender } = render(list([one, two], one.request.id));
  await settle();
  now += 60_000;
  rerender(list([one, two], two.request.id));
  await settle();
  expect(selected()).toBe(two.request.id);
  now += 100;
  // They had read the one before, and were pressing.
  await press('a');
  expect(reasonIsOn()).toBeUndefined();
  await press('Enter');
  expect(signed).toEqual([]);
  expect(screen.getByText(/just come up/).textContent).toContain('press again');
  now += SETTLED_MILLIS;
  await press('a');
  expect(reasonIsOn()).toBe(two.request.id);
});

it('decides nothing about a request that has just come up beside its session', async () => {
  const one = asked('rm -rf /srv');
  client.setQueryData(queryKey('approval.show', { approval: one.request.id }), one);
  render(
    <App>
      <SideApproval approval={one.request.id} onHeld={() => undefined} />
    </App>,
  );
  await settle();
  now += 100;
  await press('a');
  await press('Enter');
  expect([reasonIsOn(), signed]).toEqual([undefined, []]);
  now += SETTLED_MILLIS;
  await press('a');
  expect(reasonIsOn()).toBe(one.request.id);
});
