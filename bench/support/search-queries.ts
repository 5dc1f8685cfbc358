import { Dice, LINES_PER_SESSION, lineText } from './screen-lines.ts';

export interface BenchQuery {
  readonly kind: string;
  readonly query: string;
}

/** What people and programs look for, in equal parts; of a corpus of so many sessions. */
export function searchQueries(sessions: number, each: number): BenchQuery[] {
  const dice = new Dice(4711);
  const anyLine = (pattern: RegExp): RegExpExecArray => {
    for (;;) {
      const found = pattern.exec(lineText(dice.below(sessions), dice.below(LINES_PER_SESSION)));
      if (found !== null) return found;
    }
  };
  const one = (list: readonly string[]): string => list[dice.below(list.length)] ?? '';
  const kinds: readonly (readonly [string, () => string])[] = [
    ['rare word', () => anyLine(/req-[0-9a-f]{12}|[0-9a-f]{16,40}/)[0]],
    ['rare address', () => anyLine(/10\.\d+\.\d+\.\d+/)[0]],
    ['common word', () => one(['error', 'root', 'nginx', 'GET', 'timeout', 'deploy', 'connection', 'commit', 'exit', 'Running'])],
    [
      'common words',
      () => one(['connection refused', 'root passwd', 'nginx upstream timeout', 'deploy failed error', 'GET 404', 'kubectl root']),
    ],
    ['phrase', () => `"${anyLine(/^error: (\w+ \w+ while \w+)/)[1]}"`],
    ['prefix', () => `${anyLine(/(commit|req-|session-|worker-)\s?[0-9a-f]{6}/)[0].replace(' ', ' ')}*`],
    ['part', () => `*${anyLine(/[0-9a-f]{40}/)[0].slice(9, 17)}*`],
    ['path', () => one(['/etc/passwd', '/root/.ssh/authorized_keys', '"rm -rf /etc/passwd"', 'server.js', '--force'])],
    ['two characters', () => one(['rm', 'ls', 'cd', 'cp', 'mv', 'df', 'by', 'at'])],
    ['nothing', () => `${dice.hex(5)}zzq${dice.hex(4)}`],
    ['never together', () => one(['commit kubectl', 'HTTP TypeError', 'Running ValueError', 'GET systemctl', 'commit error'])],
  ];
  return kinds.flatMap(([kind, make]) => Array.from({ length: each }, () => ({ kind, query: make() })));
}
