import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Actor, RecordDraft, Resource } from '../../../contract/record.ts';
import type { Clock } from '../../../gateway/base/clock.ts';
import { uuidV7 } from '../../../gateway/base/ids.ts';
import { createLog } from '../../../gateway/base/log.ts';
import { type Evidence, openEvidence } from '../../../gateway/evidence.ts';
import { ask } from '../../../gateway/query/audit/ask.ts';
import type { Filters, Row } from '../../../gateway/query/audit/question.ts';
import { questionNamed } from '../../../gateway/query/audit/questions.ts';
import type { Statement } from '../../../gateway/query/audit/statement.ts';
import { periodFrom, periodTo } from '../../../gateway/query/period.ts';
import { Database } from '../../../gateway/store/database.ts';
import { administer, draft, temporaryDirectory } from '../../store/support.ts';

/** A clock that stands where a test puts it; both of its hands. */
export class SetClock implements Clock {
  #micros = 0;
  #monotonic = 0;

  wallMicros(): number {
    return this.#micros;
  }

  monotonicNanos(): number {
    return this.#monotonic;
  }

  /** `2026-03-01T12:00:00.000001`, UTC. */
  set(time: string): void {
    const [, seconds = '', fraction = ''] = /^([^.]*)(?:\.(\d+))?$/.exec(time) ?? [];
    const micros = Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(6, '0'));
    this.#monotonic += Math.max(0, micros - this.#micros) * 1000;
    this.#micros = micros;
  }
}

export const agent: Actor = {
  principal: 'deploy-bot',
  kind: 'agent',
  onBehalfOf: 'engineer@example.com',
  authentication: { method: 'publickey', key: 'SHA256:abc' },
  source: '192.0.2.7:50022',
};
export const human: Actor = {
  principal: 'engineer@example.com',
  kind: 'human',
  authentication: { method: 'publickey', key: 'SHA256:def' },
  source: '[2001:db8::1]:4711',
};
export const web: Resource = { name: 'web-1', kind: 'ssh', address: '192.0.2.10:22' };
const gateway: Resource = { name: 'gateway-1', kind: 'gateway' };
export const digest = 'a'.repeat(64);

/** A data directory that the gateway's own parts write, ledger and checkpoint included, at times that a test chooses. */
export class AuditedData {
  readonly directory: string;
  readonly clock = new SetClock();
  #evidence: Evidence | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(at = '2026-01-01T00:00:00'): Promise<AuditedData> {
    const data = new AuditedData(await temporaryDirectory());
    data.clock.set(at);
    await data.reopen();
    onTestFinished(() => data.close());
    return data;
  }

  async reopen(): Promise<void> {
    const config = { gateway: { listen: {}, data: this.directory, name: 'gateway-1' }, ledger: {} };
    this.#evidence = await openEvidence(config, this.directory, { clock: this.clock, log: createLog('fatal') });
  }

  get evidence(): Evidence {
    if (this.#evidence === undefined) throw new Error('the data directory is closed');
    return this.#evidence;
  }

  /** Everything that was recorded is signed; whoever comes now is not the gateway. */
  async close(): Promise<void> {
    await this.#evidence?.close();
    this.#evidence = undefined;
  }

  async at(time: string, ...drafts: RecordDraft[]): Promise<number[]> {
    this.clock.set(time);
    const indexes: number[] = [];
    for (const each of drafts) {
      await this.evidence.records.append(each);
      indexes.push((await this.evidence.database.period.newest()) - 1);
    }
    return indexes;
  }

  /** Opens a session; `close` or a recovery ends it. */
  async openSession(at: string, change: { actor?: Actor; target?: Resource } = {}): Promise<string> {
    this.clock.set(at);
    const session = uuidV7(this.clock.wallMicros());
    await this.at(at, { ...draft.sessionOpen(session), actor: change.actor ?? agent, target: change.target ?? web });
    return session;
  }

  async closeSession(at: string, session: string, durationMillis = 12): Promise<void> {
    const close = draft.sessionClose(session);
    await this.at(at, { ...close, body: { ...close.body, duration: durationMillis } });
  }

  async session(from: string, to: string, change: { actor?: Actor; target?: Resource } = {}): Promise<string> {
    const session = await this.openSession(from, change);
    await this.closeSession(to, session, Date.parse(`${to}Z`) - Date.parse(`${from}Z`));
    return session;
  }

  /** What `sallyport audit` answers, from the closed data directory. */
  async audit(
    name: string,
    asked: { from?: string; to?: string; filters?: Filters; thorough?: boolean } = {},
  ): Promise<{ rows: Row[]; statement: Statement }> {
    const database = await Database.openForReading(this.directory);
    try {
      const answer = ask(database, questionNamed(name), {
        period: {
          from: asked.from === undefined ? undefined : periodFrom(asked.from),
          to: asked.to === undefined ? undefined : periodTo(asked.to),
        },
        filters: asked.filters ?? {},
        thorough: asked.thorough ?? false,
        version: '0.0.0',
      });
      const rows: Row[] = [];
      let step = await answer.next();
      for (; step.done !== true; step = await answer.next()) rows.push(step.value);
      return { rows, statement: step.value };
    } finally {
      await database.close();
    }
  }

  /** As somebody with a shell and a plan. */
  tamper(sql: string): Promise<void> {
    return administer(join(this.directory, 'sallyport.db'), sql);
  }
}

export const gatewayDraft = {
  start: (configuration = digest, change: { version?: string } = {}): RecordDraft<'gateway.start'> => ({
    type: 'gateway.start',
    outcome: 'success',
    actor: { principal: 'gateway', kind: 'gateway', source: 'gateway-1' },
    target: gateway,
    body: {
      version: change.version ?? '0.2.0',
      runtime: 'node 24.21.0',
      crypto: 'native',
      configuration,
      listeners: ['ssh 127.0.0.1:2222'],
    },
  }),
  stop: (): RecordDraft<'gateway.stop'> => ({
    type: 'gateway.stop',
    outcome: 'success',
    actor: { principal: 'gateway', kind: 'gateway', source: 'gateway-1' },
    target: gateway,
    body: { reason: 'SIGTERM' },
  }),
  configuration: (configuration: string, previous: string): RecordDraft<'config.changed'> => ({
    type: 'config.changed',
    outcome: 'success',
    actor: { principal: 'gateway', kind: 'gateway', source: 'gateway-1' },
    target: gateway,
    body: { configuration, previous },
  }),
  refusedLogIn: (source: string, user = 'web-1', protocol = 'ssh'): RecordDraft<'auth.refused'> => ({
    type: 'auth.refused',
    outcome: 'denied',
    actor: { principal: 'unknown', kind: 'unknown', source },
    target: gateway,
    body: { protocol, method: 'publickey', user, key: 'SHA256:zzz', reason: 'no principal has this key' },
  }),
  refusedSession: (actor: Actor): RecordDraft<'session.refused'> => ({
    type: 'session.refused',
    outcome: 'denied',
    actor,
    target: web,
    body: { protocol: 'ssh', code: 'ACCESS_DENIED', reason: 'targets.web-1.allow names nobody', requested: 'web-1' },
  }),
};

export function decided(
  session: string,
  action: string,
  facts: Record<string, unknown>,
  change: { channel?: number; verdict?: 'allow' | 'deny'; actor?: Actor } = {},
): RecordDraft<'action.decided'> {
  const verdict = change.verdict ?? 'allow';
  return {
    type: 'action.decided',
    outcome: verdict === 'allow' ? 'success' : 'denied',
    actor: change.actor ?? agent,
    target: web,
    session,
    body: {
      channel: change.channel ?? 0,
      action,
      digest,
      facts,
      decision: { verdict, policies: ['targets.web-1.allow'], policySet: digest },
    },
  };
}

export function finished(session: string, action: string, status: number, channel = 0): RecordDraft<'action.finished'> {
  return {
    type: 'action.finished',
    outcome: status === 0 ? 'success' : 'failure',
    actor: agent,
    target: web,
    session,
    body: { channel, action, digest, exit: { status }, result: {} },
  };
}
