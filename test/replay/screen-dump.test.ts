import { describe, expect, it } from 'vitest';
import { Emulation, SCROLLBACK } from '../../contract/replay/screen/emulation.ts';
import { mendScreen } from '../../contract/replay/screen/mend-screen.ts';
import { verifiedDump } from '../../contract/replay/screen/verified-dump.ts';
import { worked } from '../support/worked.ts';
import { randomLines } from './random-lines.ts';
import { randomNumbers, randomOutput } from './random-output.ts';
import { stateOf } from './screen-state.ts';

/** A fresh terminal into which the other one's dump was written. What no sequence leads to is mended in both. */
function restored(original: Emulation): Emulation {
  mendScreen(original.core);
  const copy = new Emulation(original.cols, original.rows);
  copy.show(original.dump());
  return copy;
}

function expectSame(a: Emulation, b: Emulation, when: string): void {
  expect(stateOf(b.core), when).toEqual(stateOf(a.core));
}

describe('a restored terminal', () => {
  it('is the original in every cell and every mode, and stays it whatever is written and however it is resized', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const random = randomNumbers(seed + 7777);
      const [cols, rows] = [[10, 20, 40, 80][random(4)] as number, [2, 5, 12, 24][random(4)] as number];
      const original = new Emulation(cols, rows);
      original.show(randomOutput(seed, [10, 60, 200, 800][random(4)] as number));
      if (random(3) === 0) {
        original.resize([10, 17, 33, 90][random(4)] as number, [2, 7, 20][random(3)] as number);
        original.show(randomOutput(seed + 1e6, 30));
      }
      const copy = restored(original);
      expectSame(original, copy, `seed ${seed}, restored`);
      const more = randomOutput(seed + 2e6, 60);
      original.show(more);
      copy.show(more);
      expectSame(original, copy, `seed ${seed}, and then written to`);
      original.resize(30, 9);
      copy.resize(30, 9);
      expectSame(original, copy, `seed ${seed}, and then resized`);
      // Nothing made the emulation throw.
      expect(original.whole, `seed ${seed}`).toBe(true);
    }
  });

  it('is the original where lines reach the margin, with whatever stands there', () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const random = randomNumbers(seed + 5555);
      const [cols, rows] = [[2, 3, 5, 20, 80][random(5)] as number, [1, 2, 5, 24][random(4)] as number];
      const original = new Emulation(cols, rows, { plain: random(3) === 0 });
      // Sometimes more than is kept, so that the first line may continue one that is gone.
      const count = () => (random(12) === 0 ? 900 : 25);
      original.show(randomLines(seed, cols, count()));
      original.show(`${random(3) === 0 ? '\x1b[?1049h' : ''}${randomLines(seed + 1e6, cols, count())}`, { error: true });
      if (random(4) === 0) original.resize([2, 4, 11, 33][random(4)] as number, [1, 3, 8][random(3)] as number);
      const dump = verifiedDump(original);
      expect(dump, `seed ${seed}`).toBeDefined();
      mendScreen(original.core);
      const copy = new Emulation(original.cols, original.rows, { plain: original.plain });
      copy.restore(dump as string);
      expectSame(original, copy, `seed ${seed}, restored`);
      for (const screen of [original, copy]) {
        screen.show(randomLines(seed + 2e6, cols, 5));
        screen.resize([2, 3, 9, 50][seed % 4] as number, [1, 2, 7][seed % 3] as number);
        screen.show(randomLines(seed + 3e6, cols, 5));
      }
      expectSame(original, copy, `seed ${seed}, and then resized`);
    }
  });

  it('is resized as the original, however often lines have left it at the top', () => {
    const original = new Emulation(20, 5);
    original.show(Array.from({ length: 1500 }, (_, line) => `${line} ${'wrapped '.repeat(line % 9)}`).join('\r\n'));
    const copy = restored(original);
    for (const [cols, rows] of [
      [7, 5],
      [40, 9],
      [3, 2],
    ] as const) {
      original.resize(cols, rows);
      copy.resize(cols, rows);
      expectSame(original, copy, `${cols} columns`);
    }
  });

  it('is the same when the dump is written over whatever was there before', () => {
    for (let seed = 0; seed < 25; seed += 1) {
      const [original, used] = [new Emulation(40, 12), new Emulation(40, 12)];
      original.show(randomOutput(seed, 200));
      used.show(`${randomOutput(seed + 1e6, 200)}\x18`);
      mendScreen(original.core);
      used.show(original.dump());
      expectSame(original, used, `seed ${seed}`);
    }
  });

  it.each(['\x1b', '\x1b[', '\x1b[38;5', '\x1b[?104', '\x1b]2;a ti', '\x1bP$q', '\x1b(', '\x1b[3\n1', '\x1b_abc', '\x1b]2;x\x1b'])(
    'takes over in the middle of %j',
    (begun) => {
      const original = new Emulation(20, 4);
      original.show(`one\r\n${begun}`);
      const copy = restored(original);
      for (const rest of ['2', 'm', 'B', 'tle\x07', '\x1b\\', 'after']) {
        original.show(rest);
        copy.show(rest);
      }
      expectSame(original, copy, begun);
    },
  );
});

describe('to dump a terminal', () => {
  it('changes nothing in it', () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const screen = new Emulation(20, 6);
      screen.show(randomOutput(seed, 300));
      screen.resize(13, 5);
      const before = stateOf(screen.core);
      screen.dump();
      expect(stateOf(screen.core), `seed ${seed}`).toEqual(before);
    }
  });
});

describe('hostile output', () => {
  it('of which xterm.js throws does not', () => {
    const screen = new Emulation(20, 4);
    screen.show('\x1b[4;20H\x1b[1Jx\x1b[4;20H\x1b[?1Jy');
    expect([screen.whole, stateOf(screen.core).cursor]).toEqual([true, [20, 3]]);
  });

  const huge = String(2 ** 31 - 1);
  it.each([
    {
      name: 'counts of two thousand millions',
      output: [...'@ILMPSTXZbABCDEFG`ade']
        .map((final) => `x\x1b[${huge}${final}`)
        .join('')
        .repeat(20),
    },
    { name: 'a whole screen for every four characters', output: '\x1b[2J\x1b#8'.repeat(5000) },
    { name: 'repeated over and over', output: `a\x1b[${huge}b`.repeat(100) },
    { name: 'endless parameters', output: `\x1b[${'1;'.repeat(200_000)}m` },
    { name: 'a sixel image of megabytes', output: `\x1bPq${'#1~~@@vv'.repeat(500_000)}\x1b\\` },
    { name: 'an operating system command that does not end', output: `\x1b]2;${'x'.repeat(4_000_000)}` },
    { name: 'a device control string that does not end', output: `\x1bP$q${'m'.repeat(4_000_000)}` },
    { name: 'a program command that does not end', output: `\x1b_G${'A'.repeat(4_000_000)}` },
    { name: 'a list of colours of megabytes', output: `\x1b]4;${'1;rgb:11/22/33;'.repeat(200_000)}\x07` },
    { name: 'combined characters that are repeated', output: `a${'\u0301'.repeat(32)}\x1b[${huge}b`.repeat(1000) },
    { name: 'characters inserted over and over', output: `\x1b[4ha\x1b[${huge}b`.repeat(1000) },
    { name: 'resets over and over', output: '\x1bc'.repeat(20_000) },
    { name: 'screens changed over and over', output: '\x1b[?1049h\x1b[?1049l'.repeat(5000) },
    { name: 'rows moved over and over', output: `\x1b[${huge}L\x1b[${huge}M\x1b[${huge}S\x1b[${huge}T`.repeat(2000) },
    { name: 'columns moved over and over', output: "\x1b['}\x1b['~\x1b[ @\x1b[ A".repeat(2000) },
    { name: 'titles of megabytes', output: `\x1b]0;${'\u{1f642}'.repeat(1_000_000)}\x07`.repeat(2) },
    { name: 'combining characters without end', output: `a${'\u0301'.repeat(2_000_000)}` },
    { name: 'a link for every cell', output: Array.from({ length: 20_000 }, (_, at) => `\x1b]8;;https://example.com/${at}\x07x`).join('') },
    { name: 'titles pushed without end', output: '\x1b[22t'.repeat(200_000) },
  ])('of $name costs bounded time and memory, and the terminal goes on', ({ output }) => {
    const began = worked();
    const screen = new Emulation(80, 24);
    screen.show(output);
    const dump = screen.dump();
    expect(dump.length).toBeLessThan(4 * 1024 * 1024);
    expect(worked() - began).toBeLessThan(5000);
    expect(screen.whole).toBe(true);
    expectSame(screen, restored(screen), 'restored');
    screen.show('\x18\x1b[2J\x1b[1;1Hstill here');
    expect(stateOf(screen.core)).toMatchObject({ cursor: [10, 0] });
  });

  it('that fills everything with colours is restored without the lines above, in a message of a few megabytes', () => {
    const screen = new Emulation(500, 200);
    const random = randomNumbers(1);
    const colour = () => `${random(256)};${random(256)};${random(256)}`;
    screen.show(Array.from({ length: 120_000 }, () => `\x1b[38;2;${colour()};48;2;${colour()}mx`).join(''));
    const dump = screen.dump();
    expect(dump.length).toBeLessThan(6 * 1024 * 1024);
    const copy = restored(screen);
    const visible = ({ core }: Emulation) => (stateOf(core).normal as { lines: string[] }).lines.slice(-core.rows);
    expect(visible(copy)).toEqual(visible(screen));
    expect(copy.core.buffers.normal.ybase).toBe(0);
    expect(screen.core.buffers.normal.ybase).toBeGreaterThan(0);
  });

  it('cannot put more into a dump than a title and cells', () => {
    const screen = new Emulation(20, 4);
    screen.show(
      '\x1b]2;a\x9b31m\x1b[32mb\x07\x1b]0;\x7fmine\u202e\x07\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07\x1b]52;c;aGk=\x07\x1b]50;font\x07',
    );
    const dump = screen.dump();
    expect(dump).not.toMatch(/javascript|aGk|font/);
    expect(dump.match(/\x1b\][^\x07]*\x07/g)).toEqual(['\x1b]2;\x7fmine\u202e\x07']);
  });

  it('cannot make the terminal work by resizing it', () => {
    const screen = new Emulation(500, 200);
    screen.show('x'.repeat(300_000));
    const began = worked();
    for (let turn = 0; turn < 200; turn += 1) screen.resize(turn % 2 === 0 ? 2 : 100_000, turn % 3 === 0 ? 1 : 100_000);
    expect(worked() - began).toBeLessThan(5000);
    expect(screen.core.buffers.normal.lines.length).toBeLessThanOrEqual(SCROLLBACK + 200);
    expect(verifiedDump(screen)).toBeDefined();
  });

  it('that asks for a terminal of any size gets one that fits', () => {
    const screen = new Emulation(100_000, 4_000_000_000);
    expect([screen.cols, screen.rows]).toEqual([500, 200]);
    screen.resize(1, 1);
    screen.show('好x');
    screen.resize(2 ** 32 - 1, 3);
    expect([screen.cols, screen.rows]).toEqual([500, 3]);
    expectSame(screen, restored(screen), 'restored');
  });
});
