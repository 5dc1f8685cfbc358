import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pty from 'node-pty';
import type { Belongings } from '../../test/support/temp.ts';

export const TERMINAL = { cols: 120, rows: 36, name: 'xterm-256color' } as const;

/** What a program wrote to its terminal: milliseconds since it began, and the bytes. */
export interface Capture {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
}

/** Programs that people have in front of them, and what is typed at them: once a beat. */
export interface Work {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** The keys of beat N. */
  readonly keys: (beat: number) => string;
  /** Milliseconds between beats. */
  readonly beat: number;
}

export function works(directory: string): readonly Work[] {
  return [
    { name: 'log', command: ['bash', '--norc', '-c', logLines], keys: () => '', beat: 1000 },
    {
      name: 'vim',
      command: ['vim', '-u', 'NONE', '-N', '+syntax on', '+set number', join(directory, 'notes.py')],
      keys: vimKeys,
      beat: 25,
    },
    { name: 'htop', command: ['htop', '-d', '1'], keys: (beat) => (beat % 8 === 0 ? 'j' : ''), beat: 250 },
    { name: 'shell', command: ['bash', '--norc', '-i'], keys: shellKeys, beat: 25 },
  ];
}

/** Runs a program for so long with its keys typed, and keeps what it wrote. */
export async function capture(belongings: Belongings, work: Work, seconds: number): Promise<Capture> {
  const directory = belongings.directory(`capture-${work.name}`);
  const [program, ...args] = work.command;
  const terminal = pty.spawn(program, args, {
    ...TERMINAL,
    cwd: directory,
    encoding: null,
    env: { PATH: process.env.PATH ?? '', HOME: directory, LANG: 'C.UTF-8', TERM: TERMINAL.name, PS1: 'deploy@web-1:\\w\\$ ' },
  });
  belongings.add(() => terminal.kill('SIGKILL'));
  const began = performance.now();
  const pieces: [number, string][] = [];
  let bytes = 0;
  // Without an encoding node-pty gives buffers, whatever its types say.
  terminal.onData((data) => {
    const piece = Buffer.from(data);
    bytes += piece.length;
    pieces.push([Math.round((performance.now() - began) * 100) / 100, piece.toString('base64')]);
  });
  for (let beat = 0; performance.now() - began < seconds * 1000; beat += 1) {
    const keys = work.keys(beat);
    if (keys !== '') terminal.write(keys);
    await delay(work.beat);
  }
  terminal.kill('SIGKILL');
  const file = join(directory, 'capture.json');
  writeFileSync(file, JSON.stringify(pieces));
  return { name: work.name, file, bytes };
}

/** An access log as it grows: bursts and quiet, the same few fields in every line. */
const logLines = `
i=0; while :; do
  i=$((i+1))
  printf '%s 10.0.%d.%d - %s [%s] "%s /api/v2/orders/%d HTTP/1.1" %d %d %d.%03d\\n' \\
    "$(printf '2026-03-01T09:%02d:%02d.%03dZ' $((i/60%60)) $((i%60)) $((RANDOM%1000)))" $((RANDOM%4)) $((RANDOM%250)) \\
    "$([ $((RANDOM%3)) = 0 ] && echo - || echo user-$((RANDOM%40)))" "req-$RANDOM$RANDOM" \\
    "$([ $((RANDOM%4)) = 0 ] && echo POST || echo GET)" $((RANDOM*3)) "$([ $((RANDOM%20)) = 0 ] && echo 500 || echo 200)" $((RANDOM%9000)) $((RANDOM%3)) $((RANDOM%1000))
  [ $((RANDOM%10)) -lt 7 ] || sleep 0.0$((RANDOM%9+1))
  sleep 0.01
done`;

const source = [
  'def totals(orders, since):',
  '    """Sums of the orders of each customer, the newest first."""',
  '    found = {}',
  '    for order in orders:',
  '        if order.created < since or order.state == "cancelled":',
  '            continue',
  '        found[order.customer] = found.get(order.customer, 0) + order.amount',
  '    return sorted(found.items(), key=lambda item: item[1], reverse=True)',
  '',
].join('\r');
const editing = [
  'gg',
  '/order\r',
  'n',
  'n',
  'ciwpurchase\x1b',
  '}',
  'dd',
  'u',
  ':w\r',
  'G',
  'yyp',
  'A  # checked\x1b',
  '\x06',
  '\x02',
  'zz',
];

/** Types a function, then moves about in it and changes it, again and again. */
function vimKeys(beat: number): string {
  const typed = `Go${source}\x1b`;
  const round = typed.length + editing.length * 6;
  const at = beat % round;
  if (at < typed.length) return typed[at] as string;
  const step = at - typed.length;
  return step % 6 === 0 ? (editing[step / 6] as string) : '';
}

const commands = [
  'ls -la /etc | head -40',
  'ps aux | sort -rnk 4 | head -15',
  'grep -rn "root" /etc/passwd /etc/group',
  'df -h; free -m',
  'cat /etc/services | head -60',
  'find /usr/share/doc -maxdepth 1 | sort | head -50',
  'date; uptime; id',
  'for i in 1 2 3; do echo "deploying web-$i"; sleep 0.1; done',
  'dpkg -l | tail -30',
];

/** One key after the other, now and then a wrong one that is taken back; then some time to read. */
function shellKeys(beat: number): string {
  let at = beat;
  for (let index = 0; ; index += 1) {
    const command = commands[index % commands.length] as string;
    const keys = `${command.slice(0, 4)}x\x7f${command.slice(4)}\r`;
    const length = keys.length + 20;
    if (at < length) return keys[at] ?? '';
    at -= length;
  }
}
