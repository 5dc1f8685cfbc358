import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import type { Finding } from '../../../gateway/query/verify/finding.ts';
import type { Outcome } from '../../../gateway/query/verify/outcome.ts';
import { type VerifyOptions, verifyDataDirectory } from '../../../gateway/query/verify/verify-data-directory.ts';
import { type Route, ssh, sshArguments } from '../../support/clients.ts';
import { type Configuration, type Gateway, startGateway } from '../../support/gateway.ts';
import { learnHostKey, makeKey } from '../../support/keys.ts';
import { endedSessions } from '../../support/recordings.ts';
import { plainEnvironment, startProgram } from '../../support/run.ts';
import type { Belongings } from '../../support/temp.ts';

/** What a gateway left behind after a day's work, as the attacks find it. */
export interface Evidence {
  /** Never changed: each attack works on a copy. */
  data: string;
  /** The checkpoint as somebody outside kept it, when about half was recorded. */
  older: string;
  /** The whole data directory as it was then. */
  backup: string;
  /** The ledger's public key, got another way. */
  key: string;
}

/** So many that the ledger has full tiles. */
const COMMANDS = 34;

/**
 * Real sessions through a real gateway: enough that the ledger has full tiles, one with several segments, one with
 * content kept whole, refusals, and one that the gateway was killed under.
 */
export async function makeEvidence(
  belongings: Belongings,
  configuration: Configuration = {},
  commands: number = COMMANDS,
): Promise<Evidence> {
  const directory = belongings.directory('evidence');
  const [agent, stranger] = await Promise.all([makeKey(directory, 'agent'), makeKey(directory, 'stranger')]);
  const gateway = await startGateway(belongings, {
    configuration: {
      gateway: { name: 'evidence' },
      humans: [{ name: 'engineer@example.com' }],
      agents: [{ name: 'bot', 'on-behalf-of': 'engineer@example.com', 'ssh-keys': [agent.publicLine] }],
      targets: [{ name: 'local', kind: 'shell', shell: '/bin/sh', directory: '/', allow: ['bot'] }],
      recording: { reserve: '1MiB', segment: '64KiB', content: 'whole' },
      ...configuration,
    },
  });
  const knownHosts = join(directory, 'known_hosts');
  const hostKey = await learnHostKey(knownHosts, gateway.host, gateway.port);
  const route = { host: gateway.host, port: gateway.port, user: 'local', key: agent, knownHosts, hostKey };

  await ssh(route, 'seq 1 30000');
  await ssh(route, 'head -c 300000 /dev/zero');
  await ssh({ ...route, key: stranger }, 'true');
  const older = join(directory, 'older-checkpoint');
  const backup = join(directory, 'backup');
  for (let done = 0; done < commands; done += 2)
    await Promise.all([ssh(route, `echo command ${done}; exit 3`), ssh(route, 'cat', { input: `said ${done}\n` })]);
  await endedSessions(gateway.data, 'bot', commands + 2);
  await gateway.stop();
  cpSync(join(gateway.data, 'ledger', 'checkpoint'), older);
  cpSync(gateway.data, backup, { recursive: true });
  await gateway.start();
  await killUnder(gateway, route);
  await gateway.start();
  await ssh(route, 'echo the last one');
  await endedSessions(gateway.data, 'bot', commands + 4);
  await gateway.stop();
  return { data: gateway.data, older, backup, key: join(gateway.data, 'keys', 'ledger.pub') };
}

async function killUnder(gateway: Gateway, route: Route): Promise<void> {
  const client = startProgram('ssh', [...sshArguments(route, ['-tt']), 'echo ready; cat'], {
    env: plainEnvironment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await new Promise<void>((resolve) => {
    client.stdout?.on('data', (chunk: Buffer) => chunk.includes('ready') && resolve());
  });
  await gateway.kill();
  client.kill();
}

export interface Verified {
  findings: Finding[];
  faults: Finding[];
  outcome: Outcome;
  /** Every fault as `code where`, for comparing at a glance. */
  summary: string[];
}

export async function verify(data: string, options: VerifyOptions = {}): Promise<Verified> {
  const findings: Finding[] = [];
  const outcome = await verifyDataDirectory(data, options, (finding) => findings.push(finding));
  const faults = findings.filter(({ severity }) => severity === 'fault');
  return { findings, faults, outcome, summary: faults.map(({ code, where, words }) => `${code} ${JSON.stringify(where)} ${words}`) };
}

export function copyOf(belongings: Belongings, data: string): string {
  const copy = join(belongings.directory('attacked'), 'data');
  cpSync(data, copy, { recursive: true });
  return copy;
}

/** Runs SQL in the database of a data directory, as somebody with the file would. */
export function sql<Row = unknown>(data: string, statement: string, parameters: unknown[] = []): Promise<Row[]> {
  const database = new sqlite3.Database(join(data, 'sallyport.db'));
  return new Promise((resolve, reject) => {
    database.all<Row>(statement, parameters, (error, rows) => {
      database.close(() => {
        if (error === null) resolve(rows);
        else reject(error);
      });
    });
  });
}

/** All files below a directory that end so, sorted. */
export function filesBelow(directory: string, suffix = ''): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => path.endsWith(suffix) && statSync(path).isFile())
    .sort();
}

export function checkpointSize(data: string): number {
  return Number(readFileSync(join(data, 'ledger', 'checkpoint'), 'utf8').split('\n')[1]);
}

/** The same bytes with one of them changed. */
export function flip(bytes: Uint8Array, at: number, bit = 1): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] as number) ^ bit;
  return changed;
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
