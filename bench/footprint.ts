import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeKey } from '../test/support/keys.ts';
import { BenchGateway } from './support/gateway.ts';
import { installSize } from './support/install-size.ts';
import { judged, report } from './support/measurement.ts';
import type { Row } from './support/row.ts';

const mebibyte = 1024 * 1024;
const startGoalSeconds = 1;
const idleGoalMebibytes = 120;

/** Row 15: how long the gateway takes until it is ready, what it needs when nothing happens, and what an installation weighs. */
export const footprint: Row = {
  row: 15,
  name: 'footprint',
  what: 'gateway start, idle memory, install size',
  async run(belongings, { quick, runs, say }) {
    const keys = belongings.directory('bench-keys');
    const clientKey = await makeKey(keys, 'client');
    const hostKey = await makeKey(keys, 'host');
    const settleMs = quick ? 500 : 5000;
    const seconds: number[] = [];
    const idle: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      // Nobody connects, so nothing has to listen where the target is said to be.
      const target = { name: 'target', port: 1, hostKey, login: 'nobody', credential: clientKey };
      const gateway = await BenchGateway.start(belongings, { targets: [target], clientKey });
      seconds.push(gateway.startSeconds);
      await delay(settleMs);
      idle.push(gateway.residentBytes() / mebibyte);
      await gateway.stop();
      say(`start ${run + 1} of ${runs}: ${gateway.startSeconds.toFixed(2)} s`);
    }
    const start = report({
      row: 15,
      name: 'footprint',
      unit: 's',
      values: seconds,
      note: 'a fresh data directory each time, from starting node to the ready line',
    });
    const memory = report({
      row: 15,
      name: 'footprint idle memory',
      unit: 'MiB',
      values: idle,
      note: `resident, ${settleMs / 1000} s after the ready line`,
    });
    const size = installSize(join(import.meta.dirname, '..'));
    const met = start.ours.median <= startGoalSeconds && memory.ours.median <= idleGoalMebibytes;
    return {
      main: judged(start, `≤ ${startGoalSeconds} s, ≤ ${idleGoalMebibytes} MiB idle`, met),
      extras: [memory, report({ row: 15, name: 'footprint install size', unit: 'MiB', values: [size.bytes / mebibyte], note: size.parts })],
    };
  },
};
