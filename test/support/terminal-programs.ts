import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DrivenTerminal } from './driven-terminal.ts';

/** A real program, what it is started with, and somebody who uses it. */
export interface TerminalProgram {
  readonly name: string;
  readonly cols: number;
  readonly rows: number;
  /** A line for a shell. Its program leaves by itself at the end of `use`. */
  readonly line: string;
  readonly use: (terminal: DrivenTerminal) => Promise<void>;
}

/** Programs that draw in every way there is. They keep their files in `home`. */
export function terminalPrograms(home: string): TerminalProgram[] {
  writeFileSync(join(home, 'notes.py'), source());
  writeFileSync(join(home, 'long.log'), coloured());
  writeFileSync(join(home, 'wide.txt'), wide());
  writeFileSync(join(home, 'controls.sh'), CONTROLS);
  writeFileSync(join(home, 'build.sh'), BUILD);
  // Keys that follow each other at once are taken for pasted text otherwise, and bound to nothing.
  writeFileSync(join(home, 'tmux.conf'), 'set -g assume-paste-time 0\nset -g default-command "exec sh"\n');
  const inHome = (command: string) =>
    `cd ${home} && exec env -u LC_ALL HOME=${home} TMUX_TMPDIR=${home} LANG=C.UTF-8 LESSHISTFILE=- ENV= PS1='$ ' ${command}`;
  return [
    {
      name: 'vim',
      cols: 100,
      rows: 30,
      line: inHome(
        "vim -u NONE -i NONE -nN '+syntax on' '+set nu sc ls=2 ut=100' '+set stl=%{&co}x%{&lines}%<\\ %f\\ %m%=%l,%c\\ %P' notes.py",
      ),
      use: useVim,
    },
    { name: 'htop', cols: 100, rows: 30, line: inHome('htop -d 1'), use: useHtop },
    { name: 'tmux', cols: 110, rows: 32, line: inHome('tmux -f tmux.conf new-session'), use: useTmux },
    { name: 'less', cols: 80, rows: 24, line: inHome('less -R long.log'), use: useLess },
    {
      name: 'wide text',
      cols: 61,
      rows: 20,
      line: inHome('bash --norc --noprofile -ic \'PS1="端末$ "; exec bash --norc --noprofile -i\''),
      use: useWide,
    },
    { name: '8-bit controls', cols: 72, rows: 18, line: inHome('sh controls.sh'), use: useControls },
    { name: 'a build', cols: 90, rows: 25, line: inHome('bash build.sh'), use: useBuild },
  ];
}

async function useVim(terminal: DrivenTerminal): Promise<void> {
  // It may look at its size only when a key comes.
  const redraw = '\x0c';
  await terminal.shows(/1,1 +Top/);
  await terminal.typed('40G', /40,\S+ +\d+%/);
  await terminal.typed('O', '-- INSERT --');
  await terminal.typed('    greeting = "好世界 🙂 e\u0301tude"\tend', 'étude"'.normalize('NFD'));
  await terminal.typed('\x1b', /40,\d+/);
  await terminal.typed(':split\r', /notes\.py \[\+\][\s\S]*notes\.py \[\+\]/);
  for (let page = 0; page < 4; page += 1) await scrolled(terminal, '\x06');
  for (let line = 0; line < 6; line += 1) await scrolled(terminal, '\x05');
  await scrolled(terminal, '\x02');
  await terminal.typed('V', '-- VISUAL LINE --');
  await terminal.typed('12j', /VISUAL LINE[\s\S]*13/);
  await terminal.typed('d', 'fewer lines');
  await terminal.typed('u', 'more lines');
  terminal.resize(131, 41);
  await terminal.typed(redraw, '131x41');
  await terminal.typed(':vsplit +/value_99\r', /value_99/);
  await terminal.typed('\x16', '-- VISUAL BLOCK --');
  await terminal.typed('\x1b:set hlsearch nowrap | redraw | echo "not" . " wrapped"\r', 'not wrapped');
  terminal.resize(52, 14);
  await terminal.typed(redraw, '52x14');
  await terminal.typed(':!printf "\\033[35mfrom a shell \\%s\\033[0m\\n" now\r', 'from a shell now');
  await terminal.typed('\r', '52x14');
  terminal.resize(100, 30);
  await terminal.typed(redraw, '100x30');
  terminal.type(':qa!\r');
}

/** Resizes it, and waits for what it draws anew: keys that are typed before are lost on some. */
async function resized(terminal: DrivenTerminal, cols: number, rows: number): Promise<void> {
  terminal.resize(cols, rows);
  await redrawn(terminal, terminal.text);
}

async function redrawn(terminal: DrivenTerminal, before: string): Promise<void> {
  while (terminal.text === before) await terminal.writes(1);
}

/** A key that scrolls, and what is scrolled to. */
async function scrolled(terminal: DrivenTerminal, key: string): Promise<void> {
  const before = terminal.text;
  terminal.type(key);
  await redrawn(terminal, before);
}

async function useHtop(terminal: DrivenTerminal): Promise<void> {
  await terminal.shows(/F10\s?Quit/);
  await terminal.writes(6);
  await terminal.typed('\x1bOQ', /F10\s?Done/);
  for (let down = 0; down < 3; down += 1) await scrolled(terminal, '\x1bOB');
  await terminal.typed('\x1b[21~', /F10\s?Quit/);
  await resized(terminal, 70, 20);
  await terminal.writes(4);
  await terminal.typed('t', /F5\s?List|F5\s?Sorted/);
  await resized(terminal, 140, 36);
  await terminal.writes(4);
  await terminal.typed('h', /htop 3|Press any key/);
  await terminal.typed('x', /F10\s?Quit/);
  await terminal.writes(2);
  terminal.type('q');
}

async function useTmux(terminal: DrivenTerminal): Promise<void> {
  const prefix = '\x02';
  await terminal.shows(/[#$][\s\S]*\[0\]/);
  await terminal.typed('printf "\\033[1;33mfirst %s\\033[0m\\n" pane\r', /^first pane$/m);
  await terminal.typed(`${prefix}%`, /│/);
  await terminal.typed('seq 1 300; echo right $((6*7))\r', 'right 42');
  await terminal.typed(`${prefix}"`, /─{20}/);
  await terminal.typed('printf "%s 好🙂\\n" lower\r', 'lower 好🙂');
  await resized(terminal, 87, 26);
  await terminal.typed('echo now $(stty size)\r', /now \d+ \d+/);
  await terminal.typed(`${prefix}c`, /1:\S+\*/);
  await terminal.typed('printf "another %s\\n" window\r', /another window$/m);
  await terminal.typed(`${prefix}p`, 'lower 好🙂');
  await terminal.typed(`${prefix}[`, /\[0\/\d+\]/);
  await terminal.typed('q', /^(?![\s\S]*\[0\/\d+\])/);
  await resized(terminal, 120, 40);
  await terminal.typed('echo then $(stty size)\r', /then \d+ \d+/);
  await terminal.typed(`${prefix}z`, /0:\S+\*Z/);
  await terminal.typed('tmux kill-server\r', '[server exited]');
}

async function useLess(terminal: DrivenTerminal): Promise<void> {
  await terminal.shows('entry 1 ');
  for (let page = 0; page < 5; page += 1) await scrolled(terminal, ' ');
  await terminal.typed('/needle\r', /needle/);
  await scrolled(terminal, 'n');
  await terminal.typed('G', '(END)');
  // A key that comes with a change of size is lost.
  const prompt = /\n(:|\(END\))$/;
  await scrolled(terminal, 'b');
  await terminal.shows(prompt);
  await resized(terminal, 133, 40);
  await terminal.shows(prompt);
  await terminal.typed('g', /^entry 1 [\s\S]*entry 20 /);
  await terminal.typed('-S\r', /text >$[\s\S]*^:$/m);
  await resized(terminal, 41, 12);
  await terminal.shows(prompt);
  await terminal.typed('400g', /^entry 400 /);
  for (let back = 0; back < 5; back += 1) await scrolled(terminal, 'k');
  await terminal.typed('G', '(END)');
  terminal.type('q');
}

async function useWide(terminal: DrivenTerminal): Promise<void> {
  await terminal.shows(/[#$]/);
  await terminal.typed("PS1='端末$ '\r", /端末\$\n*$/);
  await terminal.typed('cat wide.txt\r', 'the end of it');
  // Edited within, and over the margin.
  await terminal.typed('echo 漢字かな交じり文と🙂絵文字を端から端まで書いていく練習です、もう少し', 'もう少し');
  await terminal.typed('\x1b[D\x1b[D\x1b[D\x1b[D中', '中もう少し');
  await terminal.typed('\x01\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x0b', /端末\$ echo\n*$/);
  await terminal.typed('narrow; clear; cat wide.txt\r', /the end of it\n端末\$\n*$/);
  for (const [cols, rows] of [
    [33, 20],
    [20, 9],
    [47, 30],
    [90, 12],
    [61, 20],
  ] as const) {
    terminal.resize(cols, rows);
    // With the prompt after it, so that nothing is on its way when the size changes.
    await terminal.typed(`echo now $COLUMNS $((${cols}*1000+${rows}))\r`, new RegExp(`${cols * 1000 + rows}\\s+端末\\$\\n*$`));
  }
  terminal.type('exit\r');
}

async function useControls(terminal: DrivenTerminal): Promise<void> {
  for (let round = 1; round <= 8; round += 1) {
    for (const step of ['one', 'two', 'three', 'four']) await terminal.typed('\r', `step ${step} done ${round}`);
    terminal.resize(72 - round * 3, 18 + (round % 3) * 4);
    await terminal.typed('\r', `step five done ${round}`);
  }
  terminal.type('\r');
}

async function useBuild(terminal: DrivenTerminal): Promise<void> {
  await terminal.shows('Build finished');
  terminal.resize(64, 16);
  await terminal.typed('\r', 'Tests finished');
}

function source(): string {
  return Array.from({ length: 400 }, (_, at) => {
    const kinds = [
      `def value_${at}(argument, *rest):`,
      `    """Says "${at}" in ${'many '.repeat(at % 30)}words, 全部で${at}。"""`,
      `\treturn [x ** ${at} for x in range(${at * 7})]  # 🙂`,
      '',
    ];
    return `${kinds[at % kinds.length]}\n`;
  }).join('');
}

function coloured(): string {
  return Array.from({ length: 1200 }, (_, at) => {
    const colour = `\x1b[38;5;${at % 256}m\x1b[${at % 2 === 0 ? 1 : 4}m`;
    return `entry ${at + 1} ${colour}level ${at % 7}\x1b[0m ${at % 97 === 50 ? 'a needle ' : ''}${'text of it '.repeat(at % 19)}${at % 11 === 0 ? '漢字' : ''}\n`;
  }).join('');
}

/** Text in which columns and characters are not the same, at every place of a line. */
function wide(): string {
  const samples = [
    '漢字とかなとｶﾀｶﾅと한국어',
    'e\u0301 n\u0303 o\u0302\u0323 a\u0308\u0304 \u0e01\u0e33\u0e49',
    '👩‍👩‍👧‍👦 👩🏽‍💻 🏳️‍🌈 🇯🇵🇩🇪 1️⃣',
    '☎︎ ☎️ ❤︎ ❤️ ✈️',
    'नमस्ते العربية עברית',
    '\u200b\u200e\u2060\ufeffnothing between',
  ];
  const lines = samples.flatMap((sample, at) => [
    sample,
    `${'.'.repeat(60 - at)}${sample}`,
    `\x1b[3${at + 1};4${7 - at}m${sample.repeat(3)}\x1b[K\x1b[0m`,
  ]);
  return `${lines.join('\n')}\nthe end of it\n`;
}

/** Controls of one character, as UTF-8 terminals take them (U+0080 to U+009F), and as single bytes, which are no text. */
const CONTROLS = `
c() { printf '\\302\\'"$1"; }
csi() { c 233; printf '%s' "$1"; }
stty -echo
for round in 1 2 3 4 5 6 7 8; do
read line
csi 2J; csi "$round;$((round * 3))H"; csi "38;5;20"$round"m"; printf 'orange '; csi '48;2;10;20;90m'; printf 'on blue'; csi m; printf '\\n'
csi '5;10H'; printf 'placed'; c 204; printf 'a'; c 205; printf 'next line'; c 215; printf 'back'; csi '8;1H'
printf 'step one done %s\\n' $round
read line
c 235; printf '2;title of it'; c 234; c 220; printf '1$r0m'; c 234; c 237; printf 'private'; c 234; c 230; printf 'string'; c 234
csi '3;9r'; csi '9;1H'; for n in 1 2 3 4 5 6; do printf 'scrolled %s' $n; c 205; done; csi r; csi '10;1H'
printf 'step two done %s\\n' $round
read line
csi '?1049h'; csi '2;3H'; csi '7m'; printf 'other screen'; csi '0m'; c 210; csi '4;1H'; csi '3g'; printf 'a'; c 210; printf 'b\\tc\\td'
csi '12;1H'; printf 'step three done %s\\n' $round
read line
csi '?1049l'; csi "$((round + 4));1H"; printf 'raw: \\2332J \\23331mnot red\\233m \\2352;no title\\234 \\220q\\234 \\377\\376 \\303\\n'
c 216; printf 'l'; c 217; printf 'm'; csi '4h'; csi '3G'; printf 'inserted '; csi '4l'; printf '\\n'
printf 'step four done %s\\n' $round
read line
csi '2;2H'; csi '3@'; csi '3;1H'; csi '2M'; csi '5;1H'; csi L; csi '6;1H'; printf 'repeated '; csi '20b'; csi '7;1H'
printf 'step five done %s\\n' $round
done
read line
`;

/** What builders draw: lines that are written over, several of them at once, colours, and a great many plain ones. */
const BUILD = `
stty -echo
printf '\\033[1m#1 [internal] load build definition\\033[0m\\n\\033[36m => => transferring dockerfile: 1.2kB\\033[0m\\n'
for step in 1 2 3 4 5 6; do
  printf '\\033[?25l\\033[1m[%s/6]\\033[0m building\\n\\n\\n' $step
  for done in 10 30 50 70 90 100; do
    printf '\\033[3A\\033[2K\\033[32m[%s/6]\\033[0m %3d %%\\n\\033[2K \\033[34m%s\\033[0m\\n\\033[2K\\033[90m%s ok\\033[0m\\n' $step $done "$(printf '%*s' $((done / 2)) '' | tr ' ' '#')" $done
  done
  printf '\\033[?25h'
  for file in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    printf '\\033[38;5;%sm  CC\\033[0m      src/module_%s/file_%s.o\\r\\n' $((step * 20 + file)) $step $file
  done
  printf '\\033[1;33mwarning:\\033[0m \\033]8;;https://example.com/w%s\\033\\\\unused variable\\033]8;;\\033\\\\ \\033[4:3;58;5;9mx\\033[0m [-Wunused]\\n\\t\\033[32m^~~~\\033[0m\\n' $step
done
printf '\\033[1;32mBuild finished\\033[0m\\n'
read line
for test in $(seq 1 60); do printf '\\r\\033[K running test %s of 60' $test; [ $((test % 9)) = 0 ] && printf '\\r\\033[K\\033[31m\\342\\234\\227\\033[0m test %s\\n' $test; done
printf '\\n\\033[1;32mTests finished\\033[0m\\n'
`;
