import { describe, expect, it } from 'vitest';
import { composeRecording } from '../../contract/replay/outline.ts';
import type { Part } from '../../contract/replay/part.ts';

const SECOND = 1_000_000;

function part(segment: number, from: number, to: number, change: Partial<Part> = {}): Part {
  return {
    v: 1,
    engine: 'test',
    segment,
    sha256: '0'.repeat(64),
    from: from * SECOND,
    to: to * SECOND,
    terminal: true,
    input: false,
    pieces: [{ from: from * SECOND, at: 0, bytes: 1000, frameAt: 0, frameBytes: 100, error: false }],
    keyframes: [],
    thumbnails: [],
    busy: { from: from * SECOND, to: to * SECOND, idle: [] },
    heat: [[from * SECOND, 10]],
    marks: [],
    commands: [],
    lines: 0,
    ...change,
  };
}

const header = { cols: 80, rows: 24, pty: true, synthetic: false };
const span = (segment: number, from: number, to: number) => ({ segment, from: from * SECOND, to: to * SECOND, bytes: 500 });
const keyframe = (piece: number) => ({ piece, cols: 80, rows: 24, at: 0, bytes: 1, crc: 1 });
const piece = (from: number) => ({ from: from * SECOND, at: 0, bytes: 1000, frameAt: 0, frameBytes: 100, error: false });

describe('the outline of a recording', () => {
  it('is made of the pieces of its parts, and of whole segments that have none', () => {
    const parts = new Map([
      [1, part(1, 0, 10, { header, pieces: [piece(0), piece(4)] })],
      [3, part(3, 20, 30, { keyframes: [keyframe(0)], input: true })],
    ]);
    const { outline, places } = composeRecording([span(1, 0, 10), span(2, 10, 20), span(3, 20, 30)], parts);
    expect(outline.pieces.map(({ from, to, keyframe: has }) => [from / SECOND, to / SECOND, has])).toEqual([
      [0, 4, false],
      [4, 10, false],
      [10, 20, false],
      [20, 30, true],
    ]);
    expect(places).toEqual([
      { segment: 1, piece: 0 },
      { segment: 1, piece: 1 },
      { segment: 2, piece: undefined },
      { segment: 3, piece: 0 },
    ]);
    expect(outline).toMatchObject({
      duration: 30 * SECOND,
      terminal: true,
      input: true,
      live: false,
      cut: 0,
      header: { cols: 80, pty: true },
    });
  });

  it('joins pauses across segments, and where nobody has looked there is none', () => {
    const parts = new Map([
      [1, part(1, 0, 10, { header, busy: { from: SECOND, to: 4 * SECOND, idle: [] } })],
      [2, part(2, 10, 20, { busy: undefined })],
      [3, part(3, 20, 30, { busy: { from: 25 * SECOND, to: 30 * SECOND, idle: [[26 * SECOND, 29 * SECOND]] } })],
    ]);
    const idle = (...spans: ReturnType<typeof span>[]) =>
      composeRecording(spans, parts).outline.idle.map(({ from, to }) => [from / SECOND, to / SECOND]);
    expect(idle(span(1, 0, 10), span(2, 10, 20), span(3, 20, 30))).toEqual([
      [4, 25],
      [26, 29],
    ]);
    expect(idle(span(1, 0, 10), span(2, 10, 20))).toEqual([[4, 20]]);
    parts.delete(2);
    expect(idle(span(1, 0, 10), span(2, 10, 20), span(3, 20, 30))).toEqual([
      [4, 10],
      [20, 25],
      [26, 29],
    ]);
  });

  it('names segments that are missing, with their time, and folds that', () => {
    const parts = new Map([[1, part(1, 0, 10, { header })]]);
    const { outline, timeline, places } = composeRecording([span(1, 0, 10), span(4, 40, 50)], parts);
    expect(places[1]).toEqual({ segment: 2, missing: true });
    expect(outline.pieces[1]).toMatchObject({ from: 10 * SECOND, to: 40 * SECOND });
    expect(outline.idle).toEqual([{ from: 10 * SECOND, to: 40 * SECOND, damaged: true }]);
    expect(timeline.damage).toEqual([{ from: 10 * SECOND, to: 40 * SECOND, words: 'Parts 2 to 3 of this recording are missing.' }]);
    expect(timeline.marks.map(({ kind }) => kind)).toEqual(['damage']);
  });

  it('has keyframes of a terminal where their parts end with one, also where nothing is known of what was before', () => {
    const began = { ...header, pty: false };
    const parts = new Map([
      [1, part(1, 0, 10, { header: began, terminal: false, pieces: [piece(0), piece(5)], keyframes: [keyframe(1)] })],
      [2, part(2, 10, 20, { terminal: true, pieces: [piece(10)] })],
      [3, part(3, 20, 30, { keyframes: [keyframe(0)] })],
    ]);
    const spans = [span(1, 0, 10), span(2, 10, 20), span(3, 20, 30)];
    const keyframes = () =>
      composeRecording(spans, parts).outline.pieces.map(({ keyframe: has, plain }) => has && (plain ? 'plain' : 'terminal'));
    expect(keyframes()).toEqual([false, 'plain', false, 'terminal']);
    parts.delete(1);
    parts.delete(2);
    expect(keyframes()).toEqual([false, false, 'terminal']);
  });

  it('plays a segment that was damaged as a whole, from the screen before it, and tells its damage once', () => {
    const marks = [{ at: 11, kind: 'damage' as const, title: 'lost wor' }];
    const parts = new Map([
      [1, part(1, 0, 10, { header })],
      [2, part(2, 10, 20, { damaged: '', keyframes: [keyframe(0)], marks })],
    ]);
    const compose = (damage: { from: number; to: number; words: string }[]) =>
      composeRecording([span(1, 0, 10), span(2, 10, 20)], parts, { damage });
    expect(compose([]).places).toEqual([
      { segment: 1, piece: 0 },
      { segment: 2, piece: undefined },
    ]);
    expect(compose([]).outline.pieces[1]).toMatchObject({ keyframe: true, plain: false });
    expect(compose([]).timeline.damage).toEqual([{ from: 11, to: 11, words: 'lost wor' }]);
    expect(compose([{ from: 11, to: 15, words: 'lost words' }]).timeline.damage).toEqual([{ from: 11, to: 15, words: 'lost words' }]);
  });

  it('has marks, commands and damage of all parts in their order, and what was found since', () => {
    const command = (at: number) => ({ how: 'derived' as const, at, text: `c${at}` });
    const parts = new Map([
      [1, part(1, 0, 10, { header, marks: [{ at: 5, kind: 'marker', title: 'b' }], commands: [command(6)] })],
      [2, part(2, 10, 20, { marks: [{ at: 12, kind: 'damage', title: 'lost' }], commands: [command(2)] })],
    ]);
    const found = { from: 7, to: 9, words: 'found' };
    const { timeline, outline } = composeRecording([span(1, 0, 10), span(2, 10, 20)], parts, { damage: [found], cut: 3, live: true });
    expect(timeline.marks.map(({ title }) => title)).toEqual(['b', 'found', 'lost']);
    expect(timeline.commands.map(({ at }) => at)).toEqual([2, 6]);
    expect(timeline.damage).toEqual([found, { from: 12, to: 12, words: 'lost' }]);
    expect(outline).toMatchObject({ cut: 3, live: true });
    expect(timeline.activity.spread(2, 20 * SECOND, (at) => at)).toEqual([10, 10]);
  });

  it('of nothing is empty', () => {
    const { outline } = composeRecording([], new Map());
    expect(outline).toMatchObject({ duration: 0, pieces: [], header: undefined, idle: [] });
  });
});
