import type { Performers } from '../operator-api/operations.ts';

/** Operations of the table that are being built: each line goes with its performer, and this file with the last. */
export const unbuilt = {} as Pick<
  Performers,
  | 'session.activity'
  | 'evidence.status'
  | 'evidence.verify'
  | 'session.verify'
  | 'audit.questions'
  | 'audit.ask'
  | 'export.start'
  | 'export.show'
  | 'export.cancel'
>;
