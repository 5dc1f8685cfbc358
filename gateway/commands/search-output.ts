import type { SessionRow } from '../../contract/session.ts';
import { printable } from '../base/printable.ts';
import type { SearchHit } from '../query/search/hit.ts';
import type { SearchPage } from '../query/search/search-screens.ts';
import { who } from './session-table.ts';

const BOLD = '\x1b[1m';
const FOUND = '\x1b[1;7m';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';

/** Hits for people, by session: when and where, the line with what was found marked, and the lines beside it. */
export class HitList {
  readonly #colours: boolean;
  #session: string | undefined;

  constructor(colours: boolean) {
    this.#colours = colours;
  }

  /** Goes on where the page before ended. */
  text({ hits, sessions }: SearchPage): string {
    return hits.map((hit) => this.#head(hit, sessions) + this.#hit(hit)).join('');
  }

  #head({ session }: SearchHit, sessions: readonly SessionRow[]): string {
    if (session === this.#session) return '';
    const row = sessions.find(({ id }) => id === session);
    const lead = this.#session === undefined ? '' : '\n';
    this.#session = session;
    const about = row === undefined ? '' : `  ${who(row)} at ${printable(row.target)}`;
    return `${lead}${this.#dress(session, BOLD)}${about}\n`;
  }

  #hit({ session, channel, time, first, line, matches, before, after }: SearchHit): string {
    const beside = (text: string): string => `      ${this.#dress(printable(text).trimEnd(), DIM)}\n`;
    const place = `${time.slice(0, 19).replace('T', ' ')}  ${session}/${channel} @${offset(first)}`;
    return [`  ${place}\n`, ...before.map(beside), `    > ${this.#marked(line, matches)}\n`, ...after.map(beside)].join('');
  }

  #marked(line: string, matches: SearchHit['matches']): string {
    let text = '';
    let at = 0;
    for (const [from, to] of matches) {
      text += printable(line.slice(at, from)) + this.#dress(printable(line.slice(from, to)), FOUND);
      at = to;
    }
    return (text + printable(line.slice(at))).trimEnd();
  }

  #dress(text: string, sequence: string): string {
    return this.#colours && text !== '' ? `${sequence}${text}${PLAIN}` : text;
  }
}

export function closing({ found, more }: { found: number; more: boolean }): string {
  if (found === 0) return 'Nothing was found.\n';
  const shown = more ? `These are the newest ${found}; more with --limit. ` : '';
  return `${shown}To see one of them happen: sallyport play SESSION/CHANNEL\n`;
}

/** Microseconds as `12.3s`, `4m05.2s` or `1h02m03.4s`, as far into the channel. */
function offset(micros: number): string {
  const tenths = Math.floor(micros / 100_000);
  const [hours, minutes, seconds] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10];
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, '0')}m${seconds.toFixed(1).padStart(4, '0')}s`;
  return minutes > 0 ? `${minutes}m${seconds.toFixed(1).padStart(4, '0')}s` : `${seconds.toFixed(1)}s`;
}
