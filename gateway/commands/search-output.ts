import type { SessionRow } from '../../contract/session.ts';
import { printable } from '../base/printable.ts';
import type { SearchHit } from '../query/search/hit.ts';
import type { SearchPage } from '../query/search/search-screens.ts';
import { clock } from './clock.ts';
import type { DataOptions } from './open-data.ts';
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
    const place = `${time.slice(0, 19).replace('T', ' ')} UTC  ${session}/${channel} --at ${clock(first, true)}`;
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

/** With the whole command for the newest of them. */
export function closing({ found, more, first }: { found: number; more: boolean; first: SearchHit | undefined }, data: string): string {
  if (first === undefined) return 'Nothing was found.\n';
  const shown = more ? `These are the newest ${found}, and there may be more (--limit). ` : '';
  const which = found === 1 ? 'it' : 'the first of them';
  return `\n${shown}To see ${which} happen: sallyport play ${first.session}/${first.channel} --at ${clock(first.first, true)} ${data}\n`;
}

/** How a command was told where the data is, for another one. */
export function dataWords({ data, config }: DataOptions): string {
  const [option, path = ''] = data === undefined ? ['--config', config] : ['--data', data];
  return `${option} ${/^[\w@%+=:,./-]+$/.test(path) ? path : `'${printable(path).replaceAll("'", "'\\''")}'`}`;
}
