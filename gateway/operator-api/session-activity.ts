import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { Database } from '../store/database.ts';
import type { SessionOverview } from '../store/session-overview.ts';
import { ActivityStrips } from './activity-strips.ts';
import type { Performers } from './operations.ts';
import type { Sidecars } from './recordings/recording-parts.ts';
import { Turnstile } from './turnstile.ts';

const BUCKETS = 24;
/** Segments of a session whose parts are read. Of longer ones it is told by how many events each segment has. */
const MOST_PARTS = 48;
const READ_TOGETHER = 4;
/** Calls that are answered at once: parts are parsed on the event loop, which sessions are relayed on. */
const AT_ONCE = 2;
/** Milliseconds after which a call ends; what it has not come to is missing in its answer, and there the next time. */
const LONGEST = 1500;

export interface ActivityParts {
  readonly reading: () => Promise<Database>;
  readonly sidecars: Pick<Sidecars, 'part'>;
}

export function activityOperations(parts: ActivityParts): Pick<Performers, 'session.activity'> {
  const turnstile = new Turnstile(AT_ONCE);
  const known = new ActivityStrips();
  return {
    'session.activity': (input, { signal, actor }) => turnstile.pass(() => activityOf(input, parts, known, signal), actor.principal),
  };
}

async function activityOf(
  { sessions }: OperationInput<'session.activity'>,
  parts: ActivityParts,
  known: ActivityStrips,
  signal: AbortSignal,
): Promise<OperationOutput<'session.activity'>> {
  const begun = performance.now();
  const goesOn = () => !signal.aborted && performance.now() - begun < LONGEST;
  const database = await parts.reading();
  const activity: Record<string, number[]> = {};
  const asked = await database.overviews.find({ among: sessions }, sessions.length);
  for (const overview of asked) {
    const { id, state } = overview.row;
    if (state === 'erased') continue;
    if (!goesOn()) break;
    // What ends or is sealed since makes it another strip.
    const as = overview.endSeq === null ? `${await database.segments.countOf(id)} sealed` : `ended ${overview.endSeq}`;
    const strip = known.get(id, as) ?? (await stripOf(overview, database, parts, goesOn));
    if (strip === undefined) continue;
    known.set(id, as, strip);
    activity[id] = strip;
  }
  return { activity };
}

/** Undefined while it is not known. */
async function stripOf(
  { row: { id, started, ended } }: SessionOverview,
  database: Database,
  { sidecars }: ActivityParts,
  goesOn: () => boolean,
): Promise<number[] | undefined> {
  const segments = await database.segments.firstOf(id, MOST_PARTS + 1);
  if (segments.length === 0) return ended === null ? undefined : Array.from({ length: BUCKETS }, () => 0);
  const begin = microsOf(started);
  const opened = new Map((await database.channels.ofSession(id)).map((channel) => [channel.channel, microsOf(channel.opened) - begin]));
  const end = ended === null ? await database.segments.reached(id, begin) : microsOf(ended);
  const length = Math.max(1, end - begin);
  if (segments.length > MOST_PARTS) return scaled(await database.segments.eventsOver(id, begin, length, BUCKETS));
  const amounts = Array.from({ length: BUCKETS }, () => 0);
  for (let at = 0; at < segments.length; at += READ_TOGETHER) {
    if (!goesOn()) return undefined;
    const together = segments.slice(at, at + READ_TOGETHER);
    const read = await Promise.all(together.map((segment) => sidecars.part(segment)));
    for (const [index, part] of read.entries()) {
      if (part === undefined) return undefined;
      const offset = opened.get(together[index]?.channel ?? -1) ?? 0;
      for (const [moment, amount] of part.heat) {
        const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(((offset + moment) / length) * BUCKETS)));
        amounts[bucket] = (amounts[bucket] ?? 0) + amount;
      }
    }
  }
  return scaled(amounts);
}

/** The busiest becomes 100, and what is not nothing is at least 1. */
function scaled(amounts: readonly number[]): number[] {
  const most = Math.max(...amounts);
  return amounts.map((amount) => (amount === 0 ? 0 : Math.max(1, Math.round((amount / most) * 100))));
}

function microsOf(time: string): number {
  return Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(time.slice(20, 26));
}
