import type { Activity } from './activity.ts';
import type { MarkKind } from './describe-note.ts';
import type { Command } from './part.ts';

export interface TimelineMark {
  at: number;
  kind: MarkKind;
  title: string;
}

export interface Damage {
  from: number;
  to: number;
  words: string;
}

/** What there is to see of a recording along its length. Times are microseconds since the channel opened, in order. */
export interface Timeline {
  readonly marks: readonly TimelineMark[];
  readonly damage: readonly Damage[];
  readonly commands: readonly Command[];
  readonly activity: Activity;
}
