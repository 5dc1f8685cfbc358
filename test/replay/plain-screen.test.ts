import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Emulation, PLAIN_SIZE } from '../../contract/replay/screen/emulation.ts';
import { ENGINE } from '../../contract/replay/screen/engine.ts';
import { isErrorCell } from '../../contract/replay/screen/error-mark.ts';
import { emptyCell, type ScreenLine } from '../../contract/replay/screen/terminal-internals.ts';
import { verifiedDump } from '../../contract/replay/screen/verified-dump.ts';

/** The rows that have text, with `!` for each character of error output. */
function marked(screen: Emulation): string[] {
  const { lines, ybase } = screen.core.buffers.active;
  const cell = emptyCell();
  return Array.from({ length: screen.rows }, (_, row) => {
    const line = lines.get(ybase + row) as ScreenLine;
    return Array.from({ length: screen.cols }, (_, x) => {
      line.loadCell(x, cell);
      return cell.getChars() === '' ? ' ' : isErrorCell(cell) ? '!' : cell.getChars();
    })
      .join('')
      .trimEnd();
  }).filter((row) => row !== '');
}

function plainScreen(): Emulation {
  return new Emulation(20, 4, { plain: true });
}

function restored(screen: Emulation): Emulation {
  const copy = new Emulation(screen.cols, screen.rows, { plain: true });
  copy.restore(verifiedDump(screen) ?? 'not the same');
  return copy;
}

describe('a plain screen', () => {
  it('begins a new line at each line feed, after a reset and after being restored too', () => {
    const screen = plainScreen();
    screen.show('one\ntwo\x1bcone\ntwo\x1b[!p\nthree');
    expect(marked(screen)).toEqual(['one', 'two', 'three']);
    const copy = restored(screen);
    copy.show('\nfour');
    expect(marked(copy)).toEqual(['one', 'two', 'three', 'four']);
    expect(PLAIN_SIZE).toEqual({ cols: 120, rows: 36 });
  });

  it('tells error output by its cells, and still does when it is restored', () => {
    const screen = plainScreen();
    screen.show('out\n');
    screen.show('bad', { error: true });
    screen.show('good\n');
    expect(marked(screen)).toEqual(['out', '!!!good']);
    expect(marked(restored(screen))).toEqual(['out', '!!!good']);
  });

  it.each(['\x1b[1"q', '\x1b[1"q\x1b7\x1b[0"q\x1b8', '\x1b[1"q\x1b[0m', '\x1b[1"qx\r\x1b[?2J'])(
    'takes no mark from output that says %j',
    (fake) => {
      const screen = plainScreen();
      screen.show(`${fake}out\x1b[3b`);
      expect(marked(screen)).toEqual(['outttt']);
      screen.show(`\x1b[2J\x1b[H`);
      screen.show('\x1b#8');
      expect(marked(screen)).toEqual(Array.from({ length: 4 }, () => 'E'.repeat(20)));
    },
  );

  it.each(['\x1b[0"q', '\x1b[2"q', '\x1b[m', '\x1b[!p', '\x1bc', '\x1b8', '\x1b[0;31m', '\x1b7\x1b[0"q\x1b8'])(
    'keeps the mark of error output that says %j',
    (lose) => {
      const screen = plainScreen();
      screen.show(`${lose}bad\x1b[0"q\x1b[m\x1b[3b`, { error: true });
      expect(marked(screen)).toEqual(['!!!']);
      screen.show(`\x1b[2J\x1b[Ha${lose}`, { error: true });
      screen.show('x');
      expect(marked(screen).join('')).toMatch(/^!?x$/);
      screen.show('\x1b[H\x1b[?2J');
      expect(marked(screen)).toEqual([]);
    },
  );
});

describe('the engine', () => {
  it('names the version of xterm.js that is there', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../node_modules/@xterm/headless/package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(ENGINE).toBe(`1 xterm ${version}`);
  });
});
