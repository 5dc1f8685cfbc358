import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeKey } from '../test/support/keys.ts';
import { BenchGateway } from './support/gateway.ts';
import { JOURNAL_BYTES, leaveJournals } from './support/left-journals.ts';
import { judged, type Measurement, report } from './support/measurement.ts';
import type { Row } from './support/row.ts';

const GOAL_SECONDS = 10;

/** Row 14: how long a gateway that was killed in the middle of many sessions takes until it serves again. */
export const recovery: Row = {
  row: 14,
  name: 'recovery',
  what: 'start with 1,000 leftover journals until it serves',
  async run(belongings, { quick, runs, say }) {
    const keys = belongings.directory('bench-keys');
    const clientKey = await makeKey(keys, 'client');
    const hostKey = await makeKey(keys, 'host');
    const target = { name: 'target', port: 1, hostKey, login: 'nobody', credential: clientKey };

    const measure = async (count: number): Promise<Measurement> => {
      const seconds: number[] = [];
      for (let run = 0; run < runs; run += 1) {
        const data = join(belongings.directory('killed'), 'data');
        await leaveJournals(data, count);
        const gateway = await BenchGateway.start(belongings, { targets: [target], clientKey, data });
        seconds.push(gateway.startSeconds);
        await expectRecovered(gateway, count);
        await gateway.stop();
        say(`${count} journals, start ${run + 1} of ${runs}: ${gateway.startSeconds.toFixed(2)} s`);
      }
      const name = `recovery ${count}`;
      return report({
        row: 14,
        name,
        unit: 's',
        values: seconds,
        note: `${count} sessions with ${JOURNAL_BYTES / 1024} KiB of journal each`,
      });
    };

    const counts = quick ? [1, 10, 50] : [10, 100, 1000];
    const none = await measure(0);
    const measured: Measurement[] = [];
    for (const count of counts) measured.push(await measure(count));
    const largest = measured.at(-1) as Measurement;
    const each = measured.map(
      ({ ours }, index) => `${(((ours.median - none.ours.median) * 1000) / (counts[index] as number)).toFixed(1)} ms`,
    );
    const main = {
      ...largest,
      name: 'recovery',
      note: `${largest.note}; over a start without any, each journal takes ${each.join(', ')} (${counts.join(', ')} of them)`,
    };
    return {
      main: judged(main, `≤ ${GOAL_SECONDS} s for 1,000`, !quick && largest.ours.median <= GOAL_SECONDS),
      extras: [none, ...measured.slice(0, -1)],
    };
  },
};

/** What counts as serving: every session is closed in the records, and no journal is left. */
async function expectRecovered(gateway: BenchGateway, count: number): Promise<void> {
  const left = readdirSync(join(gateway.data, 'journal'));
  const sessions = count === 0 ? [] : await gateway.sessions();
  const recovered = sessions.filter(({ state }) => state === 'recovered').length;
  if (left.length > 0 || recovered !== count) throw new Error(`${recovered} of ${count} sessions recovered, ${left.length} journals left`);
}
