import { describe, expect, it } from 'vitest';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { SeenLines } from '../../gateway/indexing/seen-lines.ts';
import { TextTracker } from '../../gateway/indexing/text-tracker.ts';
import { worked } from '../support/worked.ts';

/** Lines as `text@first-last`, of output that comes piece by piece, one a second, and ends a second after the last. */
function seen(pieces: readonly (string | { cols: number; rows: number })[], { cols = 20, rows = 5 } = {}): string[] {
  const emulation = new Emulation(cols, rows);
  const lines = new SeenLines();
  const tracker = new TextTracker(lines);
  tracker.follow(emulation);
  let at = 0;
  for (const piece of pieces) {
    at += 1;
    if (typeof piece === 'string') {
      tracker.begin(at, piece.length);
      emulation.show(piece);
    } else {
      tracker.flush(at);
      emulation.resize(piece.cols, piece.rows);
    }
  }
  tracker.flush(at + 1);
  return [...lines.take()].map(({ text, first, last }) => `${text}@${first}-${last}`);
}

const texts = (...asked: Parameters<typeof seen>) => seen(...asked).map((line) => line.replace(/@.*$/s, ''));

describe('lines of screen text', () => {
  it('are those of a log, from when they came until they scroll off', () => {
    expect(seen(['one\r\n', 'two\r\nthree\r\n', 'four\r\nfive\r\nsix\r\n'])).toEqual([
      'one@1-3',
      'two@2-3',
      'three@2-4',
      'four@3-4',
      'five@3-4',
      'six@3-4',
    ]);
  });

  it('are put together where the terminal has wrapped them, on the screen and when they scroll off', () => {
    const long = 'a line that is longer than the terminal is wide, by far';
    expect(texts([long])).toEqual([long]);
    expect(texts([`${long}\r\n\n\n\n\n\n\n`])).toEqual([long]);
    expect(texts([`${long}\r\n\n\n`, '\x1b[2J'])).toEqual([long]);
    expect(texts([`x\r\n${long}${long}${long}`])).toEqual(['x', long + long + long]);
  });

  it('have a blank under marks that stand on nothing, so that a row of them is not one endless character', () => {
    for (const mark of ['\u0315\u0327', '\u{1d165}\u{1d16d}']) {
      const [line = ''] = texts([Array.from({ length: 18 }, (_, x) => `\x1b[${x + 2}G${mark}`).join('')]);
      expect(line).toContain([...mark][0]);
      expect(line).not.toMatch(/\p{M}{3}/u);
    }
    expect(texts(['\u0301', 'e\u0301'])).toEqual([' \u0301e\u0301']);
  });

  it('count once when they are typed, as they were last, and also when they are edited away', () => {
    expect(texts([...'$ ls -l', '\r\n', 'total 0\r\n'])).toEqual(['$ ls -l', 'total 0']);
    expect(texts(['$ ', ...'rm -rf /srv', ...Array.from({ length: 11 }, () => '\b \b'), ...'ls', '\r\n'])).toEqual([
      '$ rm -rf /srv',
      '$ ls',
    ]);
    // A shell that draws the line anew with each key, in colour.
    const keys = ['l', 'ls', 'ls ', 'ls -', 'ls -a'];
    expect(texts(keys.map((typed) => `\r\x1b[32m$ ${typed}\x1b[m`))).toEqual(['$ ls -a']);
    expect(texts(keys.map((typed) => `\r\x1b[K$ ${typed}`))).toEqual(['$ ls -a']);
  });

  it('are found when they are there for no longer than a moment within one piece of output', () => {
    for (const erased of [
      '\x1b[2J',
      '\x1b[H\x1b[J',
      '\x1b[1J',
      '\r\x1b[K',
      '\x1b[2K',
      '\x1b[1K',
      '\x1bc',
      '\x1b[H\x1b[M',
      '\x1b[5S',
      '\x1b[5T',
    ])
      expect(texts([`a secret${erased}later`]), JSON.stringify(erased)).toContain('a secret');
    for (const erased of ['\r\x1b[8X', '\r\x1b[8P', '\r        ', '\x1b#8', '\x1b[H\x1bM\x1bM\x1bM\x1bM\x1bM', '\x1b[H\x1b[5L'])
      expect(texts([`a secret${erased}later`]), JSON.stringify(erased)).toContain('a secret');
  });

  it('are found when other text takes their place within one piece of output', () => {
    for (const [output, ...found] of [
      ['rm -rf /\rls      ', 'rm -rf /', 'ls'],
      ['\x1b[2;3Ha secret\x1b[2;3Hx', '  a secret', '  x secret'],
      ['漢字\x1b[1;2Hx', '漢字'],
      ['a secret\rb\x1b[9b', 'a secret', 'bbbbbbbbbb'],
      ['x\r\na secret\x1b[Hmore than a row is wide', 'a secret'],
    ] as const)
      expect(texts([output]), JSON.stringify(output)).toEqual(expect.arrayContaining([...found]));
    // The same once more is no other text, and what is extended counts as it was last.
    expect(texts(['a line\ra line\ra line that is longer'])).toEqual(['a line that is longer']);
  });

  it('of the alternate screen are told when it is left, and those below it stay', () => {
    const lines = seen(['shell\r\n', '\x1b[?1049h\x1b[Heditor', '\x1b[2;1Hmore', '\x1b[?1049l', 'again\r\n']);
    expect(lines).toEqual(['shell@1-6', 'editor@2-4', 'more@3-4', 'again@5-6']);
  });

  it('of a program that draws its screen again and again are told for as long as they stand there', () => {
    const frame = (load: number) => `\x1b[H\x1b[7m PID COMMAND  \x1b[m\x1b[K\r\n load ${load}\x1b[K\r\n 1 init\x1b[K`;
    expect(seen([frame(1), frame(1), frame(2)])).toEqual([' load 1@1-3', ' PID COMMAND@1-4', ' 1 init@1-4', ' load 2@3-4']);
  });

  it('within a region that scrolls are told when they leave it', () => {
    const region = '\x1b[2;4r\x1b[1;1Htop\x1b[5;1Hbottom\x1b[2;1H';
    const lines = texts([region, 'a\r\n', 'b\r\n', 'c\r\n', 'd\r\n', 'e\x1b[r']);
    expect(lines.toSorted()).toEqual(['a', 'b', 'bottom', 'c', 'd', 'e', 'top']);
  });

  it('that are the same count once, from the first time to the last', () => {
    expect(seen(['tick\r\n', 'tock\r\n', ...Array.from({ length: 30 }, () => 'tick\r\n')])).toEqual(['tick@1-33', 'tock@2-6']);
  });

  it('are found where a character is repeated, and where it wraps', () => {
    expect(texts(['=\x1b[9b end', '\x1b[2J'])).toEqual(['========== end']);
    expect(texts(['x\x1b[44b漢字', '\x1b[2J'], { cols: 20 })).toEqual([`${'x'.repeat(45)}漢字`]);
  });

  it('survive another size of the terminal', () => {
    expect(texts(['before it\r\n', { cols: 6, rows: 3 }, 'after', { cols: 40, rows: 9 }, ' it'])).toEqual([
      'before it',
      'after',
      'after it',
    ]);
  });

  it('are text: wide and combined characters, and none that is drawn for half', () => {
    const [line] = texts(['漢字 e\u0301 👍🏽 ✓\r\n'], { cols: 40 });
    expect(line).toMatch(/^漢字 e\u0301 👍.* ✓$/u);
  });

  it('are never longer than anybody can use, and what is cut is cut twice', () => {
    const long = Array.from({ length: 5000 }, (_, number) => `word${number}`).join(' ');
    const lines = texts([`${long}\r\n`, '\n'.repeat(30)], { cols: 100, rows: 10 });
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(20_000);
    for (let number = 0; number < 5000; number += 1) expect(lines.some((line) => line.includes(`word${number}`))).toBe(true);
  });

  it('are no more than a few times what is printed, however often rows are changed', () => {
    const emulation = new Emulation(500, 200);
    const told = { characters: 0, texts: new Set<string>() };
    const tracker = new TextTracker({
      see: (text) => {
        told.characters += text.length;
        told.texts.add(text);
      },
      seeAscii: (characters, length) => {
        told.characters += length;
        told.texts.add(characters.toString('latin1', 0, length));
      },
    });
    tracker.follow(emulation);
    let printed = 0;
    const show = (at: number, output: string) => {
      tracker.begin(at, output.length);
      emulation.show(output);
      printed += output.length;
    };
    show(0, 'x'.repeat(100_000));
    const began = worked();
    for (let at = 1; at < 60_000; at += 1) show(at, `\x1b[${1 + (at % 200)};${1 + (at % 499)}H${at % 10}`);
    show(60_000, '\x1b[2J\x1b[Hwhat somebody wanted to hide\x1b[2J');
    tracker.flush(60_001);
    expect(told.characters).toBeLessThan(printed * 8 + 1024 * 1024);
    expect([...told.texts].some((text) => text.includes('what somebody wanted to hide'))).toBe(true);
    expect(worked() - began).toBeLessThan(10_000);
  });
});

describe('a line that somebody wants to hide', () => {
  const secret = `rm -rf /srv/production ${'and what else there is to say of it '.repeat(4)}`.trim();
  const other = 'x'.repeat(3400);
  /** Has very much told for what is printed, again and again. */
  const much = (times: number, row: number) => Array.from({ length: times }, (_, n) => `\x1b[${row};5H${n % 10}\x1b[1K`).join('');
  const spent = [`\x1b[20H${other}`, much(4000, 21)];
  const cases: [string, string[]][] = [
    ['by erasing it', [`\x1b[H${secret}`, `${much(300, 21)}\x1b[H\x1b[2K`]],
    ['by printing over it', [`\x1b[H${secret}`, `${much(300, 21)}\x1b[Hls${' '.repeat(198)}`]],
    ['by clearing the screen', [`\x1b[H${secret}`, `${much(300, 21)}\x1b[2J`]],
    ['by moving it first', [`\x1b[2;40r\x1b[2H${secret}`, `${much(300, 21)}\x1b[H\x1b[2L\x1b[2J`]],
    ['by erasing beside it at once', [`\x1b[H${secret}\x1b[200Gx\x1b[199G\x1b[K`, `${much(300, 21)}\x1b[H\x1b[2K`]],
    [
      'by erasing beside it again and again',
      [`\x1b[H${secret}`, ...Array(9).fill('\x1b[1;200Hx\x1b[199G\x1b[K'), `${much(300, 21)}\x1b[H\x1b[2K`],
    ],
    ['by scrolling it off', [`\x1b[H${secret}`, `${much(300, 21)}\x1b[50H\n\n`]],
  ];
  it.each(cases)('%s, when it has stood there for a second, is told whole', (_, pieces) => {
    const emulation = new Emulation(200, 50);
    const lines = new SeenLines();
    const tracker = new TextTracker(lines);
    tracker.follow(emulation);
    let at = 5_000_000;
    for (const piece of spent) {
      tracker.begin(at, piece.length);
      emulation.show(piece);
    }
    for (const piece of pieces) {
      at += 1_000_000;
      tracker.begin(at, piece.length);
      emulation.show(piece);
    }
    tracker.end(at);
    expect([...lines.take()].some(({ text }) => text.includes(secret))).toBe(true);
  });
});
