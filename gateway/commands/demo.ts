import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SallyportError } from '../base/errors.ts';
import type { HttpsListener } from '../operator-api/https-listener.ts';
import { makeEd25519Key } from '../protocol/ssh/ed25519-key.ts';
import { runThroughGateway } from '../protocol/ssh/loopback-client.ts';
import { findSessions } from '../query/find-sessions.ts';
import { type Gateway, startGateway } from '../serve.ts';
import { Database } from '../store/database.ts';
import { print } from './output.ts';
import { untilSignal } from './until-signal.ts';

/** Who the demo knows, and what they may reach. */
const HUMAN = 'engineer@example.com';
const REVIEWER = 'reviewer@example.com';
const AGENT = 'deploy-bot';
const TARGET = 'workshop';
/** Enough of a UUIDv7 to be the only session that begins so. */
const SHORT_ID = 13;
const FIRST_COMMAND = 'uname -sr; id -un; date -u +%Y-%m-%d';

/** A gateway with a ready-made configuration on loopback: freshly made keys, a local shell, a first recorded session. */
export async function demo(options: { data?: string }): Promise<number> {
  const directory = options.data === undefined ? await mkdtemp(join(tmpdir(), 'sallyport-demo-')) : resolve(options.data);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const config = await prepare(directory);
  const gateway = await startGateway({ config, logLevel: 'warn' });
  const listener = gateway.listeners.find(({ protocol }) => protocol === 'ssh');
  const https = gateway.listeners.find((each): each is HttpsListener => each.protocol === 'https');
  if (listener === undefined || https === undefined) throw new SallyportError('INTERNAL', 'the demo lacks a listener');
  const [host = '127.0.0.1', port = ''] = listener.address.split(':');
  await writeClientFiles(directory, host, port, gateway);

  await print(`The gateway listens for SSH on ${listener.address}. Its host key is ${gateway.hostKey.fingerprint}.\n\n`);
  await print(`The agent ${AGENT}, on behalf of ${HUMAN}, runs a command on the target ${TARGET}:\n\n  $ ${FIRST_COMMAND}\n`);
  const outcome = await runThroughGateway({
    host,
    port: Number(port),
    hostKeyFingerprint: gateway.hostKey.fingerprint,
    user: TARGET,
    privateKey: await readFile(join(directory, 'keys', AGENT), 'utf8'),
    command: FIRST_COMMAND,
  });
  await print(`${outcome.stdout}${outcome.stderr}`.replace(/^/gm, '  ').trimEnd());
  await print(
    `\n\nBefore any of that was delivered it was recorded. ${nextLines(directory, await firstSession(gateway.dataDirectory), https)}`,
  );
  const signal = await untilSignal();
  await gateway.close(signal);
  await print(`\nStopped. What was recorded stays in ${directory}; delete it when you are done.\n`);
  return outcome.status === 0 ? 0 : 1;
}

async function prepare(directory: string): Promise<string> {
  const keys = join(directory, 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const human = await keyPair(keys, 'engineer', HUMAN);
  const reviewer = await keyPair(keys, 'reviewer', REVIEWER);
  const agent = await keyPair(keys, AGENT, AGENT);
  const config = join(directory, 'gateway.yaml');
  const text = `# Made by "sallyport demo". Change it and run: sallyport serve --config ${config}
gateway:
  listen: { ssh: "127.0.0.1:0", https: "127.0.0.1:0" }
  data: ${JSON.stringify(join(directory, 'data'))}
humans:
  - { name: ${HUMAN}, ssh-keys: [${JSON.stringify(human)}] }
  - { name: ${REVIEWER}, ssh-keys: [${JSON.stringify(reviewer)}], operator: [reviewer, admin] }
agents:
  - { name: ${AGENT}, on-behalf-of: ${HUMAN}, ssh-keys: [${JSON.stringify(agent)}] }
targets:
  - { name: ${TARGET}, kind: shell, tags: { env: demo } }
policy: policy.cedar
approvals:
  changes: { reviewers: { names: [${REVIEWER}] }, within: 10m }
recording: { reserve: 64MiB }
`;
  await writeFile(config, text, { mode: 0o600 });
  await writeFile(join(directory, 'policy.cedar'), policy, { mode: 0o600 });
  return config;
}

const policy = `// Made by "sallyport demo". Who may do what; docs/policy.md says what else there is. After a change: sallyport reload
@id("everybody-connects")
permit (principal, action in [Action::"connect", Action::"ssh:shell"], resource);

@id("people-work")
permit (principal is Human, action in Action::"ssh", resource);

@id("agents-look")
permit (principal is Agent, action == Action::"ssh:exec", resource)
when {
  !context.opaque &&
  ["cat", "date", "df", "echo", "grep", "head", "id", "ls", "ps", "tail", "uname", "uptime"].containsAll(context.programs)
};

// Whatever else an agent wants to run, somebody has to approve, command by command.
@id("agents-ask")
@approval("changes")
permit (principal is Agent, action == Action::"ssh:exec", resource);
`;

/** The public key of a pair that is made once. */
async function keyPair(directory: string, file: string, comment: string): Promise<string> {
  const path = join(directory, file);
  try {
    return (await readFile(`${path}.pub`, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { privateKey, publicKey } = makeEd25519Key(comment);
  await writeFile(path, privateKey, { mode: 0o600 });
  await writeFile(`${path}.pub`, `${publicKey}\n`);
  return publicKey;
}

/** What a stock `ssh` needs to be either of the two: the host alias says who, the user says where. */
async function writeClientFiles(directory: string, host: string, port: string, gateway: Gateway): Promise<void> {
  await writeFile(join(directory, 'known_hosts'), `[${host}]:${port} ${gateway.hostKey.publicKey}\n`);
  const aliases = [
    ['engineer', 'engineer'],
    [AGENT, AGENT],
  ].map(([alias, key]) => `Host ${alias}\n  IdentityFile "${join(directory, 'keys', key as string)}"\n`);
  const common = `Host *\n  HostName ${host}\n  Port ${port}\n  User ${TARGET}\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile "${join(directory, 'known_hosts')}"\n  StrictHostKeyChecking yes\n`;
  await writeFile(join(directory, 'ssh_config'), [...aliases, common].join('\n'));
}

/** The short id of the session that has just been recorded. */
async function firstSession(dataDirectory: string): Promise<string> {
  const database = await Database.openForReading(dataDirectory);
  try {
    for await (const { id } of findSessions(database, {}, 1)) return id.slice(0, SHORT_ID);
    throw new SallyportError('INTERNAL', "the demo's first session has left no record");
  } finally {
    await database.close();
  }
}

function nextLines(directory: string, session: string, { address, fingerprint }: HttpsListener): string {
  const self = import.meta.url.endsWith('.ts') ? 'npm run -s sallyport --' : 'sallyport';
  const data = join(directory, 'data');
  const ssh = `ssh -F ${directory}/ssh_config`;
  const lines = [
    [`${ssh} ${AGENT}`, 'a shell as the agent; type, then exit'],
    [`${ssh} engineer 'uname -a'`, 'one command as the human'],
    [`${ssh} menu@engineer`, 'choose a target from a menu'],
    [],
    [`${ssh} ${AGENT} 'touch /tmp/by-an-agent'`, 'the agent changes something: it waits for approval'],
    [
      `${self} login --gateway https://${address} --operator ${REVIEWER} --key ${join(directory, 'keys', 'reviewer')} --fingerprint ${fingerprint}`,
    ],
    [`${self} approvals`, 'what waits; then: approve ID, or deny ID --reason …'],
    [`${self} watch SESSION`, 'see a session that runs; also message, pause, resume, step, terminate'],
    [],
    [`${self} sessions --data ${data}`, 'who was where'],
    [`${self} play ${session} --data ${data}`, 'replay it here'],
    [`${self} transcript ${session} --data ${data}`, 'read it'],
    [`${self} search Linux --data ${data}`, 'find what was on a screen'],
  ];
  const width = Math.max(...lines.map(([line = '', comment]) => (comment === undefined ? 0 : line.length)));
  const text = lines.map(([line = '', comment = '']) => `  ${line.padEnd(width)}  ${comment}`.trimEnd()).join('\n');
  return `In another terminal:\n\n${text}\n\nThe configuration is ${directory}/gateway.yaml. Press Ctrl-C to stop.\n`;
}
