import type { SessionScope } from '../../contract/record.ts';
import type { SessionState } from '../../contract/session.ts';
import type { SqlValue } from './connection.ts';

export interface SessionFilter {
  /** This one alone; only these. */
  session?: string;
  among?: readonly string[];
  /** Started at or after / before this time, in the form of records (ISO 8601 UTC with microseconds). */
  from?: string;
  to?: string;
  principal?: string;
  onBehalfOf?: string;
  target?: string;
  protocol?: string;
  state?: SessionState;
  /** Text in the principal, who it acts for, the target, or a channel's command; case does not matter. */
  text?: string;
  /** Sessions opened before the one with this `seq`. */
  before?: number;
}

/** SQL that has to hold, with what its question marks stand for. */
export interface Conditions {
  readonly conditions: string[];
  readonly clause: string;
  readonly parameters: SqlValue[];
}

/** What a scope asks of sessions: those that meet every member. */
export function filterOfScope(scope: SessionScope): SessionFilter {
  const given = Object.entries(scope).filter(([, member]) => member !== undefined);
  return Object.fromEntries(given) as SessionFilter;
}

/** Of the view that has everything, or of the table, in which people are numbers: only that is quick for all sessions there are. */
export function conditionsOf(filter: SessionFilter, of: 'session_rows' | 'main.sessions' = 'session_rows'): Conditions {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  const where = (condition: string, ...values: SqlValue[]) => {
    conditions.push(condition);
    parameters.push(...values);
  };
  const person = (view: string, column: string) =>
    of === 'session_rows' ? `${view} = ?` : `${column} = (SELECT n.id FROM main.names n WHERE n.name = ? LIMIT 1)`;
  if (filter.session !== undefined) where('id = ?', filter.session);
  if (filter.among !== undefined) where('id IN (SELECT value FROM json_each(?))', JSON.stringify(filter.among));
  if (filter.from !== undefined) where('started >= ?', filter.from);
  if (filter.to !== undefined) where('started < ?', filter.to);
  if (filter.principal !== undefined) where(person('principal', 'principal'), filter.principal);
  if (filter.onBehalfOf !== undefined) where(person('onBehalfOf', 'on_behalf_of'), filter.onBehalfOf);
  if (filter.target !== undefined) where('target = ?', filter.target);
  if (filter.protocol !== undefined) where('protocol = ?', filter.protocol);
  if (filter.state !== undefined) where('state = ?', filter.state);
  if (filter.before !== undefined) where('seq < ?', filter.before);
  if (filter.text !== undefined) {
    const { condition, parameters: values } = of === 'session_rows' ? textInView(filter.text) : textInTable(filter.text, of);
    where(condition, ...values);
  }
  return { conditions, clause: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, parameters };
}

const like = "LIKE ? ESCAPE '\\'";

interface TextCondition {
  readonly condition: string;
  readonly parameters: SqlValue[];
}

function textInView(text: string): TextCondition {
  const inChannel = `EXISTS (SELECT 1 FROM channel_rows c WHERE c.session = session_rows.id AND json_extract(c.detail, '$.command') ${like})`;
  const pattern = patternOf(text);
  return {
    condition: `(principal ${like} OR onBehalfOf ${like} OR target ${like} OR ${inChannel})`,
    parameters: [pattern, pattern, pattern, pattern],
  };
}

/** Text that has no character that JSON writes in another way: a record without it need not be parsed. */
const STANDS_AS_IT_IS = /^[^\0-\x1f"\\]*$/;

/** `table` has the columns `id`, `principal`, `on_behalf_of` and `target` of the sessions. */
export function textInTable(text: string, table: string): TextCondition {
  const pattern = patternOf(text);
  const named = `IN (SELECT n.id FROM main.names n WHERE n.name ${like})`;
  const quick = STANDS_AS_IT_IS.test(text);
  const command = `${quick ? `CAST(o.bytes AS TEXT) ${like} AND ` : ''}json_extract(CAST(o.bytes AS TEXT), '$.body.detail.command') ${like}`;
  const inChannel = `EXISTS (SELECT 1 FROM main.channels c JOIN main.records o ON o.seq = c.open_seq WHERE c.session = ${table}.id AND ${command})`;
  return {
    condition: `(principal ${named} OR on_behalf_of ${named} OR target ${like} OR ${inChannel})`,
    parameters: Array.from({ length: quick ? 5 : 4 }, () => pattern),
  };
}

function patternOf(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}
