import type { RecordDraft } from '../../contract/record.ts';
import { type Clock, systemClock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { createLog } from '../../gateway/base/log.ts';
import { openEvidence } from '../../gateway/evidence.ts';

/** Sessions whose records are on their way at one time: few enough for the queue, enough for full groups. */
const TOGETHER = 1500;
const BETWEEN_MICROS = 77_000_000;
const policySet = 'c0ffee'.padEnd(64, '0');
const silent = createLog('silent');

const MANY_TARGETS = 40;
const MANY_AGENTS = 60;
export const targetOf = (session: number): string => `web-${session % MANY_TARGETS}`;
export const principalOf = (session: number): string => `agent-${(session * 7) % MANY_AGENTS}`;
const commands = ['psql orders', 'systemctl status nginx', 'tail -n 100 /var/log/syslog', 'git pull', 'df -h', 'kubectl get pods'];
export const commandOf = (session: number): string => `${commands[session % commands.length]} # ${session}`;

/**
 * A data directory with so many sessions on record, the newest of them from a minute ago, as a gateway would have written
 * it: durable, in the ledger and signed. A hundred thousand take less than half a minute. They have no recordings. Gives
 * their ids, the oldest first.
 */
export async function makeManySessions(directory: string, count: number, gatewayName = 'gateway-1'): Promise<string[]> {
  const begun = systemClock.wallMicros() - count * BETWEEN_MICROS - 60_000_000;
  let wall = begun;
  const clock: Clock = { wallMicros: () => wall, monotonicNanos: () => systemClock.monotonicNanos() };
  const { records, close } = await openEvidence(
    { gateway: { name: gatewayName }, ledger: {} } as Parameters<typeof openEvidence>[0],
    directory,
    {
      clock,
      log: silent,
    },
  );
  const ids: string[] = [];
  try {
    let before: Promise<unknown> = Promise.resolve();
    for (let from = 0; from < count; from += TOGETHER) {
      const together: Promise<unknown>[] = [];
      for (let number = from; number < Math.min(count, from + TOGETHER); number += 1) {
        wall = begun + number * BETWEEN_MICROS;
        const id = uuidV7(wall);
        ids.push(id);
        for (const draft of recordsOf(number, id)) {
          wall += 250_000;
          together.push(records.append(draft));
        }
      }
      await before;
      before = Promise.all(together);
    }
    await before;
  } finally {
    await close();
  }
  return ids;
}

function* recordsOf(number: number, session: string): Generator<RecordDraft> {
  const common = {
    outcome: 'success',
    session,
    actor: {
      principal: principalOf(number),
      kind: 'agent',
      onBehalfOf: `engineer-${number % 12}@example.com`,
      authentication: { method: 'publickey', key: 'SHA256:WcXQLMV/+rX0B/sOyXsbEB0CIDs27Bdr13k9Mef9gFI' },
      source: `192.0.2.${number % 250}:50022`,
    },
    target: { name: targetOf(number), kind: 'ssh', address: '192.0.2.10:22' },
  } as const;
  const decision = { verdict: 'allow' as const, policies: ['allow'], policySet };
  const command = commandOf(number);
  yield { ...common, type: 'session.open', body: { protocol: 'ssh', requested: 'web', client: 'OpenSSH_9.2', decision } };
  yield { ...common, type: 'channel.open', body: { channel: 0, kind: 'exec', detail: { command } } };
  const action = { channel: 0, action: 'ssh:exec', digest: 'a'.repeat(64), facts: { command } };
  for (let index = number % 3; index < 3; index += 2) {
    const verdict = number % 50 === 0 ? ('deny' as const) : number % 20 === 0 ? ('ask' as const) : ('allow' as const);
    yield { ...common, type: 'action.decided', body: { ...action, decision: { ...decision, verdict } } };
  }
  if (number % 500 === 3) yield { ...common, type: 'supervise.terminate', body: { reason: 'enough' } };
  const bytes = { i: 0, o: 0, e: 0 };
  yield { ...common, type: 'channel.close', body: { channel: 0, reason: 'closed', exit: { status: 0 }, bytes, segments: 0 } };
  const reason = 'the client disconnected';
  yield { ...common, type: 'session.close', body: { reason, duration: 1200 + (number % 9) * 17_000, channels: 1, bytes } };
}
