import { z } from 'zod';

/** What the operations of every topic are made of. */

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
export const count = z.number().int().nonnegative();
export const name = z.string().min(1).max(255);
/** ISO 8601 UTC with microseconds. */
export const time = z.string();
/** Why somebody does it, in their words; it stands in a record. */
export const reason = z.string().trim().min(1).max(2000);
export const nothing = z.strictObject({});
export const page = { cursor: z.string().max(1024).optional(), limit: z.coerce.number().int().min(1).max(1000).default(100) };
export const nextPage = { cursor: z.string().optional() };
/** A public key as a line of an `authorized_keys` file; armoured SSHSIG as `ssh-keygen -Y sign` writes it. */
export const keyLine = z.string().max(16_384);
export const signature = z.string().max(16_384);
/** As it stands in a path, or in a query. */
export const channelNumber = z.coerce.number().int().min(0).max(0xffff_ffff);

export const roles = ['reviewer', 'auditor', 'admin'] as const;
export type Role = (typeof roles)[number];

/**
 * `anyone`: needs no log-in, because it is one, or brings its own proof. `operator`: whoever has logged in. `local`: only
 * on the control socket of the data directory, for the user who runs the gateway and for root.
 */
export type MayAsk = 'anyone' | 'operator' | 'local' | readonly Role[];

export interface OperationShape {
  /** Undefined for operations that are only on the control socket. */
  readonly http: `${'GET' | 'POST' | 'DELETE'} /api/${string}` | undefined;
  readonly may: MayAsk;
  /**
   * What a request over the control socket, which has no log-in, is taken for: an `admin`, for the user of the gateway
   * could do as much to its files. What only a person may do (deciding, logging in) is not there.
   */
  readonly onSocket: boolean;
  readonly effect: 'read' | 'write';
  readonly summary: string;
  readonly input: z.ZodType;
  readonly output: z.ZodType;
}

export const supervisors: readonly Role[] = ['reviewer', 'admin'];
export const everyRole: readonly Role[] = [...roles];
export const admin: readonly Role[] = ['admin'];
