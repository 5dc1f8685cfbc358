import type { WebSocket } from '@fastify/websocket';
import { roles } from '../../contract/operator-api.ts';
import type { OperatorEvent } from '../../contract/operator-events.ts';
import type { AuditRecord } from '../../contract/record.ts';
import { asSallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Records, StoredRecord } from '../ledger/records.ts';
import { type SocketScope, socketRoute } from './socket-route.ts';

export const EVENTS_PATH = '/api/events';

/** Bytes that one receiver's connection is given at a time. */
const MOST_SENT = 64 * 1024;
/** Events that may wait for one receiver. They are the same text for all, so that many slow ones cost little more than one. */
const MOST_WAITING = 4096;

/**
 * Tells whoever listens what has changed, as soon as the record of it is durable. A new configuration and policy are on
 * record before they are in force, and are told afterwards: whoever asks anew at once must not be answered by the old ones.
 */
export class EventFeed {
  readonly #receivers = new Set<Receiver>();
  readonly #log: Log;
  readonly #stop: () => void;
  #held: string[] = [];

  constructor(records: Pick<Records, 'onDurable'>, log: Log) {
    this.#log = log;
    this.#stop = records.onDurable((stored) => this.#take(stored));
  }

  add(socket: WebSocket): void {
    const receiver = new Receiver(socket);
    this.#receivers.add(receiver);
    socket.once('close', () => this.#receivers.delete(receiver));
  }

  close(): void {
    this.#stop();
  }

  /** What was recorded as changed holds from now on. */
  inForce(): void {
    const held = this.#held;
    this.#held = [];
    for (const text of held) this.#send(text);
  }

  #send(text: string): void {
    for (const receiver of this.#receivers) receiver.send(text);
  }

  /** A defect here must not reach whoever waits for a record. */
  #take(stored: readonly StoredRecord[]): void {
    if (this.#receivers.size === 0) return;
    try {
      for (const { record } of stored) {
        const event = eventOf(record);
        if (event === undefined) continue;
        const text = JSON.stringify(event);
        if (event.event === 'config.changed' || event.event === 'policy.changed') this.#held.push(text);
        else this.#send(text);
      }
    } catch (thrown) {
      this.#log.error({ err: thrown }, `events could not be told: ${asSallyportError(thrown).message}`);
    }
  }
}

class Receiver {
  readonly #socket: WebSocket;
  readonly #waiting: string[] = [];
  #missed = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Once one was passed over, all are until everything before it is sent: there is one gap, and it is told where it is. */
  send(text: string): void {
    if (this.#missed > 0 || this.#waiting.length >= MOST_WAITING) this.#missed += 1;
    else this.#waiting.push(text);
    this.#pump();
  }

  readonly #pump = (): void => {
    while (this.#socket.bufferedAmount < MOST_SENT) {
      const next = this.#waiting.shift() ?? this.#gap();
      if (next === undefined) return;
      this.#socket.send(next, this.#pump);
    }
  };

  #gap(): string | undefined {
    if (this.#missed === 0) return undefined;
    const event: OperatorEvent = { event: 'missed', count: this.#missed };
    this.#missed = 0;
    return JSON.stringify(event);
  }
}

export function serveEvents(scope: SocketScope, feed: EventFeed): void {
  socketRoute(scope, EVENTS_PATH, roles, (socket) => feed.add(socket));
}

/** Undefined for what nobody has to be told at once. */
export function eventOf(record: AuditRecord): OperatorEvent | undefined {
  const { time, session = '' } = record;
  const by = record.actor.principal;
  switch (record.type) {
    case 'session.open':
      return { event: 'session.opened', session, principal: by, target: record.target.name, time };
    case 'session.close':
      return { event: 'session.closed', session, reason: record.body.reason, time };
    case 'supervise.message':
    case 'supervise.pause':
    case 'supervise.resume':
    case 'supervise.step':
    case 'supervise.terminate':
      return { event: 'session.supervised', session, what: record.type.slice('supervise.'.length), by, time };
    case 'approval.asked': {
      const { id, rule, expires } = record.body.request;
      return { event: 'approval.asked', approval: id, session: record.body.request.session, rule, expires, time };
    }
    case 'approval.decided':
      return { event: 'approval.changed', approval: record.body.approval, what: record.body.state, by, time };
    case 'approval.expired':
      return { event: 'approval.changed', approval: record.body.approval, what: 'expired', by, time };
    case 'approval.withdrawn':
      return { event: 'approval.changed', approval: record.body.approval, what: 'withdrawn', by, time };
    case 'review.signed':
      return { event: 'approval.changed', approval: record.body.approval, what: 'reviewed', by, time };
    case 'review.noted':
      return { event: 'session.reviewed', session, what: 'noted', by, time };
    case 'session.reviewed':
      return { event: 'session.reviewed', session, what: record.body.verdict, by, time };
    case 'principal.locked':
    case 'principal.unlocked':
      return { event: 'principal.locked', principal: record.body.principal, locked: record.type === 'principal.locked', by, time };
    case 'policy.changed':
      // A long text comes in several records; it holds with the last one.
      return record.body.part === record.body.parts ? { event: 'policy.changed', policySet: record.body.policySet, time } : undefined;
    case 'config.changed':
      return { event: 'config.changed', configuration: record.body.configuration, time };
    default:
      return undefined;
  }
}
