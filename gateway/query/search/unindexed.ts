import type { Database } from '../../store/database.ts';
import type { ScreenTextReader } from '../../store/screen-text-reader.ts';

/** How many sealed segments are not stored for finding yet. */
export async function unindexedSegments(database: Database, text: ScreenTextReader | undefined): Promise<number> {
  return Math.max(0, (await database.segments.count()) - ((await text?.segments()) ?? 0));
}
