import type { AuditRecord } from '../../../contract/record.ts';

/**
 * What the lists of sessions and channels (`sallyport sessions`, `show`) have to say, worked out from the records alone.
 * The database keeps these lists as tables of their own, which somebody could edit without touching any record.
 */

/** A row of the list of sessions. */
export interface ExpectedSession {
  id: string;
  seq: number;
  started: string;
  ended: string | null;
  state: string;
  principal: string;
  principalKind: string;
  onBehalfOf: string | null;
  target: string;
  targetKind: string;
  protocol: string;
  source: string;
  channels: number;
  bytesIn: number;
  bytesOut: number;
  reason: string | null;
}

export interface ExpectedChannel {
  channel: number;
  kind: string;
  detail: unknown;
  opened: string;
  closed: string | null;
  exit_status: number | null;
  exit_signal: string | null;
  bytes_i: number;
  bytes_o: number;
  bytes_e: number;
  reason: string | null;
}

const NEVER_CLOSED = 'the gateway stopped without closing it';

export class ExpectedRows {
  readonly session: ExpectedSession;
  readonly channels = new Map<number, ExpectedChannel>();

  constructor(seq: number, { session, time, actor, target, body }: AuditRecord<'session.open'>) {
    this.session = {
      id: session ?? '',
      seq,
      started: time,
      ended: null,
      state: 'live',
      principal: actor.principal,
      principalKind: actor.kind,
      onBehalfOf: actor.onBehalfOf ?? null,
      target: target.name,
      targetKind: target.kind,
      protocol: body.protocol,
      source: actor.source,
      channels: 0,
      bytesIn: 0,
      bytesOut: 0,
      reason: null,
    };
  }

  openChannel({ time, body: { channel, kind, detail } }: AuditRecord<'channel.open'>): void {
    this.session.channels = Math.max(this.session.channels, channel + 1);
    const known = this.channels.get(channel);
    if (known !== undefined) {
      known.kind = kind;
      known.detail = detail;
      return;
    }
    const nothing = { closed: null, exit_status: null, exit_signal: null, bytes_i: 0, bytes_o: 0, bytes_e: 0, reason: null };
    this.channels.set(channel, { channel, kind, detail, opened: time, ...nothing });
  }

  seal({ body: { channel, streams } }: AuditRecord<'segment.sealed'>): void {
    if (this.session.ended === null) {
      this.session.bytesIn += streams.i.bytes;
      this.session.bytesOut += streams.o.bytes + streams.e.bytes;
    }
    const row = this.channels.get(channel);
    if (row === undefined || row.closed !== null) return;
    row.bytes_i += streams.i.bytes;
    row.bytes_o += streams.o.bytes;
    row.bytes_e += streams.e.bytes;
  }

  closeChannel({ time, body }: AuditRecord<'channel.close'>): void {
    const row = this.channels.get(body.channel);
    if (row === undefined) return;
    row.closed = time;
    row.reason = body.reason;
    row.exit_status = body.exit?.status ?? null;
    row.exit_signal = body.exit?.signal ?? null;
    row.bytes_i = body.bytes.i;
    row.bytes_o = body.bytes.o;
    row.bytes_e = body.bytes.e;
  }

  close({ time, body }: AuditRecord<'session.close'>): void {
    const row = this.session;
    row.ended = time;
    row.reason = body.reason;
    row.channels = body.channels;
    row.bytesIn = body.bytes.i;
    row.bytesOut = body.bytes.o + body.bytes.e;
    if (row.state !== 'recovered') row.state = 'closed';
  }

  /** It ended, as far as anybody knows, with the last frame of its channels. */
  recover({ body }: AuditRecord<'session.recovered'>): void {
    let last: number | undefined;
    for (const { channel, lastFrameAt } of body.channels) {
      const row = this.channels.get(channel);
      if (row === undefined) continue;
      const end = microsOf(row.opened) + Math.floor(lastFrameAt / 1000);
      last = Math.max(last ?? end, end);
      if (row.closed !== null) continue;
      row.closed = timeOf(end);
      row.reason = NEVER_CLOSED;
    }
    const row = this.session;
    row.state = 'recovered';
    row.reason ??= NEVER_CLOSED;
    row.ended ??= last === undefined ? row.started : timeOf(last);
  }
}

function microsOf(time: string): number {
  return Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(time.slice(20, 26));
}

function timeOf(micros: number): string {
  const seconds = Math.floor(micros / 1e6);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(micros - seconds * 1e6).padStart(6, '0')}Z`;
}
