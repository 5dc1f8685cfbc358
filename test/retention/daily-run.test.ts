import { describe, expect, it, onTestFinished } from 'vitest';
import { DailyRun, nextRun } from '../../gateway/retention/daily-run.ts';
import { startGateway } from '../support/gateway.ts';
import { recordedAs, recordsOf } from '../support/records.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { AgedData, filesWith } from './aged-data.ts';

const MINUTE = 60_000_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Both clocks go on, as they do when nobody sets them. */
function pass(data: AgedData, micros: number): void {
  data.clock.wall += micros;
  data.clock.monotonic += micros * 1000;
}

async function runs(data: AgedData): Promise<number> {
  return (await recordsOf(data.directory, 'retention.run')).length;
}

describe('the daily run', () => {
  it('comes a day after the last one, by the wall clock', async () => {
    const data = await AgedData.open();
    const daily = new DailyRun(data.retention);
    await daily.begin();
    expect(await runs(data)).toBe(0);
    pass(data, DAY - MINUTE);
    await daily.look();
    expect(await runs(data)).toBe(0);
    pass(data, 2 * MINUTE);
    await daily.look();
    await daily.look();
    expect(await runs(data)).toBe(1);
    pass(data, DAY);
    await daily.look();
    expect(await recordsOf(data.directory, 'retention.run')).toMatchObject([
      { actor: { principal: 'gateway', kind: 'gateway' }, body: { trigger: 'daily' } },
      { body: { trigger: 'daily' } },
    ]);
    await daily.close();
  });

  it('comes at the start when the last one is older than a day, and finishes what an earlier life promised', async () => {
    const data = await AgedData.open();
    const session = await data.session({ daysAgo: 500 });
    await data.run();
    pass(data, 2 * DAY);
    const daily = new DailyRun(data.retention);
    await daily.begin();
    expect(await runs(data)).toBe(2);
    expect(await data.evidence.database.sessions.find({ state: 'erased', limit: 5 })).toMatchObject([{ id: session }]);
    await daily.close();
  });

  it('does not believe a clock that jumps: what a wrong date takes for expired would be gone for ever', async () => {
    const data = await AgedData.open();
    const session = await data.session({ daysAgo: 1 });
    const daily = new DailyRun(data.retention);
    await daily.begin();
    data.clock.wall += 900 * DAY;
    await daily.look();
    await daily.look();
    expect(await runs(data)).toBe(0);
    expect(data.log.lines.map(({ message }) => message).join()).toContain('the clock of this machine was set');
    // It is set right again within the hour.
    data.clock.wall -= 900 * DAY;
    for (let look = 0; look < 14; look += 1) {
      pass(data, 5 * MINUTE);
      await daily.look();
    }
    expect(await data.evidence.database.sessions.find({ state: 'closed', limit: 5 })).toMatchObject([{ id: session }]);
    await daily.close();
  });

  it('is believed again after an hour without another jump', async () => {
    const data = await AgedData.open();
    const daily = new DailyRun(data.retention);
    data.clock.wall += 2 * DAY;
    for (let look = 0; look < 12; look += 1) {
      await daily.look();
      expect(await runs(data)).toBe(0);
      pass(data, 5 * MINUTE);
    }
    await daily.look();
    expect(await runs(data)).toBe(1);
    await daily.close();
  });

  it('does not come once the gateway is stopping', async () => {
    const data = await AgedData.open();
    const daily = new DailyRun(data.retention);
    pass(data, 2 * DAY);
    await daily.close();
    await daily.look();
    expect(await runs(data)).toBe(0);
  });

  it('that fails is told in the log and tried again', async () => {
    const data = await AgedData.open();
    const daily = new DailyRun(data.retention);
    const settings = data.settings;
    data.settings = { ...settings, targets: undefined as unknown as typeof settings.targets };
    pass(data, 2 * DAY);
    await daily.look();
    expect(data.log.lines.map(({ message }) => message).join()).toContain('the daily run of the retention failed');
    data.settings = settings;
    await daily.look();
    expect(await runs(data)).toBe(1);
    await daily.close();
  });

  it('comes in a gateway that has not run for a while, beside its sessions', { timeout: 240_000 }, async () => {
    const belongings = new Belongings();
    onTestFinished(() => belongings.release());
    const data = await AgedData.open();
    data.clock.daysAgo(2);
    await data.run();
    const session = await data.session({ principal: 'leaver', daysAgo: 401 });
    await data.close();
    await startGateway(belongings, { data: data.directory, configuration: { humans: [{ name: 'engineer@example.com' }] } });
    const run = await recordedAs(data.directory, 'retention.run', ({ body }) => body.trigger === 'daily');
    expect(run.body).toMatchObject({ expired: 1, held: 0 });
    expect(await recordsOf(data.directory, 'erased')).toMatchObject([{ session, actor: { kind: 'gateway' } }]);
    await until('the name is gone', () => (filesWith(data.directory, 'leaver').length === 0 ? true : undefined));
  });

  it('is due at once after a last run that lies in the future', () => {
    expect(nextRun(5 * DAY, 4 * DAY)).toBe(4 * DAY);
    expect(nextRun(4 * DAY, 4 * DAY)).toBe(5 * DAY);
  });
});
