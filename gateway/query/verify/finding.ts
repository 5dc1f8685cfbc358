/** What is wrong or worth knowing about the evidence, and where. Words are for an auditor who has never seen the code. */

/** Codes of faults: each makes the verdict negative. */
export const faultWords = {
  altered: 'is not what was recorded',
  missing: 'was recorded and is gone',
  added: 'was never recorded',
  reordered: 'stands in another place than it was recorded in',
  truncated: 'is shorter than what was signed',
  inconsistent: 'contradicts something else in the evidence',
  forged: 'carries a signature that does not verify',
  unsigned: 'carries no signature that could be checked',
  malformed: 'does not have the form that it must have',
  gap: 'does not begin where the part before it ended',
  unclosed: 'was never closed',
  unreadable: 'cannot be read',
} as const;

/** Codes of notices: true things about the evidence that are no fault of it. */
export const noticeWords = {
  live: 'is still running, or was left by a gateway that has not been started since',
  recovered: 'was cut off when the gateway stopped, and closed afterwards',
  'set-aside': 'was kept as it was because it could not be read to its end',
  'low-disk': 'the disk ran out of space',
  clock: 'the clock of the gateway was set back',
  uncovered: 'is not covered by a signed checkpoint yet',
  erased: 'was erased, with a record of why and by whom',
  held: 'is under a hold',
  key: 'the key of the ledger was changed',
  newer: 'was written by a newer version',
  unreviewed: 'was emergency access that is not reviewed yet',
  unproven: 'is not proven by what is here',
} as const;

export type FaultCode = keyof typeof faultWords;
export type NoticeCode = keyof typeof noticeWords;

/** Ledger indexes count from 0. `last`: the finding is about all indexes from `index` to it, both included. */
export interface Place {
  index?: number;
  last?: number;
  session?: string;
  channel?: number;
  segment?: number;
  /** Path below the data directory, or name in the bundle. */
  file?: string;
}

export type Finding = { where: Place; words: string } & ({ severity: 'fault'; code: FaultCode } | { severity: 'notice'; code: NoticeCode });

export type Report = (finding: Finding) => void;

export function fault(code: FaultCode, where: Place, words: string): Finding {
  return { severity: 'fault', code, where, words };
}

export function notice(code: NoticeCode, where: Place, words: string): Finding {
  return { severity: 'notice', code, where, words };
}
