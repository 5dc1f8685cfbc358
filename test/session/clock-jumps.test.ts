import { expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../gateway/base/log.ts';
import { AttemptLimiter } from '../../gateway/identity/attempt-limiter.ts';
import { allowListPolicy } from '../../gateway/policy/allow-list-policy.ts';
import { castItems } from '../../gateway/query/cast-events.ts';
import { readCast } from '../../gateway/query/read-cast.ts';
import type { Finding } from '../../gateway/query/verify/finding.ts';
import { verifyDataDirectory } from '../../gateway/query/verify/verify-data-directory.ts';
import { Recorder } from '../../gateway/recording/recorder.ts';
import { LiveSessions } from '../../gateway/session/live-sessions.ts';
import { Session } from '../../gateway/session/session.ts';
import type { SessionParts } from '../../gateway/session/session-parts.ts';
import { AuditedData, agent, human } from '../query/audit/audited-data.ts';
import { collect } from '../query/recorded.ts';
import { approvalsIn } from '../support/approvals.ts';

/** Where the clock stands at each step of a session, and what it shows then; the other hand moves a second a step. */
const STEPS = [
  { wall: '2026-03-10T12:00:00', shows: 'first' },
  { wall: '2026-03-10T11:00:00', shows: 'an hour earlier' },
  { wall: '2026-03-12T12:00:00', shows: 'two days later' },
  { wall: '2026-03-10T12:00:03', shows: 'right again' },
] as const;

it('102 a clock that is set back and forward changes neither the order of the ledger nor the pace of a recording', async () => {
  const data = await AuditedData.open('2026-03-10T11:59:00');
  const { records, ledger } = data.evidence;
  let monotonic = 0;
  const clock = { wallMicros: () => data.clock.wallMicros(), monotonicNanos: () => monotonic };
  const log = createLog('fatal');
  const recorder = await Recorder.open(
    {
      directory: data.directory,
      segmentBytes: 4096,
      segmentSeconds: 3600,
      reserveBytes: 1024 * 1024,
      backlogBytes: 64 * 1024 * 1024,
      durability: 'relaxed',
      content: 'digest',
      input: true,
    },
    { records, clock, log },
  );
  onTestFinished(() => recorder.close());
  const target = { name: 'web-1', kind: 'ssh', tags: {}, recording: {}, allow: ['deploy-bot'] } as const;
  const policy = allowListPolicy([target]);
  const parts: SessionParts = {
    clock,
    log,
    records,
    ledger,
    recorder,
    live: new LiveSessions(() => ({ sessions: 10, sessionsPerPrincipal: 10 })),
    approvals: approvalsIn({ append: (draft) => records.append(draft) }),
    locks: { lockOn: () => undefined },
    limiter: new AttemptLimiter({ failures: 0, withinSeconds: 1, forSeconds: 1, sources: 1 }),
    inForce: () => ({ principals: new Map(), targets: new Map([[target.name, target]]), policy }),
  };
  const who = { actor: agent, facts: { name: agent.principal, kind: 'agent', groups: [] } } as const;
  data.clock.set(STEPS[0].wall);
  const session = new Session('ssh', who, target, parts);
  await records.append({
    type: 'session.open',
    outcome: 'success',
    actor: session.actor,
    target: session.resource,
    session: session.id,
    body: {
      protocol: 'ssh',
      requested: 'web-1',
      client: 'test',
      decision: { verdict: 'allow', policies: [], policySet: policy.policySet },
    },
  });
  const recording = session.openChannel('shell');
  session.startChannel(0, 'shell', {});
  for (const [index, { wall, shows }] of STEPS.entries()) {
    data.clock.set(wall);
    monotonic = index * 1_000_000_000;
    recording.append([{ kind: 'data', at: recording.now(), stream: 'o', bytes: Buffer.from(`${shows}${'.'.repeat(5000)}\r\n`) }]);
    session.decide('ssh:exec', { command: shows }, 0);
  }
  await session.closeChannels('done');
  await records.append({
    type: 'session.close',
    outcome: 'success',
    actor: human,
    target: session.resource,
    session: session.id,
    body: { reason: 'done', duration: 3000, channels: 1, bytes: { i: 0, o: 1, e: 0 } },
  });

  // The order is that of what happened.
  const rows = await data.evidence.database.records.ofSession(session.id, 0, 100);
  const commands = rows.flatMap(({ type, bytes }) => {
    if (type !== 'action.decided') return [];
    return [(JSON.parse(Buffer.from(bytes ?? []).toString()) as { body: { facts: { command: string } } }).body.facts.command];
  });
  expect(commands).toEqual(STEPS.map(({ shows }) => shows));

  // The recording goes on at its own pace, over the borders of its segments.
  const shown = (await collect(castItems(readCast(data.evidence.database, session.id, 0)))).flatMap((item) =>
    item.kind === 'event' && item.code === 'o' ? [{ at: item.at / 1e6, text: item.data.slice(0, item.data.indexOf('.')) }] : [],
  );
  expect(shown).toEqual(STEPS.map(({ shows }, index) => ({ at: index, text: shows })));

  await recorder.close();
  await data.close();
  const findings: Finding[] = [];
  await verifyDataDirectory(data.directory, {}, (finding) => findings.push(finding));
  expect(findings.filter(({ severity }) => severity === 'fault')).toEqual([]);
  expect(findings.filter(({ code }) => code === 'clock').map(({ words }) => words)).toContainEqual(
    expect.stringContaining('3600 s before'),
  );
  // And whoever asks for any of these days finds the session.
  for (const day of ['2026-03-10', '2026-03-12'])
    expect((await data.audit('sessions', { from: day, to: day })).rows, day).toMatchObject([{ session: session.id }]);
  const { rows: health } = await data.audit('log-health');
  expect(health.filter(({ what }) => what === 'clock').length).toBeGreaterThan(0);
});
