import { z } from 'zod';
import { actorSchema, resourceSchema } from '../../contract/record.ts';

/**
 * The first frame of every stretch. It says everything that turning the stretch into a segment needs, so that neither
 * the sealer nor recovery keeps any state of the stretches before it.
 */

const count = z.number().int().nonnegative();
const perStream = z.strictObject({ i: count, o: count, e: count });

export const stretchHeaderSchema = z.strictObject({
  v: z.literal(1),
  session: z.string().regex(/^[0-9a-f-]{36}$/),
  channel: count,
  stretch: z.number().int().positive(),
  /** Nanoseconds since the channel opened at which this stretch begins: where the one before it ended. */
  start: count,
  /** Wall clock in microseconds when the channel opened, and when this stretch began. */
  openedAt: count,
  wall: count,
  protocol: z.string(),
  kind: z.string(),
  actor: actorSchema,
  target: resourceSchema,
  /** Set once a PTY was granted. */
  terminal: z.strictObject({ cols: count, rows: count, type: z.string() }).optional(),
  /** Offset, in each stream as it is recorded, of the first byte of this stretch. */
  offsets: perStream,
  /** Bytes that had crossed before this stretch, recorded or only counted. */
  crossed: perStream,
  /** `detect`: by content. `digest`: never kept, only counted and hashed. */
  binary: z.enum(['detect', 'digest']),
  content: z.enum(['digest', 'whole']),
  /** Whether input is recorded, or only counted. */
  input: z.enum(['recorded', 'counted']),
});

export type StretchHeader = z.infer<typeof stretchHeaderSchema>;

/** The header, or undefined when the object is not one of a version that this program knows. */
export function parseStretchHeader(value: unknown): StretchHeader | undefined {
  const parsed = stretchHeaderSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
