import { printable } from '../base/printable.ts';
import { castItems } from '../query/cast-events.ts';
import { readCast } from '../query/read-cast.ts';
import { oneChannel, tellOthers } from './cast.ts';
import type { DataOptions } from './open-data.ts';
import { Player } from './player.ts';
import { PlayerTerminal } from './player-terminal.ts';
import { withViewedData } from './record-viewing.ts';

export interface PlayOptions extends DataOptions {
  speed: number;
  /** Pauses are shortened to this many seconds; 0 leaves them as they were. */
  idle: number;
}

export async function play(name: string, options: PlayOptions): Promise<number> {
  return withViewedData(options, oneChannel(name), async (database, { session, channel, others }) => {
    tellOthers(session, channel, others);
    const terminal = new PlayerTerminal(process.stdin, process.stdout);
    const player = new Player(() => castItems(readCast(database, session.id, channel.channel)), terminal, options);
    try {
      await player.run();
    } finally {
      terminal.restore();
    }
    for (const error of player.damage) process.stderr.write(`sallyport: ${printable(error.message)}\n`);
    return terminal.signalled ?? (player.damage.length > 0 ? 1 : 0);
  });
}
