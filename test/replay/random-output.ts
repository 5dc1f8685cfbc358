/**
 * Output as no program would write it: every kind of sequence with odd parameters. The same for the same seed. Without
 * `origin` it leaves out the one mode in which the cursor can be where no sequence leads to: a dump puts it nearby.
 */
export function randomOutput(seed: number, count: number, origin = true): string {
  const random = randomNumbers(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
  const small = () => pick(['', '0', '1', '2', '3', '5', '9', '20', '70']);
  const kinds: [weight: number, make: () => string][] = [
    [14, () => Array.from({ length: 1 + random(30) }, () => pick([...'abcdefghij  klmnopqrstuvwxyz~`#@[]'])).join('')],
    [4, () => pick(['好', '世界', '한', '🙂', 'Ａ', '\u3000'])],
    [3, () => pick(['e\u0301', 'n\u0303\u0330', '\u0301', '\u200d', '好\u0301'])],
    [8, () => pick(['\r\n', '\n', '\r', '\t', '\b', '\v'])],
    [10, () => `\x1b[${Array.from({ length: 1 + random(3) }, () => pick(SGR)).join(';')}m`],
    [9, () => `\x1b[${small()};${small()}H`],
    [8, () => `\x1b[${small()}${pick([...'ABCDEFGIZ`ade'])}`],
    [8, () => `\x1b[${pick(['', '0', '1', '2'])}${pick([...'JK'])}`],
    [2, () => `\x1b[?${pick(['', '0', '1', '2'])}${pick([...'JK'])}`],
    [8, () => `\x1b[${small()}${pick([...'@LMPSTXb'])}`],
    [2, () => `\x1b[${small()} ${pick(['@', 'A', 'q'])}`],
    [2, () => `\x1b[${small()}'${pick(['}', '~'])}`],
    [3, () => `\x1b[${pick(['', '2;5', '1;3', '3;10', '4'])}r`],
    [3, () => pick(['\x1b7', '\x1b8', '\x1b[s', '\x1b[u', '\x1b[?1048h', '\x1b[?1048l'])],
    [2, () => pick(['\x1b[?1049h', '\x1b[?1049l', '\x1b[?47h', '\x1b[?47l', '\x1b[?1047h', '\x1b[?1047l'])],
    [
      3,
      () =>
        `\x1b[${pick(['4', '20', '?1', origin ? '?6' : '?1', '?7', '?12', '?25', '?45', '?1000', '?1006', '?2004', '?2026', '?1004'])}${pick(['h', 'l'])}`,
    ],
    [3, () => `\x1b${pick([...'()*+'])}${pick([...'0AB45K='])}`],
    [2, () => pick(['\x0e', '\x0f', '\x1bn', '\x1bo', '\x1b~', '\x1b|'])],
    [2, () => pick(['\x1bD', '\x1bE', '\x1bM', '\x1bH', '\x1b[g', '\x1b[3g', '\x1b=', '\x1b>'])],
    [1, () => pick(['\x1b#8', '\x1b[!p', '\x1b[1"q', '\x1b[0"q', '\x1b[3J'])],
    [1, () => pick(['\x1b]2;title\x07', '\x1b]8;;https://example.com\x1b\\', '\x1b]52;c;aGk=\x07', '\x1bP$qm\x1b\\', '\x1b_x\x1b\\'])],
  ];
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
  let out = '';
  for (let made = 0; made < count; made += 1) {
    let at = random(total);
    for (const [weight, make] of kinds) {
      at -= weight;
      if (at >= 0) continue;
      out += make();
      break;
    }
  }
  return out;
}

const SGR = [
  '',
  '0',
  '1',
  '2',
  '3',
  '4',
  '4:3',
  '4:5',
  '5',
  '7',
  '8',
  '9',
  '21',
  '22',
  '24',
  '27',
  '31',
  '42',
  '97',
  '104',
  '39',
  '49',
  '53',
  '55',
  '59',
].concat(['38;5;200', '48;5;17', '38;2;10;20;30', '48;2;200;100;0', '58;5;9', '58;2;1;2;3']);

export function randomNumbers(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
