import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Route, ssh, sshArguments } from '../support/clients.ts';
import { type Gateway, sallyport, startGateway } from '../support/gateway.ts';
import { learnHostKey, makeKey } from '../support/keys.ts';
import { recordedAs, recordsOf } from '../support/records.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

let gateway: Gateway;
let policy: string;
let route: (user: string) => Route;

const policyWith = (program: string): string =>
  `permit(principal is Agent, action in [Action::"connect", Action::"ssh:shell"], resource);
permit(principal is Agent, action == Action::"ssh:exec", resource) when { !context.opaque && ["${program}", "cat", "sleep"].containsAll(context.programs) };
@approval("changes") permit(principal is Agent, action == Action::"ssh:exec", resource) when { !context.opaque && context.program == "touch" };
`;

beforeAll(async () => {
  const directory = belongings.directory('reload');
  policy = join(directory, 'policy.cedar');
  writeFileSync(policy, policyWith('echo'), { mode: 0o644 });
  const [key, reviewer] = await Promise.all([makeKey(directory, 'bot'), makeKey(directory, 'reviewer')]);
  gateway = await startGateway(belongings, {
    configuration: {
      humans: [
        { name: 'engineer@example.com' },
        { name: 'reviewer@example.com', operator: ['reviewer'], 'ssh-keys': [reviewer.publicLine] },
      ],
      approvals: { changes: { reviewers: { names: ['reviewer@example.com'] } } },
      agents: [{ name: 'bot', 'on-behalf-of': 'engineer@example.com', 'ssh-keys': [key.publicLine] }],
      targets: [{ name: 'first', kind: 'shell' }],
      policy,
    },
  });
  const knownHosts = join(directory, 'known_hosts');
  const hostKey = await learnHostKey(knownHosts, gateway.host, gateway.port);
  route = (user) => ({ host: gateway.host, port: gateway.port, user, key, knownHosts, hostKey });
});

/** A client that goes on until its input ends. */
async function connected(command: string) {
  const child = startProgram('ssh', [...sshArguments(route('first')), command], {
    env: plainEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  belongings.add(() => void child.kill('SIGKILL'));
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('ssh has no pipes');
  stdin.write('here\n');
  expect(String((await once(stdout, 'data'))[0])).toBe('here\n');
  return { child, stdin, stdout, ended: ended(child) };
}

test('99 SIGHUP takes another policy and other targets without dropping a session, and nothing of a policy with a fault', async () => {
  const { stdin, stdout, ended: over } = await connected('cat');
  const file = join(dirname(gateway.data), 'sallyport.yaml');
  const configuration = JSON.parse(readFileSync(file, 'utf8')) as { targets: unknown[] };
  expect((await ssh(route('second'), 'echo')).stderr).toContain('there is no target named "second"');

  configuration.targets.push({ name: 'second', kind: 'shell' });
  writeFileSync(file, JSON.stringify(configuration));
  writeFileSync(policy, policyWith('printf'), { mode: 0o644 });
  process.kill(gateway.pid, 'SIGHUP');
  await gateway.logged('the reload', ({ msg }) => msg === 'the configuration was reloaded');
  expect((await ssh(route('second'), 'printf new')).stdout.toString()).toBe('new');
  expect((await ssh(route('first'), 'echo old')).status).toBe(255);

  writeFileSync(policy, 'permit(principal, action == Action::"fly", resource);', { mode: 0o644 });
  process.kill(gateway.pid, 'SIGHUP');
  await until('the fault is told', () => (gateway.log().includes('not reloaded') ? true : undefined));
  expect(gateway.log()).toContain('policy.cedar');
  expect((await ssh(route('second'), 'printf new')).stdout.toString()).toBe('new');

  stdin.end('still here\n');
  expect(String((await once(stdout, 'data'))[0])).toBe('still here\n');
  expect((await over).status).toBe(0);
  const texts = (await recordsOf(gateway.data, 'policy.changed')).map(({ body }) => body.text);
  expect(texts).toEqual([policyWith('echo'), policyWith('printf')]);
});

test('99 SIGTERM takes nobody new, lets what runs come to its end, and leaves everything closed and signed', async () => {
  const { child, stdin, ended: over } = await connected('cat');
  const made = join(belongings.directory('withdrawn'), 'made');
  const waiting = ssh(route('first'), `touch ${made}`);
  await recordedAs(gateway.data, 'approval.asked', () => true);
  const stopped = gateway.stop();
  expect(await waiting).toMatchObject({ status: 255, stderr: expect.stringContaining('withdrawn') as string });
  expect(existsSync(made)).toBe(false);
  await until('nobody is taken any more', async () => ((await ssh(route('first'), 'cat')).status === 255 ? true : undefined));
  expect(child.exitCode).toBe(null);
  stdin.end();
  expect((await over).status).toBe(0);
  expect(await stopped).toBe(0);
  const closes = await recordsOf(gateway.data, 'session.close');
  expect(closes).toHaveLength((await recordsOf(gateway.data, 'session.open')).length);
  expect(closes.at(-1)).toMatchObject({ outcome: 'success' });
  const verified = await sallyport(['verify', '--data', gateway.data]);
  expect(verified.status, verified.stdout.toString()).toBe(0);
});
