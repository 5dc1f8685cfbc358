import { describeNote } from '../../../../contract/replay/describe-note.ts';
import type { NotedEvent } from './use-live-view.ts';

export interface NoteLine {
  readonly key: string;
  readonly words: string;
  readonly at: number;
  readonly channel: number;
  /** What makes it stand out: a decision, a signal. */
  readonly mark: string | undefined;
}

/** What happened besides output, as lines for people; what nobody has a use for is left out. The oldest first. */
export function noteLines(noted: readonly NotedEvent[]): NoteLine[] {
  return noted.flatMap(({ channel, note, at }, place) => {
    const { words, mark } = describeNote(note);
    return words === undefined ? [] : [{ key: `${at} ${channel} ${place}`, words, at, channel, mark }];
  });
}
