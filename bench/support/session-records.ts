import type { RecordDraft } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';

const actor = {
  principal: 'deploy-bot',
  kind: 'agent',
  onBehalfOf: 'engineer@example.com',
  authentication: { method: 'publickey', key: 'SHA256:WcXQLMV/+rX0B/sOyXsbEB0CIDs27Bdr13k9Mef9gFI' },
  source: '192.0.2.7:50022',
} as const;
const target = { name: 'web-1', kind: 'ssh', address: '192.0.2.10:22' } as const;
const policySet = 'c0ffee'.padEnd(64, '0');
const decision = { verdict: 'allow' as const, policies: ['allow web-1'], policySet };
const nothing = { i: 0, o: 0, e: 0 } as const;

/** Commands of a session. Each is two records, and the session itself four. */
const COMMANDS = 8;

/** Drafts of sessions without end, one record after the other as a gateway would write them, 0.8 KiB each. */
export function* recordsOfSessions(): Generator<RecordDraft, never> {
  for (;;) yield* session(uuidV7(systemClock.wallMicros()));
}

function* session(id: string): Generator<RecordDraft> {
  const common = { outcome: 'success', actor, target, session: id } as const;
  yield { ...common, type: 'session.open', body: { protocol: 'ssh', requested: 'web-1', client: 'OpenSSH_9.2', decision } };
  yield { ...common, type: 'channel.open', body: { channel: 0, kind: 'exec', detail: { command: 'psql orders' } } };
  for (let index = 0; index < COMMANDS; index += 1) {
    const facts = { command: `psql -c "select * from orders where id = ${index}" orders`, user: 'deploy' };
    const action = { channel: 0, action: 'command', digest: `${index}`.padEnd(64, 'a') };
    yield { ...common, type: 'action.decided', body: { ...action, facts, decision } };
    yield { ...common, type: 'action.finished', body: { ...action, exit: { status: 0 }, result: { rows: index, millis: 12 } } };
  }
  const exit = { status: 0 };
  yield { ...common, type: 'channel.close', body: { channel: 0, reason: 'closed', exit, bytes: { ...nothing }, segments: 0 } };
  const reason = 'the client disconnected';
  yield { ...common, type: 'session.close', body: { reason, duration: 1200, channels: 1, bytes: { ...nothing } } };
}
