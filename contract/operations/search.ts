import { z } from 'zod';
import { sessionRow } from './sessions.ts';
import { count, everyRole, name, nextPage, nothing, type OperationShape, time, uuid } from './shape.ts';

/** A line that was on a screen. */
const searchHit = z.strictObject({
  session: z.string(),
  channel: count,
  segment: count,
  /** When it was first and last seen; and the same in microseconds since the channel opened. */
  time,
  until: time,
  first: count,
  last: count,
  line: z.string(),
  /** What was found: from this UTF-16 unit of the line, and up to this one. */
  matches: z.array(z.tuple([count, count])),
  before: z.array(z.string()),
  after: z.array(z.string()),
});

export const searchOperations = {
  'search.content': {
    http: 'GET /api/search',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Lines that were on screens of sessions, newest first, by what stands in them; docs/searching.md has the language of queries',
    input: z.strictObject({
      query: z.string().min(1).max(1000),
      cursor: z.string().max(64).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(50),
      /** The line was on a screen at or after, and before. */
      from: z.string().max(64).optional(),
      to: z.string().max(64).optional(),
      session: uuid.optional(),
      channel: z.coerce.number().int().nonnegative().optional(),
      state: z.enum(['live', 'closed', 'recovered', 'erased']).optional(),
      principal: name.optional(),
      onBehalfOf: name.optional(),
      target: name.optional(),
      protocol: name.optional(),
    }),
    output: z.strictObject({
      hits: z.array(searchHit),
      /** Those that the hits are of. */
      sessions: z.array(sessionRow),
      /** Sealed segments that cannot be searched yet; told with the first page. */
      unindexed: count.optional(),
      /** A page may end before it is full, and even be empty, when it has taken its time. */
      ...nextPage,
    }),
  },
  /** Records that somebody searched the screens of sessions through their files, on this machine. */
  'search.recorded': {
    http: undefined,
    may: 'local',
    onSocket: true,
    effect: 'write',
    summary: 'Records that screens of sessions were searched',
    input: z.strictObject({ query: z.record(z.string().max(32), z.union([z.string().max(1000), z.number()])), results: count }),
    output: nothing,
  },
} as const satisfies Record<string, OperationShape>;
