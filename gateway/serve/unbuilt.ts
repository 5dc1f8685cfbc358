import type { Performers } from '../operator-api/operations.ts';

/** Operations of the table that are being built: each line goes with its performer, and this file with the last. */
export const unbuilt = {} as Pick<Performers, 'login.link' | 'login.code' | 'key.list' | 'key.add' | 'key.remove'>;
