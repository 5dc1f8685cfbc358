import { describe, expect, it } from 'vitest';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { mendScreen } from '../../contract/replay/screen/mend-screen.ts';
import { sameScreen } from '../../contract/replay/screen/same-screen.ts';
import type { ScreenBuffer, ScreenLine } from '../../contract/replay/screen/terminal-internals.ts';
import { verifiedDump } from '../../contract/replay/screen/verified-dump.ts';
import { randomLines } from './random-lines.ts';
import { randomNumbers, randomOutput } from './random-output.ts';
import { stateOf } from './screen-state.ts';

type Random = (below: number) => number;

/** The slow way to the same answer. */
function sameState(a: Emulation, b: Emulation): boolean {
  const mended = (screen: Emulation): string => {
    const undo = mendScreen(screen.core);
    const state = JSON.stringify({ ...stateOf(screen.core), pending: screen.pending });
    undo();
    return state;
  };
  return mended(a) === mended(b);
}

function restored(original: Emulation): Emulation {
  const copy = new Emulation(original.cols, original.rows, { plain: original.plain });
  copy.restore(original.dump());
  return copy;
}

function randomScreen(seed: number): Emulation {
  const random = randomNumbers(seed + 4242);
  const screen = new Emulation([2, 5, 20, 60][random(4)] as number, [1, 2, 6, 12][random(4)] as number, { plain: random(4) === 0 });
  screen.show(randomOutput(seed, 60), { error: random(2) === 0 });
  screen.show(randomLines(seed, screen.cols, 20), { error: random(2) === 0 });
  if (random(3) === 0) screen.show(randomOutput(seed + 1e6, 40));
  return screen;
}

/** One thing changed, of everything that a terminal consists of. It may change nothing that counts. */
const mutations: Record<string, (screen: Emulation, random: Random) => void> = {
  'a character': (screen, random) => changeWord(screen, random, 0, random(26) + (1 << 22) + 97),
  'a foreground': (screen, random) => changeWord(screen, random, 1, [0x1000001, 0x20000c8, 0x8000000, 0x4000000][random(4)] as number),
  'a background': (screen, random) =>
    changeWord(screen, random, 2, [0x1000002, 0x3010203, 0x4000000, 0x20000000, 0x40000000][random(5)] as number),
  'bits of a colour that is none': (screen, random) => changeWord(screen, random, 1, 0x0000ff),
  'whether a line continues another': (screen, random) => {
    const line = anyLine(screen, random);
    line.isWrapped = !line.isWrapped;
  },
  'a cursor': ({ core }, random) => {
    const { active } = core.buffers;
    if (random(2) === 0) active.x = random(core.cols);
    else active.y = random(core.rows);
  },
  'the cursor below': ({ core }, random) => {
    core.buffers.normal.x = random(core.cols);
  },
  'a saved cursor': (screen, random) => {
    anyBuffer(screen, random).savedX = random(screen.cols);
  },
  'saved attributes': (screen, random) => {
    Object.assign(anyBuffer(screen, random).savedCurAttrData, { fg: [0x8000000, 0x1000003, 0][random(3)] });
  },
  'a tab stop': (screen, random) => {
    anyBuffer(screen, random).tabs[random(screen.cols)] = random(2) === 0;
  },
  'a scroll region': (screen, random) => {
    Object.assign(anyBuffer(screen, random), { scrollTop: random(screen.rows) });
  },
  'a title': ({ core }, random) => void core._inputHandler.setTitle(['title', 'another'][random(2)] as string),
  'an attribute of what comes': ({ core }, random) => {
    core._inputHandler._curAttrData.bg ^= [0x4000000, 0x8000000, 0x20000000][random(3)] as number;
  },
  'what it was joined with': ({ core }, random) => {
    core._inputHandler._parser.precedingJoinState = random(4) * 2;
  },
  'the shape of the cursor': ({ core }) => Object.assign(core.coreService.decPrivateModes, { cursorStyle: 'bar' }),
  'whether it is shown': ({ core }) => Object.assign(core.coreService, { isCursorHidden: !core.coreService.isCursorHidden }),
  'the mouse': ({ core }) => Object.assign(core.coreMouseService, { activeProtocol: 'ANY' }),
  'a line above': ({ core }, random) =>
    core._bufferService.scroll({ fg: 0, bg: 0, extended: { underlineStyle: 0, underlineColor: 0 } }, random(2) === 0),
  output: (screen, random) => screen.show(randomOutput(random(1e6), 1)),
  'the beginning of a sequence': (screen, random) => screen.show(['\x1b', '\x1b[3', '\x1b]2;x', '\x1b[3'][random(4)] as string),
};

function anyBuffer({ core }: Emulation, random: Random): ScreenBuffer {
  return core.buffers.active === core.buffers.alt && random(2) === 0 ? core.buffers.alt : core.buffers.normal;
}

function anyLine(screen: Emulation, random: Random): ScreenLine {
  const { lines } = anyBuffer(screen, random);
  return lines.get(random(lines.length)) as ScreenLine;
}

function changeWord(screen: Emulation, random: Random, word: number, value: number): void {
  anyLine(screen, random)._data[random(screen.cols) * 3 + word] = value;
}

describe('two terminals', () => {
  it('are the same exactly where everything that counts is, after any single change', () => {
    const told: Record<string, number> = {};
    for (let seed = 0; seed < 25; seed += 1) {
      const original = randomScreen(seed);
      for (const [name, mutate] of Object.entries(mutations)) {
        const copy = restored(original);
        expect(sameScreen(original, copy), `seed ${seed}, restored`).toBe(true);
        mutate(copy, randomNumbers(seed * 100 + name.length));
        const same = sameScreen(original, copy);
        expect(same, `seed ${seed}, ${name}`).toBe(sameState(original, copy));
        told[name] = (told[name] ?? 0) + (same ? 0 : 1);
      }
    }
    const { 'bits of a colour that is none': unseen, ...seen } = told;
    expect(unseen, JSON.stringify(told)).toBeLessThan(25);
    // Every kind of change was told from none, at least where it was one.
    expect(Object.entries(seen).filter(([, times]) => times === 0)).toEqual([]);
  });

  it('are the same where one has a state that no sequence leads to, and the other what it is taken for', () => {
    const original = new Emulation(5, 2);
    original.show('abcd');
    // Half a wide character, as it is left over in lines above the screen.
    (original.core.buffers.active.lines.get(0) as ScreenLine)._data[4 * 3] = 0x597d | (2 << 22);
    const copy = restored(original);
    expect(stateOf(copy.core)).not.toEqual(stateOf(original.core));
    expect(sameScreen(original, copy)).toBe(true);
    // To compare changes nothing.
    const before = JSON.stringify(stateOf(original.core));
    sameScreen(original, copy);
    expect(JSON.stringify(stateOf(original.core))).toBe(before);
  });
});

describe('a verified dump', () => {
  it('is not given of a state that it would not bring back', () => {
    const screen = new Emulation(10, 3);
    screen.show('one\r\ntwo');
    expect(verifiedDump(screen)).toBeDefined();
    // A character that is not of one column, in a cell that says so: nothing that output can do.
    (screen.core.buffers.normal.lines.get(0) as ScreenLine)._data[0] = (1 << 22) | '好'.charCodeAt(0);
    expect(verifiedDump(screen)).toBeUndefined();
  });
});
