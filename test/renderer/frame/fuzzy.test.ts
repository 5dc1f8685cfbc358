import { expect, it } from 'vitest';
import { best } from '../../../renderer/app/frame/palette/fuzzy.ts';

const commands = ['Go to Sessions', 'Go to Settings', 'Search the screens', 'Next session', 'Lock a principal…'];
const found = (typed: string) => best(typed, commands, (text) => text, 3);

it('finds by letters in their order, beginnings of words first', () => {
  expect(found('gse')).toEqual(['Go to Sessions', 'Go to Settings']);
  expect(found('lock')[0]).toBe('Lock a principal…');
  expect(found('session')).toEqual(['Next session', 'Go to Sessions']);
  expect(found('zzz')).toEqual([]);
});

it('leaves everything in its order when nothing is typed', () => {
  expect(found('')).toEqual(commands.slice(0, 3));
});
