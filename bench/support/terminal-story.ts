import { randomNumbers } from '../../test/replay/random-output.ts';
import { TERMINAL } from './captured-work.ts';

/** Milliseconds since the beginning, and what the terminal was sent. */
export type Moment = readonly [at: number, text: string];

const WORDS = 'orders checkout payment retry upstream timeout cache shard queue deploy rollback token session region worker'.split(' ');
const LETTERS = Array.from('etaoin shrdlu');
const STATES = ['\x1b[32mok\x1b[m', '\x1b[33mslow\x1b[m', '\x1b[1;31mfailed\x1b[m', '\x1b[36mqueued\x1b[m'];

/**
 * Work in a terminal without end, the same each time: a log that scrolls, a full-screen monitor that draws itself again
 * and again, an editor that is typed in, and pauses between them.
 */
export function* terminalStory(): Generator<Moment> {
  const random = randomNumbers(9);
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
  let at = 0;
  for (;;) {
    for (let line = 0; line < 400; line += 1) {
      at += random(30);
      yield [
        at,
        `2026-03-01T09:${random(60)}:${random(60)}.${random(1000)}Z ${pick(STATES)} ${pick(WORDS)} ${pick(WORDS)}-${random(1000)} "${pick(WORDS)} 漢字 ${random(1e9).toString(36)}" ${random(5000)} ms\r\n`,
      ];
    }
    yield [at, '\x1b[?1049h\x1b[2J'];
    for (let frame = 0; frame < 60; frame += 1) {
      at += 250;
      yield [at, monitorFrame(frame, random, pick)];
    }
    yield [at, '\x1b[H\x1b[2J\x1b[2;34r'];
    for (let key = 0; key < 300; key += 1) {
      at += 40 + random(120);
      yield [at, key % 40 === 39 ? `\r\n\x1b[38;5;${random(256)}m${pick(WORDS)}\x1b[m ` : pick(LETTERS)];
    }
    yield [at, '\x1b[r\x1b[?1049l'];
    at += random(3) === 0 ? 20_000 : 500;
  }
}

function monitorFrame(frame: number, random: (below: number) => number, pick: <Item>(items: readonly Item[]) => Item): string {
  let out = `\x1b[H\x1b[7m load ${random(9)}.${random(100)}  tasks ${random(500)}  frame ${frame}\x1b[K\x1b[m`;
  for (let row = 2; row <= TERMINAL.rows; row += 1) {
    const bar = '|'.repeat(random(40));
    out += `\x1b[${row};1H\x1b[38;5;${16 + random(216)}m${String(random(99999)).padStart(6)}\x1b[m ${pick(WORDS).padEnd(12)}\x1b[1m${bar}\x1b[m\x1b[K`;
  }
  return out;
}
