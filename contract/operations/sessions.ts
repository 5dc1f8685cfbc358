import { z } from 'zod';
import { count, everyRole, name, nextPage, type OperationShape, page, time, uuid } from './shape.ts';

export const sessionRow = z.strictObject({
  id: z.string(),
  started: time,
  ended: time.nullable(),
  state: z.enum(['live', 'closed', 'recovered', 'erased']),
  principal: z.string(),
  principalKind: z.enum(['human', 'agent', 'unknown']),
  onBehalfOf: z.string().nullable(),
  target: z.string(),
  protocol: z.string(),
  source: z.string(),
  channels: count,
  bytesIn: count,
  bytesOut: count,
  reason: z.string().nullable(),
});

const channelRow = z.strictObject({
  session: z.string(),
  channel: count,
  kind: z.string(),
  detail: z.record(z.string(), z.unknown()),
  opened: time,
  closed: time.nullable(),
  exit: z.strictObject({ status: z.number().int().optional(), signal: z.string().optional() }).nullable(),
  bytes: z.strictObject({ i: count, o: count, e: count }),
  reason: z.string().nullable(),
});

/** How a live session stands. */
export const liveState = z.strictObject({
  session: uuid,
  paused: z.boolean(),
  stepping: z.boolean(),
  watchers: count,
  /** Ids of approvals that it waits for. */
  waiting: z.array(uuid),
});

export const sessionsOperations = {
  'session.list': {
    http: 'GET /api/sessions',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Sessions, newest first',
    input: z.strictObject({
      ...page,
      state: z.enum(['live', 'closed', 'recovered', 'erased']).optional(),
      principal: name.optional(),
      onBehalfOf: name.optional(),
      target: name.optional(),
      protocol: name.optional(),
      text: z.string().max(1000).optional(),
      from: z.string().max(64).optional(),
      to: z.string().max(64).optional(),
    }),
    output: z.strictObject({ sessions: z.array(sessionRow), ...nextPage }),
  },
  'session.show': {
    http: 'GET /api/sessions/{session}',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'One session, its channels and, while it is live, how it stands',
    input: z.strictObject({ session: uuid }),
    output: z.strictObject({ session: sessionRow, channels: z.array(channelRow), live: liveState.nullable() }),
  },
} as const satisfies Record<string, OperationShape>;
