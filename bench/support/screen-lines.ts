import type { ScreenLine } from '../../gateway/indexing/screen-text.ts';

/*
 * Lines as they stand on the screens of people and agents who look after machines: prompts, listings, logs, builds,
 * clusters, queries, traces. The same for the same number, so that a query can be made of any line without keeping it.
 */

export const LINES_PER_SESSION = 5000;
/** Between two lines, microseconds. */
const PACE = 350_000;

const words = (text: string): readonly string[] => text.split(' ');
const HOSTS = words('web-1 web-2 web-3 db-1 db-2 cache-1 queue-1 build-7 edge-4 mail-2 auth-1 search-3');
const USERS = words('root deploy postgres www-data alice bob carol backup jenkins git');
const UNITS = words('nginx sshd postgresql redis docker kubelet cron systemd haproxy rabbitmq chronyd containerd prometheus');
const VERBS = words('started stopped failed reloaded restarted timed-out accepted refused closed opened retrying committed skipped');
const NOUNS = words(
  'connection request session worker transaction snapshot certificate container volume pod deployment migration backup index queue socket upstream checkpoint lease token',
);
const REASONS = words('timeout refused reset unreachable expired denied overloaded corrupted missing cancelled unavailable throttled');
const PATHS = words(
  '/etc/passwd /etc/nginx/nginx.conf /var/log/syslog /var/lib/postgresql/data /usr/local/bin/deploy /home/deploy/app/server.js /opt/app/config.yaml /tmp/build.log /srv/www/index.html /root/.ssh/authorized_keys',
);
const COMMANDS = words('ls cd cat grep rm cp mv tail systemctl kubectl docker git psql curl ssh tar df du ps top vim apt npm make');
const FLAGS = words('-la -rf --force -n -f --all -v -it --follow -xzf --no-cache -h');
const LANGUAGES = words('TypeError ValueError KeyError ReferenceError AssertionError NullPointerException');

/** Numbers without end, the same for the same seed: a 32-bit mix of a counter (splitmix32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  below(count: number): number {
    return this.next() % count;
  }

  /** The first are the most common, as words are. */
  of(list: readonly string[]): string {
    const share = this.next() / 2 ** 32;
    return list[Math.floor(share * share * list.length)] ?? '';
  }

  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.next().toString(16).padStart(8, '0');
    return text.slice(0, digits);
  }
}

export function lineText(session: number, line: number): string {
  const dice = new Dice(session * LINES_PER_SESSION + line);
  const two = (below: number): string => String(dice.below(below)).padStart(2, '0');
  const time = (): string => `${two(24)}:${two(60)}:${two(60)}`;
  switch (dice.below(10)) {
    case 0:
      return `${dice.of(USERS)}@${dice.of(HOSTS)}:~$ ${dice.of(COMMANDS)} ${dice.of(FLAGS)} ${dice.of(PATHS)}`;
    case 1:
      return `-rw-r--r-- 1 ${dice.of(USERS)} ${dice.of(USERS)} ${dice.below(9_999_999)} Mar ${1 + dice.below(28)} ${two(24)}:${two(60)} ${dice.of(NOUNS)}-${dice.hex(6)}.log`;
    case 2:
    case 3:
      return `Mar ${1 + dice.below(28)} ${time()} ${dice.of(HOSTS)} ${dice.of(UNITS)}[${dice.below(32_768)}]: ${dice.of(NOUNS)} ${dice.of(VERBS)}: ${dice.of(NOUNS)} ${dice.of(REASONS)} (req-${dice.hex(12)})`;
    case 4:
      return `10.${dice.below(256)}.${dice.below(256)}.${dice.below(256)} - - [${two(28)}/Mar/2026:${time()} +0000] "GET /api/v1/${dice.of(NOUNS)}s/${dice.hex(8)} HTTP/1.1" ${[200, 200, 200, 304, 404, 500][dice.below(6)]} ${dice.below(90_000)}`;
    case 5:
      return `${dice.of(NOUNS)}-${dice.hex(9)}-${dice.hex(5)}   1/1   Running   ${dice.below(9)}   ${dice.below(90)}d   10.${dice.below(256)}.${dice.below(256)}.${dice.below(256)}`;
    case 6:
      return `commit ${dice.hex(40)}`;
    case 7:
      return `    at ${dice.of(NOUNS)}.${dice.of(VERBS)} (${dice.of(PATHS)}:${dice.below(900)}:${dice.below(80)}) ${dice.of(LANGUAGES)}`;
    case 8:
      return ` ${dice.below(99_999)} | ${dice.of(USERS)} | ${dice.of(NOUNS)} ${dice.of(VERBS)} | 2026-03-${two(28)} ${time()} | ${dice.hex(16)}`;
    default:
      return `error: ${dice.of(NOUNS)} ${dice.of(REASONS)} while ${dice.of(NOUNS)} was ${dice.of(VERBS)} by ${dice.of(USERS)}, exit ${dice.below(256)}`;
  }
}

export function linesOf(session: number, count = LINES_PER_SESSION): ScreenLine[] {
  return Array.from({ length: count }, (_, line) => ({ first: line * PACE, last: (line + 40) * PACE, text: lineText(session, line) }));
}

/** The same lines as a recording would have them. */
export function castOf(session: number, lines: readonly ScreenLine[]): string {
  const header = JSON.stringify({ version: 3, term: { cols: 160, rows: 48 }, timestamp: 1_772_323_200 + session });
  const events = lines.map(({ text }) => JSON.stringify([PACE / 1e6, 'o', `${text}\r\n`]));
  return `${header}\n${events.join('\n')}\n`;
}
