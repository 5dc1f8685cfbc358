import type { Database } from '../../store/database.ts';
import type { ScreenTextReader } from '../../store/screen-text-reader.ts';

/** How many sealed segments cannot be found in: all of them, where the index is damaged and begins anew. */
export async function unindexedSegments(database: Database, text: ScreenTextReader | undefined): Promise<number> {
  const sealed = await database.segments.count();
  return text === undefined || text.isDamaged ? sealed : Math.max(0, sealed - (await text.segments()));
}
