/** A session as `sallyport sessions --json` prints it: one line each. Times are ISO 8601 UTC with microseconds. */
export interface SessionRow {
  id: string;
  started: string;
  ended: string | null;
  /** `live`: no close is recorded (the gateway runs, or died and has not recovered yet). */
  state: SessionState;
  /** This, `source` and the like are empty once the session is erased. */
  principal: string;
  principalKind: 'human' | 'agent' | 'unknown';
  onBehalfOf: string | null;
  target: string;
  protocol: string;
  source: string;
  channels: number;
  bytesIn: number;
  bytesOut: number;
  /** Why it ended, in words. */
  reason: string | null;
}

export type SessionState = 'live' | 'closed' | 'recovered' | 'erased';

export interface ChannelRow {
  session: string;
  /** 0, 1, 2 … in the order the channels opened. */
  channel: number;
  /** `shell`, `exec`, `subsystem`, `sftp`, `direct-tcpip`, `forwarded-tcpip`, `auth-agent` or `session` while undetermined. */
  kind: string;
  detail: Record<string, unknown>;
  opened: string;
  closed: string | null;
  exit: { status?: number | undefined; signal?: string | undefined } | null;
  bytes: { i: number; o: number; e: number };
  reason: string | null;
}

export interface SegmentRow {
  session: string;
  channel: number;
  segment: number;
  file: string;
  bytes: number;
  sha256: string;
  from: number;
  to: number;
  events: number;
}
