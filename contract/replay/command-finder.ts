import { z } from 'zod';
import type { CastEvent, CastHeader } from './cast-event.ts';
import type { Command } from './part.ts';
import type { Emulation } from './screen/emulation.ts';

/** What goes on in the next segment. Plain JSON, bounded. */
export const finderStateSchema = z.strictObject({
  v: z.literal(1),
});
export type FinderState = z.infer<typeof finderStateSchema>;

export interface FinderOptions {
  /** Of the finder that saw everything before. */
  state?: FinderState | undefined;
  /** Told when a command begins; `report` follows when it is over. Commands may be nested. */
  begun?: (command: Command) => void;
}

/**
 * Finds the commands of a channel in one pass over its events, together with the emulation that shows them. Reports a
 * command when it is over (or nobody will ever tell), so `at` may lie in an earlier segment.
 */
export class CommandFinder {
  constructor(report: (command: Command) => void, options: FinderOptions = {}) {
    void [report, options];
  }

  /** The header of the channel's cast, when it comes. */
  begin(header: CastHeader): void {
    void header;
  }

  /** Before `emulation` shows the event. Without a terminal there may be no emulation. */
  before(event: CastEvent, emulation: Emulation | undefined): void {
    void [event, emulation];
  }

  /** After it was shown. */
  after(event: CastEvent, emulation: Emulation | undefined): void {
    void [event, emulation];
  }

  /** At the end of the recording, microseconds since the channel opened. */
  end(at: number): void {
    void at;
  }

  /** To go on in the next segment, with the emulation as it is then or one restored from its dump. */
  state(): FinderState {
    return { v: 1 };
  }
}
