import { z } from 'zod';

/**
 * What is pushed on the WebSocket `/api/events`: one JSON object a message. Each follows from a record that is durable.
 * They say that something changed; what it is now, the operations say.
 */
export const operatorEvent = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('session.opened'), session: z.string(), principal: z.string(), target: z.string(), time: z.string() }),
  z.strictObject({ event: z.literal('session.closed'), session: z.string(), reason: z.string(), time: z.string() }),
  z.strictObject({ event: z.literal('session.supervised'), session: z.string(), what: z.string(), by: z.string(), time: z.string() }),
  z.strictObject({
    event: z.literal('approval.asked'),
    approval: z.string(),
    session: z.string(),
    rule: z.string(),
    expires: z.string(),
    time: z.string(),
  }),
  z.strictObject({ event: z.literal('approval.changed'), approval: z.string(), what: z.string(), by: z.string(), time: z.string() }),
  /** A note was written or the session signed off; `by` an operator. */
  z.strictObject({ event: z.literal('session.reviewed'), session: z.string(), what: z.string(), by: z.string(), time: z.string() }),
  z.strictObject({ event: z.literal('principal.locked'), principal: z.string(), locked: z.boolean(), by: z.string(), time: z.string() }),
  z.strictObject({ event: z.literal('policy.changed'), policySet: z.string(), time: z.string() }),
  z.strictObject({ event: z.literal('config.changed'), configuration: z.string(), time: z.string() }),
  /** Events were passed over because the receiver was too slow: it asks anew for what it shows. */
  z.strictObject({ event: z.literal('missed'), count: z.number().int() }),
]);
export type OperatorEvent = z.infer<typeof operatorEvent>;
