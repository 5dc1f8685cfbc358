import { messageOf } from '../base/desktop-error.ts';

/** One line on standard error: what, and what was thrown if anything was. No content of a session, no token, no path of a page. */
export function log(what: string, thrown?: unknown): void {
  const detail = thrown === undefined ? {} : { error: messageOf(thrown), ...(thrown instanceof Error ? { stack: thrown.stack } : {}) };
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), msg: what, ...detail })}\n`);
}
