import type { Happening } from '../../test/indexing/recorded-data.ts';

const COLUMNS = 160;
const ROWS = 50;

/** The terminal that this output is for. */
export const outputTerminal = { cols: COLUMNS, rows: ROWS };

export const kindsOfOutput = ['log', 'tui', 'build'] as const;
export type KindOfOutput = (typeof kindsOfOutput)[number];

/** Output as such programs write it, so many characters of it, in the pieces that a pipe or a program's buffer makes of it. */
export function output(kind: KindOfOutput, characters: number): Happening[] {
  const happenings: Happening[] = [];
  const { piece, every, make } = {
    log: { piece: 4096, every: 4, make: logLine },
    tui: { piece: 1, every: 1000, make: frame },
    build: { piece: 512, every: 6, make: buildLine },
  }[kind];
  let written = 0;
  let text = '';
  for (let number = 0, at = 0; written < characters; number += 1) {
    text += make(number);
    if (text.length < piece) continue;
    at += every;
    happenings.push([at, text]);
    written += text.length;
    text = '';
  }
  return happenings;
}

function logLine(number: number): string {
  const id = (Math.imul(number, 2_654_435_761) >>> 0).toString(16);
  return `2026-11-26T01:${String(number % 60).padStart(2, '0')}:12.${String((number * 37) % 1000).padStart(3, '0')}Z INFO  worker[${number % 17}] request id=${id} path=/api/v1/items/${number} status=200 took=${number % 321}ms\r\n`;
}

/** As htop draws: rows that are printed anew where they stand, with colours and bars. */
function frame(number: number): string {
  let drawn = '\x1b[H';
  for (let row = 1; row <= ROWS - 8; row += 1) {
    const bars = '|'.repeat((number + row) % 30);
    drawn += `\x1b[${row};1H\x1b[3${row % 8}m${String((number * row) % 99_999).padStart(6)}\x1b[39m root      \x1b[1m20\x1b[m   0 \x1b[32m${(number * row * 77) % 9999}M\x1b[39m ${bars}\x1b[30;46m sshd: worker ${row}\x1b[m\x1b[K`;
  }
  return drawn;
}

function buildLine(number: number): string {
  const file = `src/module-${number % 97}/part-${number}.cc`;
  if (number % 29 === 0)
    return `\x1b[1m${file}:${number % 400}:12: \x1b[35mwarning: \x1b[m\x1b[1munused variable 'value${number}'\x1b[m [-Wunused-variable]\r\n`;
  return `\r\x1b[K[\x1b[32m${String(number % 100).padStart(3)}%\x1b[m] \x1b[32mBuilding CXX object\x1b[m CMakeFiles/app.dir/${file}.o\r\n`;
}
