import { randomBytes } from 'node:crypto';
import { readdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import { ssh } from '../../support/clients.ts';
import { sallyport } from '../../support/gateway.ts';
import { endedSessions } from '../../support/recordings.ts';
import { type Finished, run } from '../../support/run.ts';
import type { Belongings } from '../../support/temp.ts';
import { openWorld, type World, webTarget } from '../../support/world.ts';

/** A gateway with sessions of every kind behind it, real ones: what a bundle may have to hold. */
export interface RecordedWorld {
  world: World;
  data: string;
}

/** Commands that try to break out of wherever they are shown. */
export const hostileCommands = [
  'echo "quoted \\"twice\\"" \'single\' `true`; echo -e "\\033[2J\\033]0;owned\\007"',
  'echo =cmd\\|calc; printf "a\\nb\\r\\nc\\tz"',
  'echo déjà vu 漢字 שלום 👩🏽‍🚀; printf "\\303\\050\\377"',
  "echo '\",\"type\":\"session.open\"}' '\\\\' '</script><script>alert(1)</script>'",
];

export async function openRecordedWorld(belongings: Belongings): Promise<RecordedWorld> {
  const world = await openWorld(belongings, {
    agents: 12,
    targets: (host) => [{ ...webTarget(host, 'whole'), recording: { content: 'whole' } }],
    configuration: { recording: { segment: '64KiB' } },
  });
  const data = world.gateway.data;
  const route = world.agent();
  expect((await ssh(route, 'echo out; echo err >&2; exit 3')).status).toBe(3);
  await ssh(route, undefined, { flags: ['-tt'], input: 'stty cols 100; ls /; exit\n' });
  for (const command of hostileCommands) await ssh(route, command);
  await ssh(route, 'cat | wc -c', { input: randomBytes(100_000) });
  await ssh({ ...route, user: 'nowhere' }, 'true');
  const long = world.agent();
  await ssh(long, 'for n in $(seq 12000); do echo "line $n of a recording that has several segments"; done');
  const whole = world.agent('whole');
  await ssh(whole, 'head -c 300000 /dev/urandom');
  await endedSessions(data, route.principal, 7);
  await endedSessions(data, long.principal);
  await endedSessions(data, whole.principal);
  return { world, data };
}

/** Exports, and gives the path of the bundle. */
export async function exported(belongings: Belongings, data: string, args: readonly string[] = [], status = 0): Promise<string> {
  const path = join(belongings.directory('bundle'), 'bundle.zip');
  const finished = await sallyport(['export', '--data', data, '-o', path, ...args]);
  expect(finished.status, finished.stderr).toBe(status);
  return path;
}

export async function unpacked(belongings: Belongings, bundle: string): Promise<string> {
  const directory = belongings.directory('unpacked');
  const finished = await run('unzip', ['-q', bundle, '-d', directory]);
  expect(finished.status, finished.stderr).toBe(0);
  return directory;
}

/** A shell, and a folder for PATH with nothing in it but sha256sum, openssl and this awk. */
export interface Machine {
  shell: readonly [string, ...string[]];
  path: string;
}

export async function bareMachine(belongings: Belongings, shell: string, awk: string): Promise<Machine> {
  const path = belongings.directory('machine');
  const programs = { sha256sum: 'sha256sum', openssl: 'openssl', awk: awk.startsWith('busybox') ? 'busybox' : awk };
  for (const [name, program] of Object.entries(programs)) symlinkSync(await whereIs(program), join(path, name));
  const [program = '', ...words] = shell.split(' ');
  return { shell: [await whereIs(program), ...words], path };
}

export async function whereIs(program: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'command -v "$1"', 'sh', program]);
  return stdout.toString().trim();
}

export function runScript(machine: Machine, bundle: string, args: readonly string[] = []): Promise<Finished> {
  const [shell, ...words] = machine.shell;
  return run(shell, [...words, join(bundle, 'data/verify.sh'), ...args], { env: { PATH: machine.path }, timeoutMs: 280_000 });
}

/** The files below a folder, by their paths relative to it. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}
