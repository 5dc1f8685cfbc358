import { setTimeout as delay } from 'node:timers/promises';
import { alternate } from './support/alternate.ts';
import { EchoTerminal } from './support/echo-terminal.ts';
import { compare, judged } from './support/measurement.ts';
import { direct, openRoutes, throughGateway } from './support/openssh-routes.ts';
import type { Row } from './support/row.ts';
import { quantile } from './support/statistics.ts';

const keystrokesPerRun = 300;
const medianGoalMs = 0.3;
const p99GoalMs = 1;
const goal = `+ ${medianGoalMs} ms median, + ${p99GoalMs} ms p99`;

/** Row 3: from a key that goes into the client's terminal to its echo there. Each run opens both sessions anew and types into them in turn. */
export const sshEcho: Row = {
  row: 3,
  name: 'ssh-echo',
  what: 'keystroke echo through a recorded PTY, against direct sshd',
  async run(belongings, { quick, runs, profile, say }) {
    const { client, gateway } = await openRoutes(belongings, { profile });
    const keystrokes = quick ? 40 : keystrokesPerRun;
    await client.seconds(direct, 'true');
    await client.seconds(throughGateway, 'true');
    const ours: number[][] = [];
    const peer: number[][] = [];
    for (let run = 0; run < runs; run += 1) {
      const near = await EchoTerminal.open(belongings, client, direct);
      const far = await EchoTerminal.open(belongings, client, throughGateway);
      // The first keys of a session are slower on either side: code paths and caches are cold.
      await alternate(10, { ours: () => keystroke(far), peer: () => keystroke(near) });
      const typed = await alternate(keystrokes, { ours: () => keystroke(far), peer: () => keystroke(near) });
      await Promise.all([near.close(), far.close()]);
      ours.push(typed.ours);
      peer.push(typed.peer);
      say(`run ${run + 1} of ${runs}: p50 ${quantile(typed.ours, 0.5).toFixed(2)} ms, direct ${quantile(typed.peer, 0.5).toFixed(2)} ms`);
    }
    await gateway.stop();
    const at = (share: number) => ({ ours: ours.map((run) => quantile(run, share)), peer: peer.map((run) => quantile(run, share)) });
    const line = (name: string, share: number) => {
      const { ours: values, peer: peerValues } = at(share);
      const measured = compare({
        row: 3,
        name,
        unit: 'ms',
        better: 'lower',
        ours: values,
        peer: { name: 'direct sshd', values: peerValues },
      });
      const added = measured.ours.median - (measured.peer?.median ?? 0);
      return {
        measured: {
          ...measured,
          note: `${added >= 0 ? '+' : ''}${added.toFixed(2)} ms; ${keystrokes} keystrokes a side in each of ${runs} runs`,
        },
        added,
      };
    };
    const p50 = line('ssh-echo', 0.5);
    const p99 = line('ssh-echo p99', 0.99);
    const met = p50.added <= medianGoalMs && p99.added <= p99GoalMs;
    return { main: judged(p50.measured, goal, met), extras: [judged(p99.measured, `+ ${p99GoalMs} ms`, p99.added <= p99GoalMs)] };
  },
};

/** Types one key after a pause in which everything on its way has gone idle again, as between the keys of a person. */
async function keystroke(terminal: EchoTerminal): Promise<number> {
  await delay(5 + Math.random() * 10);
  return terminal.echoMs();
}
