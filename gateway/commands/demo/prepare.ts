import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeEd25519Key } from '../../protocol/ssh/ed25519-key.ts';
import { policy } from './policy-text.ts';

/** Whom the demo knows, and what they may reach. Names of keys are those of their files. */
export const HUMAN = 'engineer@example.com';
export const REVIEWER = 'reviewer@example.com';
export const AGENT = 'deploy-bot';
export const TARGET = 'workshop';
export const PRODUCTION = 'warehouse';
export const HUMAN_KEY = 'engineer';
export const REVIEWER_KEY = 'reviewer';

export function keyFile(directory: string, name: string): string {
  return join(directory, 'keys', name);
}

/** Makes keys once, and the configuration anew; gives its path. */
export async function prepareDemo(directory: string): Promise<string> {
  await mkdir(join(directory, 'keys'), { recursive: true, mode: 0o700 });
  const human = await keyPair(directory, HUMAN_KEY, HUMAN);
  const reviewer = await keyPair(directory, REVIEWER_KEY, REVIEWER);
  const agent = await keyPair(directory, AGENT, AGENT);
  const config = join(directory, 'gateway.yaml');
  const text = `# Made by "sallyport demo". Change it and run: sallyport serve --config ${config}
gateway:
  listen: { ssh: "127.0.0.1:0", https: "127.0.0.1:0" }
  data: ${JSON.stringify(join(directory, 'data'))}
humans:
  - { name: ${HUMAN}, ssh-keys: [${JSON.stringify(human)}] }
  - { name: ${REVIEWER}, ssh-keys: [${JSON.stringify(reviewer)}], operator: [reviewer, auditor, admin] }
agents:
  - { name: ${AGENT}, on-behalf-of: ${HUMAN}, ssh-keys: [${JSON.stringify(agent)}] }
# Both are shells on this very machine, as whoever runs this.
targets:
  - { name: ${TARGET}, kind: shell, tags: { env: demo } }
  - { name: ${PRODUCTION}, kind: shell, tags: { env: prod } }
policy: policy.cedar
approvals:
  changes: { reviewers: { names: [${REVIEWER}] }, within: 10m }
recording: { reserve: 64MiB }
`;
  await writeFile(config, text, { mode: 0o600 });
  await writeFile(join(directory, 'policy.cedar'), policy, { mode: 0o600 });
  return config;
}

/** The public key of a pair that is made once. */
async function keyPair(directory: string, name: string, comment: string): Promise<string> {
  const path = keyFile(directory, name);
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
export async function writeClientFiles(directory: string, host: string, port: number, hostKey: string): Promise<void> {
  await writeFile(join(directory, 'known_hosts'), `[${host}]:${port} ${hostKey}\n`);
  const aliases = [HUMAN_KEY, AGENT].map((alias) => `Host ${alias}\n  IdentityFile "${keyFile(directory, alias)}"\n`);
  const common = `Host *\n  HostName ${host}\n  Port ${port}\n  User ${TARGET}\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile "${join(directory, 'known_hosts')}"\n  StrictHostKeyChecking yes\n`;
  await writeFile(join(directory, 'ssh_config'), [...aliases, common].join('\n'));
}
