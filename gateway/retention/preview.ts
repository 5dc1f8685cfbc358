import { isoMicros } from '../base/clock.ts';
import type { Database } from '../store/database.ts';
import { filterOfScope } from '../store/session-filter.ts';
import { type RetentionTerms, settledBefore, termOf } from './retention-terms.ts';

const DAY = 86_400;
/** After every time that a session can have ended. */
const ANY_TIME = '9999';

/** What will expire when, and what is held. Counts are of sessions that are over and not erased. */
export interface RetentionPreview {
  targets: TargetPreview[];
  refusals: { days: number; records: number; due: number };
  /** Holds in force. */
  holds: number;
  lastRun: string | null;
}

export interface TargetPreview {
  target: string;
  days: number;
  sessions: number;
  /** Would expire now if nothing held them. */
  due: number;
  /** When the first of them expires, or should have. */
  next: string | null;
  held: number;
}

export async function previewRetention(database: Database, terms: RetentionTerms, now: number): Promise<RetentionPreview> {
  const holds = await database.holds.inForce();
  const filters = holds.map(({ scope }) => filterOfScope(scope));
  const targets: TargetPreview[] = [];
  for (const { target, sessions, first } of await database.sessions.endedPerTarget()) {
    const seconds = termOf(target, terms);
    targets.push({
      target,
      days: seconds / DAY,
      sessions,
      due: await database.sessions.countEnded(target, before(now, seconds)),
      next: isoMicros(Date.parse(first) * 1000 + seconds * 1_000_000),
      held: await database.sessions.countEnded(target, ANY_TIME, filters),
    });
  }
  const refusals = await database.records.countPassing(before(now, terms.refusals), settledBefore(now));
  return {
    targets,
    refusals: { days: terms.refusals / DAY, ...refusals },
    holds: holds.length,
    lastRun: (await database.records.lastRetentionRun()) ?? null,
  };
}

/** The time so many seconds before now, as records write it. */
function before(now: number, seconds: number): string {
  return isoMicros(now - seconds * 1_000_000);
}
