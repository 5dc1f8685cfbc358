import { Player } from '../contract/replay/player.ts';
import { FileDriver } from '../gateway/query/replay/file-driver.ts';
import { randomNumbers } from '../test/replay/random-output.ts';
import type { Belongings } from '../test/support/temp.ts';
import { type LargeRecording, makeRecording } from './support/large-recording.ts';
import { compare, judged, type Measurement, report } from './support/measurement.ts';
import { openPeer, type Peer } from './support/peer-player.ts';
import type { Row } from './support/row.ts';
import { median, quantile } from './support/statistics.ts';

const MEGABYTE = 1e6;
const SIZES = [1, 10, 100, 1000].map((size) => size * MEGABYTE);
/** What the peer is tried with, from the largest on: it holds all of a recording in one string. */
const PEER_SIZES = [500, 250, 125, 60, 30].map((size) => size * MEGABYTE);
const PEER_PATIENCE = 120_000;
const SEEKS = 200;
const PEER_SEEKS = 10;
const GOAL_OPEN = 100;
const GOAL_SEEK = 30;

const host = { now: () => performance.now(), pause: () => new Promise<void>((resolve) => setImmediate(resolve)) };

interface Timed {
  readonly open: number;
  readonly seeks: readonly number[];
  /** How long others had to wait for their turn at most. */
  readonly longestTurn: number;
}

/** Row 9: opening a long recording and going to any moment of it. */
export const replaySeek: Row = {
  row: 9,
  name: 'replay-seek',
  what: 'open a recording of 1 GB, and seek in it',
  async run(belongings, { quick, runs, say }) {
    const growth: Measurement[] = [];
    let largest: { recording: LargeRecording; timed: Timed[] } | undefined;
    for (const size of quick ? SIZES.slice(0, 2) : SIZES) {
      const began = performance.now();
      const recording = await makeRecording(belongings, size);
      say(`${size / MEGABYTE} MB in ${recording.segments} segments, made and indexed in ${seconds(performance.now() - began)}`);
      const timed: Timed[] = [];
      for (let run = 0; run < runs; run += 1) timed.push(await timeOurs(recording, run));
      largest = { recording, timed };
      growth.push(...figures(size, timed));
      say(`${size / MEGABYTE} MB: ${inWords(timed)}`);
    }
    if (largest === undefined) throw new Error('nothing was measured');
    const peer = await largestPeer(belongings, quick ? PEER_SIZES.slice(-1) : PEER_SIZES, say);
    const { timed } = largest;
    const ours = timed.map(({ seeks }) => quantile(seeks, 0.95));
    const opens = timed.map(({ open }) => open);
    const peerRuns: number[] = [];
    for (let run = 0; run < runs; run += 1) peerRuns.push(quantile(await timePeer(peer.player, run), 0.95));
    const main = compare({
      row: 9,
      name: 'replay-seek',
      unit: 'ms p95',
      better: 'lower',
      ours,
      peer: { name: `asciinema-player with ${peer.bytes / MEGABYTE} MB`, values: peerRuns },
      note: `${SEEKS} random moments of ${Math.round(largest.recording.bytes / MEGABYTE)} MB each run; the peer with the largest recording that it loads`,
    });
    const met = !quick && median(ours) <= GOAL_SEEK && median(opens) <= GOAL_OPEN;
    return {
      main: judged(main, `open in ${GOAL_OPEN} ms, p95 of seeks ${GOAL_SEEK} ms`, met),
      extras: [
        compare({
          row: 9,
          name: 'replay-seek open',
          unit: 'ms',
          better: 'lower',
          ours: opens,
          peer: { name: `asciinema-player with ${peer.bytes / MEGABYTE} MB`, values: [peer.player.openMillis] },
          ...(peer.refused.length === 0 ? {} : { note: peer.refused.join('; ') }),
        }),
        ...growth,
      ],
    };
  },
};

async function timeOurs({ database, session }: LargeRecording, run: number): Promise<Timed> {
  const random = randomNumbers(run + 1);
  const began = performance.now();
  const driver = await FileDriver.open(database, session, 0);
  const open = performance.now() - began;
  let since = performance.now();
  let longestTurn = 0;
  const player = new Player(driver, {
    ...host,
    pause: async () => {
      longestTurn = Math.max(longestTurn, performance.now() - since);
      await host.pause();
      since = performance.now();
    },
  });
  const seeks: number[] = [];
  for (let seek = 0; seek < SEEKS; seek += 1) {
    const at = random(1e6) * (driver.outline.duration / 1e6);
    const sought = performance.now();
    since = sought;
    player.seek(at, 0);
    await player.shown();
    seeks.push(performance.now() - sought);
  }
  await player.close();
  return { open, seeks, longestTurn };
}

async function timePeer(peer: Peer, run: number): Promise<number[]> {
  const random = randomNumbers(run + 1);
  const times: number[] = [];
  for (let count = 0; count < PEER_SEEKS; count += 1) times.push(await peer.seek((random(1e6) * peer.duration) / 1e6));
  return times;
}

async function largestPeer(
  belongings: Belongings,
  sizes: readonly number[],
  say: (what: string) => void,
): Promise<{ player: Peer; bytes: number; refused: string[] }> {
  const refused: string[] = [];
  for (const bytes of sizes) {
    const player = await openPeer(belongings, bytes, PEER_PATIENCE);
    if (typeof player !== 'string') {
      say(`asciinema-player loaded ${bytes / MEGABYTE} MB in ${seconds(player.openMillis)}`);
      return { player, bytes, refused };
    }
    refused.push(`asciinema-player does not load ${bytes / MEGABYTE} MB: ${player}`);
    say(refused.at(-1) ?? '');
  }
  throw new Error('asciinema-player loads none of the recordings');
}

function figures(size: number, timed: readonly Timed[]): Measurement[] {
  const name = `replay-seek ${size / MEGABYTE} MB`;
  return [
    report({ row: 9, name: `${name} open`, unit: 'ms', values: timed.map(({ open }) => open) }),
    report({
      row: 9,
      name: `${name} seek`,
      unit: 'ms p95',
      values: timed.map(({ seeks }) => quantile(seeks, 0.95)),
      note: `median ${median(timed.map(({ seeks }) => median(seeks))).toFixed(1)} ms; others waited ${Math.max(...timed.map(({ longestTurn }) => longestTurn)).toFixed(0)} ms at most`,
    }),
  ];
}

function inWords(timed: readonly Timed[]): string {
  const open = median(timed.map((each) => each.open));
  const seeks = timed.flatMap((each) => each.seeks);
  return `open ${open.toFixed(1)} ms, seek median ${median(seeks).toFixed(1)} ms, p95 ${quantile(seeks, 0.95).toFixed(1)} ms, longest ${Math.max(...seeks).toFixed(0)} ms`;
}

function seconds(millis: number): string {
  return `${(millis / 1000).toFixed(1)} s`;
}
