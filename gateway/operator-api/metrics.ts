import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Indexer } from '../indexing/indexer.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Records, StoredRecord } from '../ledger/records.ts';
import type { LiveSessions } from '../session/live-sessions.ts';
import type { LogIns } from './log-ins.ts';

export const METRICS_PATH = '/metrics';
/** Prometheus' text exposition format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Milliseconds between two looks at the event loop's delay. */
const RESOLUTION = 20;
const spaces = ['ample', 'low', 'critical'] as const;

export interface MetricsParts {
  readonly version: string;
  readonly crypto: 'native' | 'javascript';
  readonly live: Pick<LiveSessions, 'size'>;
  readonly records: Pick<Records, 'onDurable' | 'pending'>;
  readonly ledger: Pick<Ledger, 'head' | 'trouble'>;
  /** Bytes of journals that are not sealed yet, and how the disk is. */
  readonly recorder: { readonly backlog: number; readonly space: (typeof spaces)[number] };
  readonly approvalsWaiting: () => number;
  readonly logIns: Pick<LogIns, 'all'>;
  readonly indexer: Pick<Indexer, 'status'>;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'summary';
  /** Labels, with their braces, and the value. */
  readonly values: readonly (readonly [labels: string, value: number])[];
}

/** Counts what becomes durable, and writes out how the gateway is. */
export class Metrics {
  readonly #parts: MetricsParts;
  /** Measured from the first time that it is asked for: measuring wakes an idle gateway fifty times a second. */
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;
  readonly #stop: () => void;
  #opened = 0;
  readonly #refused = { authentication: 0, session: 0 };
  #recorded = 0;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    this.#stop = parts.records.onDurable((stored) => this.#count(stored));
  }

  /** The delay is that since the last time this was asked for; 0 the first time. */
  text(): string {
    const metrics = this.#metrics();
    if (this.#delay === undefined) {
      this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION });
      this.#delay.enable();
    } else this.#delay.reset();
    const lines = metrics.flatMap(({ name, help, type, values }) => [
      `# HELP sallyport_${name} ${help}`,
      `# TYPE sallyport_${name} ${type}`,
      ...values.map(([labels, value]) => `sallyport_${name}${labels} ${value}`),
    ]);
    return `${lines.join('\n')}\n`;
  }

  close(): void {
    this.#stop();
    this.#delay?.disable();
  }

  #count(stored: readonly StoredRecord[]): void {
    this.#recorded += stored.length;
    for (const { record } of stored) {
      if (record.type === 'session.open') this.#opened += 1;
      else if (record.type === 'session.refused') this.#refused.session += 1;
      else if (record.type === 'auth.refused') this.#refused.authentication += 1;
    }
  }

  #metrics(): Metric[] {
    const { version, crypto, live, records, ledger, recorder, approvalsWaiting, logIns, indexer } = this.#parts;
    const delay = (percentile: number) =>
      this.#delay === undefined || this.#delay.count === 0 ? 0 : this.#delay.percentile(percentile) / 1e9;
    const build = `{version="${version}",node="${process.versions.node}",ssh_crypto="${crypto}"}`;
    const held = logIns.all();
    const index = indexer.status;
    return [
      { name: 'build_info', help: 'Which Sallyport this is; always 1.', type: 'gauge', values: [[build, 1]] },
      { name: 'sessions_live', help: 'Sessions that run now.', type: 'gauge', values: [['', live.size]] },
      { name: 'sessions_opened_total', help: 'Sessions since the start.', type: 'counter', values: [['', this.#opened]] },
      {
        name: 'refused_total',
        help: 'Refusals since the start: of log-ins, and of sessions of somebody who is known.',
        type: 'counter',
        values: [
          ['{what="authentication"}', this.#refused.authentication],
          ['{what="session"}', this.#refused.session],
        ],
      },
      { name: 'approvals_waiting', help: 'Requests that wait for a reviewer.', type: 'gauge', values: [['', approvalsWaiting()]] },
      {
        name: 'log_ins',
        help: 'Log-ins and tokens of programs in force.',
        type: 'gauge',
        values: (['login', 'program'] as const).map((kind) => [`{kind="${kind}"}`, held.filter((each) => each.kind === kind).length]),
      },
      { name: 'records_total', help: 'Audit records since the start.', type: 'counter', values: [['', this.#recorded]] },
      { name: 'records_pending', help: 'Audit records that are not durable yet.', type: 'gauge', values: [['', records.pending]] },
      { name: 'ledger_size', help: 'Records that the last checkpoint covers.', type: 'gauge', values: [['', ledger.head.size]] },
      {
        name: 'ledger_healthy',
        help: '0 while the ledger cannot be signed.',
        type: 'gauge',
        values: [['', ledger.trouble === undefined ? 1 : 0]],
      },
      { name: 'journal_backlog_bytes', help: 'Recordings that are not sealed yet.', type: 'gauge', values: [['', recorder.backlog]] },
      { name: 'index_queue', help: 'Channels whose recordings wait to be indexed.', type: 'gauge', values: [['', index.queued]] },
      {
        name: 'index_looking',
        help: '1 while older recordings are looked through for what is not indexed.',
        type: 'gauge',
        values: [['', index.looking ? 1 : 0]],
      },
      {
        name: 'index_behind_seconds',
        help: 'For how long the oldest sealed segment has been waiting to be indexed.',
        type: 'gauge',
        values: [['', index.behindSeconds]],
      },
      { name: 'indexed_bytes_total', help: 'Cast text indexed since the start.', type: 'counter', values: [['', index.bytes]] },
      {
        name: 'disk_space',
        help: 'How the space for recordings is: 1 for the state that it is in.',
        type: 'gauge',
        values: spaces.map((state) => [`{state="${state}"}`, recorder.space === state ? 1 : 0]),
      },
      {
        name: 'event_loop_delay_seconds',
        help: 'How late the event loop was since the last reading.',
        type: 'summary',
        values: [
          ['{quantile="0.5"}', delay(50)],
          ['{quantile="0.99"}', delay(99)],
        ],
      },
    ];
  }
}
