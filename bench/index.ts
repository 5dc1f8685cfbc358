import { setTimeout as delay } from 'node:timers/promises';
import { packBlocks } from '../gateway/indexing/channel-indexer.ts';
import { findSegment } from '../gateway/indexing/found-segment.ts';
import { IndexedChannel } from '../gateway/indexing/indexed-channel.ts';
import { makePart } from '../gateway/indexing/part-maker.ts';
import { askGateway } from '../gateway/operator-api/ask-gateway.ts';
import { version } from '../gateway/version.ts';
import { RecordedData } from '../test/indexing/recorded-data.ts';
import type { Belongings } from '../test/support/temp.ts';
import { EchoTerminal } from './support/echo-terminal.ts';
import { type KindOfOutput, kindsOfOutput, output, outputTerminal } from './support/indexed-output.ts';
import { judged, type Measurement, report } from './support/measurement.ts';
import { openRoutes, throughGateway } from './support/openssh-routes.ts';
import type { Row } from './support/row.ts';
import { median, quantile } from './support/statistics.ts';

const goalMegabytes = 25;
const leastMegabytes = 15;
const segmentBytes = 4 * 1024 * 1024;

/** Row 10: cast text that a core indexes in a second, and what that does to whoever types meanwhile. */
export const index: Row = {
  row: 10,
  name: 'index',
  what: 'cast text indexed a second of a core: parts, and screen text as it is stored; and a keystroke echo meanwhile',
  async run(belongings, { quick, runs, profile, say }) {
    const data = await RecordedData.open(belongings, segmentBytes);
    const extras: Measurement[] = [];
    const whole: number[] = [];
    for (const kind of kindsOfOutput) {
      const session = await data.session({ happenings: output(kind, quick ? 8e6 : 32e6), terminal: outputTerminal });
      await data.indexing.indexer.idle();
      const [parts, text]: [number[], number[]] = [[], []];
      for (let run = 0; run < runs; run += 1) {
        parts.push(await rate(data, session, false));
        text.push(await rate(data, session, true));
      }
      say(`${kind}: ${median(parts).toFixed(1)} MB/s, with screen text ${median(text).toFixed(1)} MB/s`);
      extras.push(figure(kind, 'parts alone', parts), figure(kind, 'with screen text', text));
      whole.push(median(text));
    }
    extras.push(...(await echoes(belongings, { quick, runs, profile, say })));
    const slowest = Math.min(...whole);
    const main = report({
      row: 10,
      name: 'index',
      unit: 'MB/s',
      values: whole,
      note: `log, TUI and build output with screen text; at least ${leastMegabytes}`,
    });
    return { main: judged(main, `≥ ${goalMegabytes} MB/s`, slowest >= goalMegabytes), extras };
  },
};

function figure(kind: KindOfOutput, what: string, values: readonly number[]): Measurement {
  return judged(
    report({ row: 10, name: `index ${kind}, ${what}`, unit: 'MB/s', values }),
    `≥ ${leastMegabytes} MB/s`,
    median(values) >= leastMegabytes,
  );
}

/** Megabytes of cast text for a second of this thread. Storing is done by the database's own threads: search has a row for it. */
async function rate(data: RecordedData, session: string, withText: boolean): Promise<number> {
  const channel = new IndexedChannel();
  let bytes = 0;
  const before = process.threadCpuUsage();
  for (const segment of await data.segments(session)) {
    const { pieces, damaged, fault } = await findSegment(data.directory, segment);
    if (fault !== undefined) throw new Error(`segment ${segment.segment}: ${fault}`);
    const made = makePart({ channel, segment, pieces, damaged, last: false, alive: () => undefined });
    if (withText) packBlocks(made.lines);
    else for (const line of made.lines) void line;
    bytes += made.part.pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  }
  const { user, system } = process.threadCpuUsage(before);
  channel.dispose();
  return bytes / (user + system);
}

/** Row 3's keystroke, while the indexer has nothing to do and while it works off a large backlog. */
async function echoes(
  belongings: Belongings,
  { quick, runs, profile, say }: { quick: boolean; runs: number; profile?: string | undefined; say: (line: string) => void },
): Promise<Measurement[]> {
  const { client, gateway } = await openRoutes(belongings, { profile });
  const keystrokes = quick ? 40 : 300;
  // A backlog that lasts: it is indexed anew as often as it takes.
  await client.seconds(
    throughGateway,
    `seq -f 'line %.0f of a log that is indexed again and again while somebody types' ${quick ? 200_000 : 1_000_000}`,
  );
  const measured = { idle: [] as number[][], busy: [] as number[][] };
  for (let run = 0; run < runs; run += 1) {
    for (const state of ['idle', 'busy'] as const) {
      const terminal = await EchoTerminal.open(belongings, client, throughGateway);
      for (let key = 0; key < 10; key += 1) await terminal.echoMs();
      const work = state === 'busy' ? keepIndexing(gateway.data) : undefined;
      const times: number[] = [];
      for (let key = 0; key < keystrokes; key += 1) {
        await delay(5 + Math.random() * 10);
        times.push(await terminal.echoMs());
      }
      await work?.stop();
      await terminal.close();
      measured[state].push(times);
    }
    const p50 = (times: number[] | undefined) => quantile(times ?? [], 0.5).toFixed(2);
    say(`run ${run + 1} of ${runs}: echo p50 ${p50(measured.idle.at(-1))} ms idle, ${p50(measured.busy.at(-1))} ms while indexing`);
  }
  await gateway.stop();
  return (['idle', 'busy'] as const).flatMap((state) =>
    [0.5, 0.99].map((share) =>
      report({
        row: 10,
        name: `echo p${share * 100}, indexer ${state}`,
        unit: 'ms',
        values: measured[state].map((times) => quantile(times, share)),
        note: `${keystrokes} keystrokes in each of ${runs} runs, through the gateway`,
      }),
    ),
  );
}

function keepIndexing(data: string): { stop: () => Promise<void> } {
  let stopped = false;
  const working = (async () => {
    while (!stopped) {
      // Asked from here: a command of its own would take more of the machine than what it asks for.
      const done = await askGateway(data, 'index.rebuild', {}, { user: 'bench', version, patience: 600_000 });
      if (done === undefined) throw new Error('no gateway takes what is asked of it');
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await working;
    },
  };
}
