import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import { printable } from '../base/printable.ts';
import { castItems } from '../query/cast-events.ts';
import { readCast } from '../query/read-cast.ts';
import { FileDriver } from '../query/replay/file-driver.ts';
import type { Database } from '../store/database.ts';
import { oneChannel, tellOthers } from './cast.ts';
import type { DataOptions } from './open-data.ts';
import { PipedStage } from './piped-stage.ts';
import { PlayerTerminal } from './player-terminal.ts';
import { Playing } from './playing.ts';
import { withViewedData } from './record-viewing.ts';
import { ScreenStage } from './screen-stage.ts';
import { ScrollingStage } from './scrolling-stage.ts';
import type { Stage } from './stage.ts';

export interface PlayOptions extends DataOptions {
  speed: number;
  /** Pauses are shortened to this many seconds; 0 leaves them as they were. */
  idle: number;
  /** Microseconds into the channel. */
  at?: number;
}

export async function play(name: string, options: PlayOptions): Promise<number> {
  return withViewedData(options, oneChannel(name), async (database, { session, channel, others }) => {
    tellOthers(session, channel, others);
    const terminal = new PlayerTerminal(process.stdin, process.stdout);
    const stage = await stageFor(database, session.id, channel.channel, terminal);
    let over = false;
    try {
      over = await new Playing(stage, terminal, options).run();
    } finally {
      terminal.restore();
    }
    for (const error of stage.damage) process.stderr.write(`sallyport: ${printable(error.message)}\n`);
    if (over) process.stderr.write(whatElse(session, channel, stage));
    return terminal.signalled ?? (stage.damage.length > 0 ? 1 : 0);
  });
}

/** Where more is to be seen, when the end of a recording leaves somebody without it. */
function whatElse({ id, state }: SessionRow, { channel, kind }: ChannelRow, { empty }: Stage): string {
  const nothing = empty
    ? `There was no output in channel ${channel} (${printable(kind)}); what happened: sallyport transcript ${id}/${channel}\n`
    : '';
  return state === 'live' ? `${nothing}The session is still running; as it goes on: sallyport watch ${id}\n` : nothing;
}

async function stageFor(database: Database, session: string, channel: number, terminal: PlayerTerminal): Promise<Stage> {
  if (terminal.size === undefined) return new PipedStage(castItems(readCast(database, session, channel)), terminal);
  const driver = await FileDriver.open(database, session, channel);
  return driver.outline.terminal ? new ScreenStage(driver, terminal) : new ScrollingStage(driver, terminal);
}
