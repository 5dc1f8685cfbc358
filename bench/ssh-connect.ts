import { alternate } from './support/alternate.ts';
import { compare } from './support/measurement.ts';
import { openRoutes, proxyJump, throughGateway } from './support/openssh-routes.ts';
import type { Row } from './support/row.ts';
import { quantile } from './support/statistics.ts';

const connectionsPerSide = 30;

/** Row 2: connect, run `true`, close. The time is that of the whole stock client, from its start to its exit. */
export const sshConnect: Row = {
  row: 2,
  name: 'ssh-connect',
  what: 'SSH connect, run true, close, against ProxyJump',
  async run(belongings, { quick, runs, profile, say }) {
    const { client, gateway } = await openRoutes(belongings, { profile });
    const connections = quick ? 3 : Math.max(connectionsPerSide, runs);
    // The first connection of each learns a host key and warms the caches.
    await client.seconds(proxyJump, 'true');
    await client.seconds(throughGateway, 'true');
    say(`${connections} connections a side`);
    const before = gateway.processorSeconds();
    const { ours, peer } = await alternate(connections, {
      ours: async () => 1000 * (await client.seconds(throughGateway, 'true')),
      peer: async () => 1000 * (await client.seconds(proxyJump, 'true')),
    });
    const processor = (1000 * (gateway.processorSeconds() - before)) / connections;
    await gateway.stop();
    const third = Math.ceil(connections / 3);
    const note =
      `${connections} connections a side; p95 ${quantile(ours, 0.95).toFixed(0)} ms, peer ${quantile(peer, 0.95).toFixed(0)} ms; ` +
      `the gateway used ${processor.toFixed(0)} ms of processor time a connection; ` +
      `median of the first ${third}: ${quantile(ours.slice(0, third), 0.5).toFixed(0)} ms, of the last: ${quantile(ours.slice(-third), 0.5).toFixed(0)} ms`;
    return {
      // At most 0.85 of its time.
      main: compare({
        row: 2,
        name: 'ssh-connect',
        unit: 'ms',
        better: 'lower',
        ours,
        peer: { name: 'ProxyJump', values: peer },
        goal: 1 / 0.85,
        note,
      }),
      extras: [],
    };
  },
};
