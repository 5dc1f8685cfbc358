import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CommandOutcome,
  type LoopbackLogin,
  putThroughGateway,
  runThroughGateway,
  typeThroughGateway,
} from '../../protocol/ssh/loopback-client.ts';
import { approveAsReviewer, type DemoApi } from './approve.ts';
import { AGENT, HUMAN_KEY, keyFile, PRODUCTION, TARGET } from './prepare.ts';

export interface DemoDoor extends Pick<LoopbackLogin, 'host' | 'port' | 'hostKeyFingerprint'> {
  readonly directory: string;
  readonly api: DemoApi;
}

export const FIRST_COMMAND = 'uname -sr; id -un; date -u +%Y-%m-%d';
/** Nobody may approve it, so that it never runs. */
const FORBIDDEN_COMMAND = 'rm -rf /srv/releases/41';

/** Sessions of different kinds, so that there is something to look at: each goes through the gateway like anybody's. */
export async function makeFirstSessions(door: DemoDoor): Promise<CommandOutcome> {
  const [agent, human] = await Promise.all([loginOf(door, AGENT), loginOf(door, HUMAN_KEY)]);
  const releases = join(door.directory, 'releases');
  const [first] = await Promise.all([
    runThroughGateway({ ...agent(TARGET), command: FIRST_COMMAND }),
    runThroughGateway({ ...agent(PRODUCTION), command: 'df -h / | tail -n 1; uptime' }),
    told(runThroughGateway({ ...agent(PRODUCTION), command: FORBIDDEN_COMMAND })),
    told(putThroughGateway({ ...human(TARGET), path: join(door.directory, 'release-notes.txt'), content: NOTES })),
    told(approveAsReviewer(door.api, runThroughGateway({ ...agent(PRODUCTION), command: `mkdir -p ${releases}/42` }))),
  ]);
  return first;
}

/** Somebody at a terminal. It takes a while, as it does; whoever looks at once sees it live. */
export async function typeAtTerminal(door: DemoDoor, signal: AbortSignal): Promise<void> {
  const human = await loginOf(door, HUMAN_KEY);
  await told(
    typeThroughGateway({
      ...human(PRODUCTION),
      lines: ['ls --color=always -l /', 'df -h', 'ps -e | head -n 12', 'cat /etc/os-release', 'exit'],
      cols: 100,
      rows: 30,
      keyMillis: 40,
      signal,
    }),
  );
}

async function loginOf({ directory, host, port, hostKeyFingerprint }: DemoDoor, key: string): Promise<(target: string) => LoopbackLogin> {
  const privateKey = await readFile(keyFile(directory, key), 'utf8');
  return (user) => ({ host, port, hostKeyFingerprint, user, privateKey });
}

/** What only adds to the picture does not keep the demo from starting: a machine may have no SFTP server, for example. */
async function told(session: Promise<unknown>): Promise<void> {
  await session.catch((error: unknown) => void process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`));
}

const NOTES = `Release 42
- the importer reads files of any size
- the nightly job tells why it failed
`;
