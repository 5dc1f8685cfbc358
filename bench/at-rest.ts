import { fileURLToPath } from 'node:url';
import { Database } from '../gateway/store/database.ts';
import { makeKey } from '../test/support/keys.ts';
import { startTargetHost } from '../test/support/sshd.ts';
import type { Belongings } from '../test/support/temp.ts';
import { until } from '../test/support/wait.ts';
import { type Capture, capture, works } from './support/captured-work.ts';
import { BenchGateway } from './support/gateway.ts';
import { compare, judged, type Measurement, report } from './support/measurement.ts';
import { requireOpenSsh } from './support/peers.ts';
import type { Row } from './support/row.ts';
import { SshClient } from './support/ssh-client.ts';
import { median } from './support/statistics.ts';
import { inTerminal, recorders, requireRecorders, type TerminalRecorder } from './support/terminal-recorders.ts';

const replayer = fileURLToPath(new URL('./support/replay-capture.ts', import.meta.url));
const kibibyte = 1024;
/** A minute of work takes three seconds, and Sallyport seals every three seconds instead of every minute. */
const FASTER = 20;

interface Sizes {
  ours: number;
  /** The same in one segment, as if nothing were sealed before the end. */
  atOnce: number;
  /** Records of the seals, which are what proves the recording. */
  seals: number;
  peers: Map<TerminalRecorder, number>;
}

/** A gateway with a target for each work, so that its sessions are told apart, and a client of it. */
interface Way {
  gateway: BenchGateway;
  client: SshClient;
}

/** Row 13: what the same work takes on the disk, recorded by us and by others. */
export const atRest: Row = {
  row: 13,
  name: 'at-rest',
  what: 'size of interactive work at rest: log, vim, htop, shell',
  async run(belongings, { quick, runs, say }) {
    await requireOpenSsh();
    await requireRecorders(belongings, say);
    const minutes = quick ? 2 : 30;
    const directory = belongings.directory('work');
    const captures = await Promise.all(works(directory).map((work) => capture(belongings, work, (minutes * 60) / FASTER)));
    say(`captured: ${captures.map(({ name, bytes }) => `${name} ${Math.round(bytes / kibibyte)} KiB`).join(', ')}`);
    const names = captures.map(({ name }) => name);
    const ways = {
      ours: await openWay(belongings, names, 60 / FASTER),
      atOnce: await openWay(belongings, names, 3600),
    };

    const sizes = new Map<string, Sizes[]>(names.map((name) => [name, []]));
    for (let round = 0; round < runs; round += 1) {
      // All of them at the same time: what is compared is not speed, and it would take an hour otherwise.
      await Promise.all(captures.map(async (each) => sizes.get(each.name)?.push(await recordByAll(belongings, each, ways))));
      say(`recorded by all, ${round + 1} of ${runs}`);
    }
    for (const { gateway } of Object.values(ways)) await gateway.stop();

    const extras = captures.flatMap((each) => measurementsOf(each, sizes.get(each.name) ?? []));
    const total = (of: (size: Sizes) => number) =>
      Array.from({ length: runs }, (_, round) => names.reduce((sum, name) => sum + of(sizes.get(name)?.[round] as Sizes), 0) / kibibyte);
    const best = recorders
      .filter(({ measured }) => measured === 'goal')
      .map((recorder) => ({ name: recorder.name, values: total(({ peers }) => peers.get(recorder) ?? Number.NaN) }))
      .toSorted((a, b) => median(a.values) - median(b.values))[0];
    if (best === undefined) throw new Error('no peer was measured');
    const main = compare({
      row: 13,
      name: 'at-rest',
      unit: 'KiB',
      better: 'lower',
      ours: total(({ ours }) => ours),
      peer: best,
      goal: 1,
      note: `log, vim, htop and shell together, ${minutes} minutes each, ${FASTER} times as fast and sealed ${FASTER} times as often; the peer is the smallest`,
    });
    const met = extras.every((measurement) => measurement.met !== false) && main.met === true;
    return { main: judged(main, 'smallest, in each work', met && !quick), extras };
  },
};

function measurementsOf({ name, bytes }: Capture, of: readonly Sizes[]): Measurement[] {
  const ours = of.map((size) => size.ours / kibibyte);
  const figure = (what: string, values: readonly number[], note: string) =>
    report({ row: 13, name: `at-rest ${name} ${what}`, unit: 'KiB', values: values.map((value) => value / kibibyte), note });
  return [
    ...recorders.map((recorder) =>
      compare({
        row: 13,
        name: `at-rest ${name}`,
        unit: 'KiB',
        better: 'lower',
        ours,
        peer: { name: recorder.name, values: of.map(({ peers }) => (peers.get(recorder) ?? Number.NaN) / kibibyte) },
        ...(recorder.measured === 'goal' ? { goal: 1 } : {}),
      }),
    ),
    figure(
      'in one segment',
      of.map(({ atOnce }) => atOnce),
      'ours, sealed only at the end: what sealing as often as it does costs',
    ),
    figure(
      'seals',
      of.map(({ seals }) => seals),
      `records of the segments, in the database; the output itself has ${Math.round(bytes / kibibyte)} KiB`,
    ),
  ];
}

async function openWay(belongings: Belongings, names: readonly string[], sealedEvery: number): Promise<Way> {
  const directory = belongings.directory('way');
  const host = await startTargetHost(belongings);
  const clientKey = await makeKey(directory, 'client');
  const gateway = await BenchGateway.start(belongings, {
    targets: names.map((name) => ({ name, port: host.port, hostKey: host.hostKey, login: 'root', credential: host.loginKey })),
    clientKey,
    recording: { 'segment-after': `${sealedEvery}s` },
  });
  const hosts = names.map((name) => gateway.host(name, name));
  return { gateway, client: new SshClient(directory, 'bench', hosts) };
}

/** By every recorder at once, each in a terminal of its own. */
async function recordByAll(belongings: Belongings, captured: Capture, ways: Record<'ours' | 'atOnce', Way>): Promise<Sizes> {
  const directory = belongings.directory('recorded');
  const program = [process.execPath, replayer, captured.file];
  const peers = new Map<TerminalRecorder, number>();
  const others = recorders.map(async (recorder, index) => {
    const file = `${directory}/${index}.recording`;
    const seen = await inTerminal(recorder.command(file, program), directory);
    // Some announce themselves, and some translate line ends: it is about what was captured, or it is not the same work.
    if (seen < captured.bytes * 0.9) throw new Error(`${recorder.name} showed ${seen} of ${captured.bytes} characters of ${captured.name}`);
    peers.set(recorder, await recorder.size(file));
  });
  const through = ({ client }: Way) => inTerminal(['ssh', ...client.args(captured.name, program.join(' '), ['-tt'])], directory);
  await Promise.all([...others, through(ways.ours), through(ways.atOnce)]);
  const ours = await sizesOf(ways.ours.gateway, captured);
  const atOnce = await sizesOf(ways.atOnce.gateway, captured);
  return { ours: ours.segments, seals: ours.seals, atOnce: atOnce.segments, peers };
}

/** Of the last session of this work. All that was shown is in it, or it does not count. */
async function sizesOf(gateway: BenchGateway, { name, bytes }: Capture): Promise<{ segments: number; seals: number }> {
  const session = await until(
    `the session of ${name} is closed`,
    async () => {
      const last = (await gateway.sessions()).filter(({ target }) => target === name).at(-1);
      return last?.state === 'closed' ? last : undefined;
    },
    { withinMs: 60_000, everyMs: 500 },
  );
  if (session.bytesOut < bytes) throw new Error(`${session.bytesOut} of ${bytes} bytes of ${name} are recorded`);
  const database = await Database.openForReading(gateway.data);
  try {
    const segments = await database.segments.ofSession(session.id);
    const seals = (await database.records.ofSession(session.id, 0, 100_000)).filter(({ type }) => type === 'segment.sealed');
    return {
      segments: segments.reduce((sum, segment) => sum + segment.bytes, 0),
      seals: seals.reduce((sum, record) => sum + (record.bytes?.length ?? 0), 0),
    };
  } finally {
    await database.close();
  }
}
