import type { RecordedEvent } from '../../contract/frame-codec.ts';

/** The approval rule by which the actions of a session ask while an operator steps through it. */
export const STEP_RULE = 'step';

/** How a live session stands. `waiting`: ids of requests for approval. */
export interface LiveState {
  readonly session: string;
  readonly paused: boolean;
  readonly stepping: boolean;
  readonly waiting: readonly string[];
}

/** What a protocol can do to a session that it relays. */
export interface Conduct {
  hold(on: boolean): void;
  say(text: string): number;
  note(event: RecordedEvent, marker: string): void;
}
