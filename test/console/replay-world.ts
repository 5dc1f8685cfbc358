import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOGIN_NAMESPACE } from '../../contract/login-challenge.ts';
import type { Approval, OperationName } from '../../contract/operator-api.ts';
import { statementText } from '../../contract/signed-statements.ts';
import { type Answer, ask } from '../operator-api/api-client.ts';
import { paramiko, ssh, sshArguments } from '../support/clients.ts';
import { DrivenTerminal } from '../support/driven-terminal.ts';
import { endedSessions, sessionsOf } from '../support/recordings.ts';
import { type ReviewerKey, reviewerKey } from '../support/reviewer-key.ts';
import type { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';

export const REVIEWER = 'reviewer@example.com';
export const VISITOR = 'visitor@example.com';

/** A gateway with a console, sessions that real clients have had there, and people who look at them. */
export interface ReplayWorld extends World {
  /** An operation asked for by the reviewer. */
  reviewer(name: OperationName, input?: Record<string, unknown>): Promise<Answer>;
  /** Somebody at a terminal of this size; their session's id, once it is over. */
  atTerminal(cols: number, rows: number, use: (terminal: DrivenTerminal) => Promise<void>): Promise<string>;
  /** Opens one that goes on. */
  openTerminal(cols: number, rows: number): Promise<{ session: string; terminal: DrivenTerminal; route: AgentRoute }>;
  /** Runs a command without a terminal. */
  execute(command: string): Promise<string>;
  /** Runs commands one after the other in channels of one session. */
  executeAll(commands: readonly string[]): Promise<string>;
  /** Runs a command that is asked for, which the reviewer approves. */
  executeApproved(command: string, reason: string): Promise<string>;
}

const policy = `// Who may do what, for the tests of the console.
@id("connect")
permit (principal is Agent, action == Action::"connect", resource);

@id("look-around")
permit (principal is Agent, action == Action::"ssh:exec", resource)
unless { !context.opaque && context.program == "touch" };

@id("writes-are-asked-for")
@approval("prod-write")
permit (principal is Agent, action == Action::"ssh:exec", resource)
when { !context.opaque && context.program == "touch" };

@id("shells")
permit (principal is Agent, action == Action::"ssh:shell", resource);
`;

export async function openReplayWorld(belongings: Belongings): Promise<ReplayWorld> {
  const directory = belongings.directory('replay');
  const key = reviewerKey();
  const file = join(directory, 'policy.cedar');
  writeFileSync(file, policy);
  chmodSync(file, 0o644);
  const world = await openWorld(belongings, {
    agents: 16,
    gateway: { https: true },
    web: { allow: undefined, tags: { env: 'prod' } },
    humans: [
      { name: REVIEWER, operator: ['reviewer', 'auditor'], 'ssh-keys': [key.line] },
      { name: VISITOR, operator: ['admin'] },
    ],
    configuration: { policy: file, approvals: { 'prod-write': { reviewers: { names: [REVIEWER] }, within: '60s' } } },
  });
  const token = await logIn(world, key);
  const reviewer: ReplayWorld['reviewer'] = (name, input = {}) => ask(world.gateway, name, input, { token });
  const ended = async ({ principal }: AgentRoute): Promise<string> => {
    const [row] = await endedSessions(world.gateway.data, principal);
    if (row === undefined) throw new Error(`${principal} had no session`);
    return row.id;
  };
  const terminalOf = (route: AgentRoute, cols: number, rows: number) => {
    const terminal = new DrivenTerminal('ssh', sshArguments(route, ['-tt']), cols, rows);
    belongings.add(() => terminal.kill());
    return terminal;
  };
  return {
    ...world,
    reviewer,
    atTerminal: async (cols, rows, use) => {
      const route = world.agent();
      const terminal = terminalOf(route, cols, rows);
      await prompt(terminal);
      await use(terminal);
      terminal.type('exit\r');
      await terminal.ended();
      return ended(route);
    },
    openTerminal: async (cols, rows) => {
      const route = world.agent();
      const terminal = terminalOf(route, cols, rows);
      await prompt(terminal);
      const [row] = await sessionsOf(world.gateway.data, route.principal);
      if (row === undefined) throw new Error('the session is not there');
      return { session: row.id, terminal, route };
    },
    execute: async (command) => {
      const route = world.agent();
      await ssh(route, command);
      return ended(route);
    },
    executeAll: async (commands) => {
      const route = world.agent();
      const program = `
for command in args:
    stdin, stdout, stderr = client.exec_command(command)
    stdout.read()
    stdout.channel.recv_exit_status()
client.close()`;
      const { status, stderr } = await paramiko(route, program, commands);
      if (status !== 0) throw new Error(stderr);
      return ended(route);
    },
    executeApproved: async (command, reason) => {
      const route = world.agent();
      const running = ssh(route, command);
      const approval = await until('somebody is asked', async () => {
        const { body } = await reviewer('approval.list');
        return (body.approvals as Approval[]).find(({ request }) => request.principal === route.principal);
      });
      const decision = { verdict: 'approve' as const, reviewer: REVIEWER, reason };
      const { text } = statementText({ kind: 'approval', origin: approval.origin, request: approval.request, decision });
      const { id, digest } = approval.request;
      const answer = await reviewer('approval.decide', {
        approval: id,
        digest,
        verdict: 'approve',
        reason,
        key: key.line,
        signature: key.sign(text),
      });
      if (answer.status !== 200) throw new Error(answer.text);
      await running;
      return ended(route);
    },
  };
}

/** A shell whose prompt is the same everywhere. */
async function prompt(terminal: DrivenTerminal): Promise<void> {
  await terminal.shows(/[#$]$/m);
  await terminal.typed("unset PROMPT_COMMAND; PS1='$ '; clear\r", /^\$$/m);
}

async function logIn({ gateway }: World, key: ReviewerKey): Promise<string> {
  const { body } = await ask(gateway, 'login.challenge', { operator: REVIEWER });
  const challenge = String(body.challenge);
  const answer = await ask(gateway, 'login.ssh', { challenge, signature: key.sign(challenge, LOGIN_NAMESPACE) });
  if (answer.status !== 200) throw new Error(answer.text);
  return String(answer.body.token);
}
