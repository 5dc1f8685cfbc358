import type { Terminal } from '@xterm/headless';
import { describe, expect, it } from 'vitest';
import { currentWidths } from '../../contract/replay/screen/character-width.ts';
import { Emulation, SCROLLBACK } from '../../contract/replay/screen/emulation.ts';
import { coreOf, type TerminalCore } from '../../contract/replay/screen/terminal-internals.ts';
import { randomLines } from './random-lines.ts';
import { randomNumbers, randomOutput } from './random-output.ts';
import { stateOf } from './screen-state.ts';

/** What is done otherwise on purpose: a restored cursor, a screen full of E, links, and erasing up to a last cell. */
const OTHERWISE = /\x1b8|\x1b\[u|\x1b\[\?104[89]l|\x1b#8|\x1b\[\??1J|\x1b\]8;[^\x07\x1b]*(\x07|\x1b\\)/g;

/** A copy of xterm.js of its own, in which nothing is done faster. */
async function bareTerminals(): Promise<(cols: number, rows: number) => Terminal> {
  const url = new URL('../../node_modules/@xterm/headless/lib-headless/xterm-headless.mjs?bare', import.meta.url);
  const bare = (await import(/* @vite-ignore */ url.href)) as { Terminal: typeof Terminal };
  return (cols, rows) => {
    const terminal = new bare.Terminal({ cols, rows, scrollback: SCROLLBACK, allowProposedApi: true, logLevel: 'off' });
    terminal.unicode.register(currentWidths);
    terminal.unicode.activeVersion = currentWidths.version;
    return terminal;
  };
}

/** Not the character sets, which are objects of either copy. */
function drawn(core: TerminalCore): unknown {
  const { cursor, pen, modes, normal, alt } = stateOf(core) as Record<string, Record<string, unknown>>;
  return { cursor, pen, modes, normal: { ...normal, saved: undefined }, alt: { ...alt, saved: undefined } };
}

describe('rows and cells that are moved and erased in one go', () => {
  it('are where xterm.js puts them cell by cell', async () => {
    const bareTerminal = await bareTerminals();
    for (let seed = 0; seed < 120; seed += 1) {
      const random = randomNumbers(seed + 99);
      const [cols, rows] = [[2, 7, 20, 40][random(4)] as number, [1, 2, 6, 15][random(4)] as number];
      const bare = coreOf(bareTerminal(cols, rows));
      const screen = new Emulation(cols, rows);
      expect(Object.getPrototypeOf(bare.buffers.normal)).not.toBe(Object.getPrototypeOf(screen.core.buffers.normal));
      const region = rows > 2 ? `\x1b[2;${rows - 1}r` : '';
      const output = [
        randomOutput(seed, 150),
        seed % 5 === 0 ? '\x1bc' : '',
        randomLines(seed, cols, 30),
        region,
        randomOutput(seed + 1e6, 150),
      ]
        .join('')
        .replaceAll(OTHERWISE, '');
      screen.show(output);
      bare._inputHandler.parse(output);
      expect(drawn(screen.core), `seed ${seed}`).toEqual(drawn(bare));
    }
  });
});

describe('a terminal that is reset', () => {
  it('is like a new one, whatever it was before and however it is used after that', () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const [cols, rows] = [[2, 7, 40][seed % 3] as number, [1, 2, 6, 15][seed % 4] as number];
      const [used, fresh] = [new Emulation(30, 10), new Emulation(cols, rows)];
      used.show(randomOutput(seed, 150) + randomLines(seed, 30, seed % 10 === 0 ? 900 : 30));
      used.resize(cols, rows);
      used.show(`\x18${randomOutput(seed + 1e6, 50)}\x18`);
      // None of these is part of a reset.
      const kept = '\x1b[20l\x1b[?12l\x1b[?25h\x1b]2;\x07';
      used.show(`${kept}\x1bc`);
      fresh.show(`${kept}\x1bc`);
      expect(stateOf(used.core), `seed ${seed}`).toEqual(stateOf(fresh.core));
      for (const output of [
        randomOutput(seed + 2e6, 100),
        '\x1b[?1049h',
        randomLines(seed, cols, 10),
        '\x1b[?1049l',
        randomOutput(seed + 3e6, 50),
      ]) {
        used.show(output);
        fresh.show(output);
        expect(stateOf(used.core), `seed ${seed}, and then used`).toEqual(stateOf(fresh.core));
      }
    }
  });
});
