import { randomNumbers } from './random-output.ts';

/** Output as programs write it, line by line, with everything that can be at the margin: the lines are as long as the terminal is wide, or nearly. */
export function randomLines(seed: number, cols: number, count: number): string {
  const random = randomNumbers(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
  const width = () =>
    Math.max(0, pick([0, 1, cols - 2, cols - 1, cols, cols, cols + 1, 2 * cols - 1, 2 * cols, 2 * cols + 1, random(3 * cols)]));
  const plain = (length: number) => Array.from({ length }, () => pick([...'abcdefghijklm nopqr stuvw~|#'])).join('');
  const ends = ['', '', '', '好', '好世', 'e\u0301', '好\u0301', ' ', '\u0301', '\u{1f642}', '\u{20000}', '─', '\u00ad', '\u1161'];
  const kinds: (() => string)[] = [
    () => plain(width()),
    () => plain(width()) + pick(ends) + plain(random(4)),
    () => plain(Math.max(0, cols - 1)) + pick(ends) + plain(random(4)),
    () => `${plain(random(cols))}\t${plain(random(5))}\t\t${plain(random(cols))}`,
    () => Array.from({ length: random(6) }, () => `\x1b[${pick(PENS)}m${plain(random(cols))}`).join(''),
    () => `\x1b[${pick(PENS)}m${plain(width())}\x1b[m`,
    () => `\x1b[${pick(PENS)}m${pick(ends)}${plain(width())}${pick(ends)}\x1b[K\x1b[m`,
    () => Array.from({ length: random(cols + 2) }, () => pick(['好', '世', '한', 'x', 'Ａ', 'é'])).join(''),
    () => `\x1b[${pick(PENS)}m\x1b[${1 + random(cols)}G\x1b[${1 + random(cols)}X${plain(random(3))}`,
    () =>
      `${plain(width())}\x1b[${1 + random(cols)}G\x1b[${pick(PENS)}m${pick(ends)}${pick(['x', ' ', '\x1b[P', '\x1b[@', '\x1b[K', '\x1b[1K'])}`,
    () => `\x1b[1"q${plain(random(cols))}\x1b[0"q${plain(random(cols))}`,
  ];
  let out = '';
  for (let made = 0; made < count; made += 1) {
    const line = pick(kinds)();
    out += line + pick(['\r\n', '\r\n', '\r\n', '\r\n', '\n', '', '\r\n\r\n', '\x1b[m\r\n', '\x1bE']);
  }
  return out;
}

const PENS = [
  '',
  '31',
  '1',
  '7',
  '44',
  '0',
  '4',
  '4:3',
  '1;38;5;200',
  '48;2;1;2;3',
  '38;2;9;8;7;49',
  '39',
  '49',
  '53;2',
  '58;5;9;4',
  '0;100',
];
