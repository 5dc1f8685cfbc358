import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { type CapturedTerminal, captureTerminals } from '../support/captured-terminals.ts';
import { Belongings } from '../support/temp.ts';
import { randomNumbers } from './random-output.ts';
import { expectSame } from './screen-state.ts';

const belongings = new Belongings();
let captures: readonly CapturedTerminal[];
beforeAll(async () => {
  captures = await captureTerminals(belongings);
});
afterAll(() => belongings.release());

type Step = { text: string } | { cols: number; rows: number };

/** What happened as text, cut at every one of `cuts`, which count characters. */
function cutSteps({ events }: CapturedTerminal, cuts: readonly number[]): Step[][] {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const parts: Step[][] = [[]];
  let at = 0;
  let cut = 0;
  for (const event of events) {
    if (event.kind === 'resize') {
      parts.at(-1)?.push(event);
      continue;
    }
    let text = decoder.decode(event.bytes, { stream: true });
    for (let next = cuts[cut]; next !== undefined && next < at + text.length; next = cuts[cut]) {
      // No driver cuts a character.
      const end = next - at + (isHalf(text, next - at) ? 1 : 0);
      parts.at(-1)?.push({ text: text.slice(0, end) });
      parts.push([]);
      text = text.slice(end);
      at += end;
      cut += 1;
    }
    parts.at(-1)?.push({ text });
    at += text.length;
  }
  return parts;
}

function isHalf(text: string, at: number): boolean {
  return /[\udc00-\udfff]/.test(text.charAt(at));
}

function follow(screen: Emulation, steps: readonly Step[]): void {
  for (const step of steps) {
    if ('text' in step) screen.show(step.text);
    else screen.resize(step.cols, step.rows);
  }
}

function lengthOf({ events }: CapturedTerminal): number {
  const decoder = new TextDecoder();
  return events.reduce((sum, event) => sum + (event.kind === 'data' ? decoder.decode(event.bytes, { stream: true }).length : 0), 0);
}

describe('what real programs draw', () => {
  it.each(['vim', 'htop', 'tmux', 'less', 'wide text', '8-bit controls', 'a build'])(
    'is taken over at 1,000 random points and stays the same: %s',
    (name) => {
      const capture = captures.find((each) => each.name === name) as CapturedTerminal;
      const random = randomNumbers(name.length);
      const length = lengthOf(capture);
      const cuts = new Set<number>();
      while (cuts.size < 1000) cuts.add(random(length));
      const parts = cutSteps(
        capture,
        [...cuts].sort((a, b) => a - b),
      );
      expect(parts.length).toBe(1001);
      expect(new Set(capture.events.map(({ kind }) => kind))).toEqual(new Set(['data', 'resize']));
      const original = new Emulation(capture.cols, capture.rows);
      let copies: { screen: Emulation; made: number }[] = [];
      for (const [index, part] of parts.entries()) {
        follow(original, part);
        for (const { screen, made } of copies) {
          follow(screen, part);
          expectSame(screen, original, `${name}: taken over at cut ${made}, seen at cut ${index}`);
        }
        const screen = new Emulation(original.cols, original.rows);
        screen.restore(original.dump());
        expectSame(screen, original, `${name}: taken over at cut ${index}`);
        // Once more for all of them; some go on to the end.
        copies = copies.filter(({ made }) => made > index - 1 || made % 200 === 0);
        copies.push({ screen, made: index });
      }
      expect(original.whole).toBe(true);
      expect(copies.length).toBeGreaterThan(5);
    },
  );
});
