import type { SessionRow } from '../../contract/session.ts';
import { findSession } from '../query/find-session.ts';
import { findSessions, type SessionQuestion } from '../query/find-sessions.ts';
import { periodFrom, periodTo } from '../query/period.ts';
import { type DataOptions, withData } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { readState } from './session-state.ts';
import { sessionTable } from './session-table.ts';

export interface SessionsOptions extends DataOptions {
  from?: string;
  to?: string;
  principal?: string;
  onBehalfOf?: string;
  target?: string;
  protocol?: string;
  state?: string;
  text?: string;
  limit?: number;
  after?: string;
  json?: boolean;
}

/** What a person sees without --limit. Programs get everything: they can't notice that something is missing. */
const SHOWN = 100;
const WIDTH_WITHOUT_TERMINAL = 160;

export async function sessions(options: SessionsOptions): Promise<number> {
  const question = readQuestion(options);
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

function readQuestion(options: SessionsOptions): SessionQuestion {
  const { principal, onBehalfOf, target, protocol, text } = options;
  return {
    ...(options.from === undefined ? {} : { from: periodFrom(options.from) }),
    ...(options.to === undefined ? {} : { to: periodTo(options.to) }),
    ...(principal === undefined ? {} : { principal }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(target === undefined ? {} : { target }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(text === undefined ? {} : { text }),
    ...(options.state === undefined ? {} : { state: readState(options.state) }),
  };
}
