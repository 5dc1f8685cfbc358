import type { Happening } from './recorded-data.ts';

/** Numbers that look random and are the same every time (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Output of all kinds, cut anywhere, as a session of a few minutes has it. */
export function busyTerminal(seed: number, pieces: number): Happening[] {
  const random = randomFrom(seed);
  const among = (most: number) => Math.floor(random() * most);
  const makers: (() => string)[] = [
    () => `line ${among(1e6)} of a log with ü, 漢字 and \x1b[3${among(8)}mcolour\x1b[m\r\n`.repeat(1 + among(40)),
    () => `\x1b[${1 + among(30)};${1 + among(90)}H\x1b[${among(2) === 0 ? 7 : 1};4${among(8)}m${'x'.repeat(among(200))}\x1b[m`,
    () =>
      `\x1b[?1049h\x1b[2J\x1b[H~ editor ${among(100)}\r\n~\r\n\x1b[${2 + among(9)};${12 + among(9)}r\x1b[5;1H${'scrolls\r\n'.repeat(among(30))}`,
    () => `\x1b[r\x1b[?1049l`,
    () => `\x1b[${among(3)}J\x1b[${among(9)}L\x1b[${among(9)}P\x1b[K`,
    () => `\x1b(0lqqqk\x1b(B\x1b7\x1b[${among(20)}A\x1b8\x1b]0;title ${among(9)}\x07`,
    () => `$ make all\r\n${'cc -O2 -c file.c -o file.o\r\n'.repeat(among(60))}`,
  ];
  let at = 0;
  return Array.from({ length: pieces }, (): Happening => {
    at += among(20) === 0 ? among(9000) : among(120);
    if (among(60) === 0) return { at, cols: 20 + among(140), rows: 5 + among(50) };
    const output = (makers[among(makers.length)] as () => string)();
    return [at, output.slice(0, output.length - among(3))];
  });
}
