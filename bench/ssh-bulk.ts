import type { Belongings } from '../test/support/temp.ts';
import { type Transfer, type Transferred, transfer } from './support/bulk-transfer.ts';
import { binaryCorpus, type Corpus, textCorpus } from './support/corpus.ts';
import { compare, type Measurement, report } from './support/measurement.ts';
import { openRoutes, proxyJump, type Routes, throughGateway } from './support/openssh-routes.ts';
import type { Row, RowOptions } from './support/row.ts';

/** The one cipher of every hop on both sides, so that the relay is compared and not the ciphers. */
const cipher = 'aes128-gcm@openssh.com';
const goal = 1.25;
const megabyte = 1e6;

/** Row 1: 300 MB through exec, fully recorded, against the same through a second sshd, not recorded. */
export const sshBulk: Row = {
  row: 1,
  name: 'ssh-bulk',
  what: 'SSH bulk through exec, fully recorded, against ProxyJump, not recorded',
  async run(belongings, options) {
    const files = belongings.directory('bench-files');
    const bytes = (options.quick ? 20 : 300) * megabyte;
    const text = textCorpus(files, bytes);
    const binary = binaryCorpus(files, bytes);

    const routes = await openRoutes(belongings, { cipher, profile: options.profile });
    const download = await measured('ssh-bulk', routes, { corpus: text, upload: false }, options);
    const upload = await measured('ssh-bulk upload', routes, { corpus: text, upload: true }, options);
    const binaryDownload = await measured('ssh-bulk binary', routes, { corpus: binary, upload: false }, options);
    const growth = options.quick ? [] : await grown(files, routes, options);
    await routes.gateway.stop();
    const negotiated = await asNegotiated(belongings, text, options);

    return {
      main: { ...download.main, goal, met: (download.main.ratio ?? 0) >= goal },
      extras: [download, upload, binaryDownload]
        .flatMap((each, index) => [...(index === 0 ? [] : [each.main]), ...each.extras])
        .concat(growth, negotiated),
    };
  },
};

/** One kind of transfer: the throughput that the client saw, and what the recording cost beside it. */
async function measured(
  name: string,
  routes: Routes,
  what: Transfer,
  options: RowOptions,
): Promise<{ main: Measurement; extras: Measurement[] }> {
  const { ours, peer } = await transfer(routes, what, { runs: options.runs, say: (text) => options.say(`${name}: ${text}`) });
  const rate = (seconds: number) => what.corpus.bytes / megabyte / seconds;
  const peerRates = { name: 'ProxyJump', values: peer.map(rate) };
  const size = `${what.corpus.bytes / megabyte} MB`;
  const line = (lineName: string, seconds: (run: Transferred) => number, note: string) =>
    compare({ row: 1, name: lineName, unit: 'MB/s', better: 'higher', ours: ours.map((run) => rate(seconds(run))), peer: peerRates, note });
  const figure = (figureName: string, unit: string, value: (run: Transferred) => number, note: string) =>
    report({ row: 1, name: `${name} ${figureName}`, unit, values: ours.map(value), note });
  return {
    main: line(
      name,
      (run) => run.clientSeconds,
      `${size}, as the client saw it, ${cipher} on every hop; every recording verified byte by byte`,
    ),
    extras: [
      line(`${name} until sealed`, (run) => run.clientSeconds + run.sealSeconds, 'the same runs, counted until nothing was left unsealed'),
      figure('sealing after', 's', (run) => run.sealSeconds, 'from the end of the client until everything was sealed'),
      figure('processor', 's', (run) => run.processorSeconds, 'of all threads of the gateway, sealing included'),
      figure('memory', 'MiB', (run) => run.peakBytes / 1024 / 1024, 'the most that was resident in the gateway during a run'),
    ],
  };
}

/** How the cost grows with the length of a recording. */
async function grown(files: string, routes: Routes, options: RowOptions): Promise<Measurement[]> {
  const lines: Measurement[] = [];
  for (const megabytes of [1, 30, 1000]) {
    const corpus = textCorpus(files, megabytes * megabyte);
    const { main, extras } = await measured(`ssh-bulk, ${megabytes} MB`, routes, { corpus, upload: false }, { ...options, runs: 3 });
    lines.push(main, ...extras.filter((extra) => /until sealed|memory/.test(extra.name)));
  }
  return lines;
}

/** Once more with whatever cipher each side negotiates when nobody says which. */
async function asNegotiated(belongings: Belongings, corpus: Corpus, options: RowOptions): Promise<Measurement[]> {
  const routes = await openRoutes(belongings, {});
  const { main } = await measured('ssh-bulk, default ciphers', routes, { corpus, upload: false }, options);
  const through = await routes.client.negotiated(throughGateway);
  const jump = await routes.client.negotiated(proxyJump);
  await routes.gateway.stop();
  const note = `the client negotiated ${through.join(', ')} with the gateway, and ${jump.join(', then ')} over ProxyJump`;
  return [{ ...main, note }];
}
