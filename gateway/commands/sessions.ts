import type { SessionRow } from '../../contract/session.ts';
import { findSession } from '../query/find-session.ts';
import { findSessions } from '../query/find-sessions.ts';
import { readSessionQuestion, type SessionWords } from '../query/session-question.ts';
import { type DataOptions, withData } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { sessionTable } from './session-table.ts';

export interface SessionsOptions extends DataOptions, SessionWords {
  limit?: number;
  after?: string;
  json?: boolean;
}

/** What a person sees without --limit. Programs get everything: they can't notice that something is missing. */
const SHOWN = 100;
const WIDTH_WITHOUT_TERMINAL = 160;

export async function sessions(options: SessionsOptions): Promise<number> {
  const question = readSessionQuestion(options);
  return withData(options, async (database) => {
    const after = options.after === undefined ? undefined : (await findSession(database, options.after)).seq;
    const limit = options.limit ?? (options.json === true ? Number.POSITIVE_INFINITY : SHOWN);
    const rows: SessionRow[] = [];
    for await (const row of findSessions(database, { ...question, ...(after === undefined ? {} : { before: after }) }, limit)) {
      if (options.json === true) await print(jsonLine(row));
      else rows.push(row);
    }
    if (options.json === true) return 0;
    await print(sessionTable(rows, process.stdout.columns ?? WIDTH_WITHOUT_TERMINAL));
    const last = rows.at(-1);
    if (rows.length === limit && last !== undefined)
      process.stderr.write(`These are the newest ${rows.length}; more with --after ${last.id} or --limit\n`);
    return 0;
  });
}
