import { makeKey } from '../test/support/keys.ts';
import { alternate } from './support/alternate.ts';
import { startLightTarget, Typist } from './support/forked.ts';
import { BenchGateway } from './support/gateway.ts';
import { compare, judged, type Measurement, report } from './support/measurement.ts';
import type { Row } from './support/row.ts';
import { median, quantile } from './support/statistics.ts';
import type { TypistAnswer } from './support/typist-messages.ts';

const p99Goal = 1.5;
const memoryGoalKibibytes = 250;
const keysPerSecondEach = 1;
/** With few sessions each types faster, so that a round has enough echoes for a 99th percentile. */
const keysPerSecondAtLeast = 30;

/** Row 8: many recorded PTY sessions at once, every one of them typing, against the same sessions directly at their target. */
export const sshSessions: Row = {
  row: 8,
  name: 'ssh-sessions',
  what: 'concurrent recorded PTY sessions, each typing, against the same directly',
  async run(belongings, { quick, runs, sessions, profile, say }) {
    const keys = belongings.directory('bench-keys');
    const hostKey = await makeKey(keys, 'host');
    const clientKey = await makeKey(keys, 'client');
    const port = await startLightTarget(belongings, hostKey.path);
    const target = { name: 'target', port, hostKey, login: 'anybody', credential: clientKey };
    const gateway = await BenchGateway.start(belongings, { targets: [target], clientKey, profile });
    const ours = new Typist(belongings, { port: gateway.port, user: 'target', key: clientKey.path });
    const peer = new Typist(belongings, { port, user: 'anybody', key: clientKey.path });

    const memoryBefore = gateway.residentBytes();
    const refused: string[] = [];
    const extras: Measurement[] = [];
    let main: Measurement | undefined;
    let opened = 0;
    for (const step of steps(sessions)) {
      const last = step === sessions;
      const opening = {
        ours: await ours.ask({ do: 'open', count: step - opened }),
        peer: await peer.ask({ do: 'open', count: step - opened }),
      };
      if (opening.peer.refused.length > 0)
        throw new Error(`the target itself refused ${opening.peer.refused.length} sessions: ${opening.peer.refused[0]}`);
      refused.push(...opening.ours.refused);
      opened = step;
      const seconds = quick ? 1 : last ? 6 : 3;
      const perSecond = Math.max(keysPerSecondEach, keysPerSecondAtLeast / step);
      const type = { do: 'type', seconds, perSecond } as const;
      const typed = await alternate(last ? runs : Math.min(3, runs), { ours: () => ours.ask(type), peer: () => peer.ask(type) });
      const lost = trouble(typed.ours);
      refused.push(...lost);
      const perSession = (gateway.residentBytes() - memoryBefore) / 1024 / step;
      say(
        `${step} sessions: echo p99 ${p99(typed.ours).toFixed(2)} ms, directly ${p99(typed.peer).toFixed(2)} ms, ${perSession.toFixed(0)} KiB each`,
      );

      const line = (name: string, share: number) =>
        compare({
          row: 8,
          name,
          unit: 'ms',
          better: 'lower',
          ours: typed.ours.map((round) => quantile(round.echoMs, share)),
          peer: { name: 'directly at the target', values: typed.peer.map((round) => quantile(round.echoMs, share)) },
        });
      const openLine = compare({
        row: 8,
        name: `ssh-sessions open, ${step}`,
        unit: 'ms',
        better: 'lower',
        ours: opening.ours.openMs,
        peer: { name: 'directly at the target', values: opening.peer.openMs },
        note: 'connect, log in, PTY and shell of one session, eight opening at once',
      });
      const memoryLine = report({ row: 8, name: `ssh-sessions memory, ${step}`, unit: 'KiB each', values: [perSession] });
      const middle = line(`ssh-sessions p50, ${step}`, 0.5);
      const tail = line(last ? 'ssh-sessions' : `ssh-sessions p99, ${step}`, 0.99);
      extras.push(openLine, middle, memoryLine);
      if (!last) extras.push(tail);
      else {
        const met = refused.length === 0 && (tail.ratio ?? 0) >= 1 / p99Goal && perSession <= memoryGoalKibibytes;
        const goal = `none refused, echo p99 ≤ ${p99Goal}× direct, ≤ ${memoryGoalKibibytes} KiB each`;
        const note = `echo p99 of ${step} sessions, ${perSecond} key/s each; ${refused.length} refused or cut off${refused[0] === undefined ? '' : ` (${refused[0]})`}; ${perSession.toFixed(0)} KiB each`;
        main = judged({ ...tail, note }, goal, met);
      }
    }
    await Promise.all([ours.ask({ do: 'close' }), peer.ask({ do: 'close' })]);
    await gateway.stop();
    if (main === undefined) throw new Error('there was no step with all sessions');
    return { main, extras };
  },
};

/** 1, 10, 100 … up to all of them. */
function steps(sessions: number): number[] {
  const below: number[] = [];
  for (let step = 1; step < sessions; step *= 10) below.push(step);
  return [...below, sessions];
}

type Typed = Extract<TypistAnswer, { done: 'type' }>;

function p99(rounds: readonly Typed[]): number {
  return median(rounds.map((round) => quantile(round.echoMs, 0.99)));
}

/** What went wrong while typing, in words. */
function trouble(rounds: readonly Typed[]): string[] {
  const unanswered = rounds.reduce((sum, round) => sum + round.unanswered, 0);
  const cutOff = rounds.at(-1)?.cutOff ?? 0;
  return [...(unanswered > 0 ? [`${unanswered} keys were not echoed`] : []), ...(cutOff > 0 ? [`${cutOff} sessions were cut off`] : [])];
}
