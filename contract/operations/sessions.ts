import { z } from 'zod';
import { count, everyRole, name, nextPage, type OperationShape, page, time, uuid } from './shape.ts';

export const sessionFlags = ['asked', 'denied', 'break-glass', 'supervised', 'terminated', 'hidden', 'recovered', 'held'] as const;
export type SessionFlag = (typeof sessionFlags)[number];

export const sessionStates = ['live', 'closed', 'recovered', 'erased'] as const;

/** Which sessions; each that is given has to be met. The same words wherever sessions are chosen. */
export const sessionChoice = {
  state: z.enum(sessionStates).optional(),
  principal: name.optional(),
  onBehalfOf: name.optional(),
  target: name.optional(),
  protocol: name.optional(),
  /** In the principal, who it acts for, the target, or a command; case does not matter. */
  text: z.string().max(1000).optional(),
  /** Started at or after, and before: ISO 8601 dates or times. */
  from: z.string().max(64).optional(),
  to: z.string().max(64).optional(),
};

export const sessionRow = z.strictObject({
  id: z.string(),
  started: time,
  ended: time.nullable(),
  state: z.enum(sessionStates),
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

/** What a table of sessions shows besides. Counts are of what is recorded by now. */
const sessionSummary = z.strictObject({
  /** Tags of the target in the configuration in force; empty where it is not there any more. */
  tags: z.record(z.string(), z.string()),
  /** Commands, files and forwarded connections that were decided on. */
  actions: count,
  /** How many of those needed somebody's consent; the connection itself counts as well where it did. */
  asked: count,
  /** Refused by policy or by a reviewer, or because nobody answered in time. */
  denied: count,
  /** What stands out. `hidden`: input after a prompt for a secret was left out. */
  flags: z.array(z.enum(sessionFlags)),
  /**
   * `open`: it runs, or not everything of it is under a signed checkpoint yet; `committed`: it is; `verified` and `failed`:
   * what the last verification of this gateway's run said of it; `erased`.
   */
  evidence: z.enum(['open', 'committed', 'verified', 'failed', 'erased']),
  /** Whether somebody has signed it off, and how. */
  review: z.enum(['none', 'fine', 'concern']),
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
      ...sessionChoice,
      /** `KEY=VALUE`: a tag that the target has in the configuration in force. */
      tag: z.string().max(255).optional(),
      flag: z.enum(sessionFlags).optional(),
      review: z.enum(['none', 'fine', 'concern']).optional(),
      /** With summaries, and with how many there are in all. */
      detailed: z.stringbool().or(z.boolean()).default(false),
      /**
       * So many are passed over, counted from the newest or, with a cursor, from behind it: for a table whose scroll bar is
       * dragged. Rows of a question stay where they are as long as none begins to meet it or ceases to; `upTo`, the id of the
       * newest session that the first page told, keeps those out that begin meanwhile, of pages and of `total`.
       */
      offset: z.coerce.number().int().min(0).max(10_000_000).default(0),
      upTo: uuid.optional(),
    }),
    output: z.strictObject({
      /** `live`: how it stands while it runs; null when it does not. With details only, as the summary. */
      sessions: z.array(sessionRow.extend({ summary: sessionSummary.optional(), live: liveState.nullable().optional() })),
      /**
       * How many the question finds in all; told with the first page, when details are asked for. Missing where words are
       * looked for in more commands than can be read in two seconds; then a page may also end early, at its cursor.
       */
      total: count.optional(),
      ...nextPage,
    }),
  },
  'session.show': {
    http: 'GET /api/sessions/{session}',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'One session, its channels and, while it is live, how it stands',
    input: z.strictObject({ session: uuid }),
    output: z.strictObject({ session: sessionRow, summary: sessionSummary, channels: z.array(channelRow), live: liveState.nullable() }),
  },
  'session.activity': {
    http: 'POST /api/sessions/activity',
    may: everyRole,
    onSocket: false,
    effect: 'read',
    summary: 'How busy sessions were over their length: for strips in a table',
    input: z.strictObject({ sessions: z.array(uuid).min(1).max(200) }),
    /**
     * By id; 24 equal parts of a session's length, the busiest of which is 100; of one that runs, of what is sealed. Missing
     * while it is not known, and where an answer would have taken too long: the next one goes on.
     */
    output: z.strictObject({ activity: z.record(z.string(), z.array(z.number().int().min(0).max(100))) }),
  },
  /** Looking at them is a record, as with a recording. */
  'session.records': {
    http: 'GET /api/sessions/{session}/records',
    may: everyRole,
    onSocket: false,
    effect: 'read',
    summary: 'What is on record of a session, in the order of the ledger',
    input: z.strictObject({ session: uuid, ...page }),
    output: z.strictObject({
      records: z.array(
        z.strictObject({
          /** In the ledger; null as long as no signed checkpoint covers it. */
          index: count.nullable(),
          type: z.string(),
          time,
          /** The record as contract/record.ts has it; null when it is erased. */
          record: z.record(z.string(), z.unknown()).nullable(),
          /** SHA-256 of its bytes. */
          sha256: z.string(),
        }),
      ),
      ...nextPage,
    }),
  },
} as const satisfies Record<string, OperationShape>;
