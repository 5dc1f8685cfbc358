import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Database } from '../gateway/store/database.ts';
import { makeKey } from '../test/support/keys.ts';
import { startTargetHost } from '../test/support/sshd.ts';
import type { Belongings } from '../test/support/temp.ts';
import { type Capture, capture, works } from './support/captured-work.ts';
import { BenchGateway } from './support/gateway.ts';
import { compare, judged, type Measurement, report } from './support/measurement.ts';
import { requireOpenSsh } from './support/peers.ts';
import type { Row } from './support/row.ts';
import { SshClient } from './support/ssh-client.ts';
import { median } from './support/statistics.ts';
import { inTerminal, recorders, requireRecorders } from './support/terminal-recorders.ts';

const replayer = fileURLToPath(new URL('./support/replay-capture.mjs', import.meta.url));
const kibibyte = 1024;
/** A minute of work is captured in a second, and Sallyport seals every second instead of every minute. */
const FASTER = 60;

interface Sizes {
  ours: number;
  /** Records of the seals, which are what proves the recording. */
  records: number;
  peers: Map<string, number>;
}

/** Row 13: what the same work takes on the disk, recorded by us and by others. */
export const atRest: Row = {
  row: 13,
  name: 'at-rest',
  what: 'size of interactive work at rest: log, vim, htop, shell',
  async run(belongings, { quick, runs, say }) {
    await requireOpenSsh();
    await requireRecorders(belongings, say);
    const minutes = quick ? 4 : 60;
    const directory = belongings.directory('work');
    const captures = await Promise.all(works(directory).map((work) => capture(belongings, work, (minutes * 60) / FASTER)));
    say(`captured: ${captures.map(({ name, bytes }) => `${name} ${Math.round(bytes / kibibyte)} KiB`).join(', ')}`);

    const host = await startTargetHost(belongings);
    const clientKey = await makeKey(directory, 'client');
    const gateway = await BenchGateway.start(belongings, {
      targets: [{ name: 'target', port: host.port, hostKey: host.hostKey, login: 'root', credential: host.loginKey }],
      clientKey,
      recording: { 'segment-after': `${60 / FASTER}s` },
    });
    const client = new SshClient(directory, 'bench', [gateway.host('gateway', 'target')]);

    const sizes = new Map<string, Sizes[]>(captures.map(({ name }) => [name, []]));
    for (let round = 0; round < runs; round += 1) {
      for (const each of captures) sizes.get(each.name)?.push(await recordByAll(belongings, each, gateway, client));
      say(`recorded by all, ${round + 1} of ${runs}`);
    }
    await gateway.stop();

    const extras: Measurement[] = [];
    for (const { name, bytes } of captures) {
      const of = sizes.get(name) ?? [];
      const note = `${Math.round(bytes / kibibyte)} KiB of output; ours is ${(bytes / median(of.map(({ ours }) => ours))).toFixed(1)} to 1`;
      for (const recorder of recorders) {
        const values = of.map(({ peers }) => (peers.get(recorder.name) ?? Number.NaN) / kibibyte);
        const ours = of.map((size) => size.ours / kibibyte);
        extras.push(
          compare({
            row: 13,
            name: `at-rest ${name}`,
            unit: 'KiB',
            better: 'lower',
            ours,
            peer: { name: recorder.name, values },
            goal: 1,
            note,
          }),
        );
      }
      extras.push(
        report({
          row: 13,
          name: `at-rest ${name} seals`,
          unit: 'KiB',
          values: of.map(({ records }) => records / kibibyte),
          note: 'records of the segments, in the database',
        }),
      );
    }

    const total = (of: (size: Sizes) => number) =>
      Array.from(
        { length: runs },
        (_, round) => captures.reduce((sum, { name }) => sum + of(sizes.get(name)?.[round] as Sizes), 0) / kibibyte,
      );
    const ours = total((size) => size.ours);
    const best = recorders
      .map(({ name }) => ({ name, values: total(({ peers }) => peers.get(name) ?? Number.NaN) }))
      .toSorted((a, b) => median(a.values) - median(b.values))[0];
    if (best === undefined) throw new Error('no peer was measured');
    const main = compare({
      row: 13,
      name: 'at-rest',
      unit: 'KiB',
      better: 'lower',
      ours,
      peer: best,
      goal: 1,
      note: `log, vim, htop and shell together, ${minutes} minutes each in ${minutes} seconds, sealed ${FASTER} times as often; the peer is the smallest`,
    });
    const met = extras.every((measurement) => measurement.met !== false) && main.met === true;
    return { main: judged(main, 'smallest of all, in each work', met && !quick), extras };
  },
};

/** All of them at the same time, each in a terminal of its own. */
async function recordByAll(belongings: Belongings, captured: Capture, gateway: BenchGateway, client: SshClient): Promise<Sizes> {
  const directory = belongings.directory('recorded');
  const program = [process.execPath, replayer, captured.file];
  const peers = new Map<string, number>();
  const others = recorders.map(async (recorder, index) => {
    const file = join(directory, `${index}.recording`);
    const seen = await inTerminal(recorder.command(file, program), directory);
    // Some announce themselves, and some translate line ends: it is at least what was captured.
    if (seen < captured.bytes * 0.9) throw new Error(`${recorder.name} showed ${seen} of ${captured.bytes} characters`);
    peers.set(recorder.name, await recorder.size(file));
  });
  const ssh = inTerminal(['ssh', ...client.args('gateway', program.join(' '), ['-tt'])], directory);
  await Promise.all([...others, ssh]);
  const { id, state } = await gateway.latestSession();
  if (state !== 'closed') throw new Error(`the session ended as ${state}`);
  await gateway.sealed();
  const database = await Database.openForReading(gateway.data);
  try {
    const segments = await database.segments.ofSession(id);
    const records = (await database.records.ofSession(id, 0, 100_000)).filter(({ type }) => type === 'segment.sealed');
    return {
      ours: segments.reduce((sum, { bytes }) => sum + bytes, 0),
      records: records.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0),
      peers,
    };
  } finally {
    await database.close();
  }
}
