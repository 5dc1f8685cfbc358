import { describe, expect, it } from 'vitest';
import { Activity } from '../../../contract/replay/activity.ts';
import { describeNote } from '../../../contract/replay/describe-note.ts';
import { PlayTime } from '../../../contract/replay/play-time.ts';
import { barsOf, clustersOf, gathered, momentAt, neighbourMark, shareOf } from '../../../renderer/app/replay/timeline/layout.ts';
import { type Mark, marksOf, sortOf } from '../../../renderer/app/replay/timeline/mark.ts';

const SECOND = 1_000_000;
const folded = new PlayTime(100 * SECOND, [{ from: 10 * SECOND, to: 90 * SECOND, damaged: false }]);

describe('the timeline', () => {
  it('gives a moment the place at which it is played', () => {
    expect(shareOf(folded, 0)).toBe(0);
    expect(shareOf(folded, 100 * SECOND)).toBe(1);
    // 20 seconds of work, and a pause of which half a second is left.
    expect(shareOf(folded, 90 * SECOND)).toBeCloseTo(10.5 / 20.5);
    for (const at of [0, 3, 9.99, 10, 50, 90, 99].map((seconds) => seconds * SECOND))
      expect(momentAt(folded, shareOf(folded, at))).toBeCloseTo(at, -2);
  });

  it('has everything at its beginning where there is no length', () => {
    expect(shareOf(new PlayTime(0, []), 0)).toBe(0);
    expect(momentAt(new PlayTime(0, []), 0.7)).toBe(0);
  });

  it('shows marks that would cover each other as the one that says most, and keeps the others', () => {
    const marks: Mark[] = [
      { at: SECOND, sort: 'command', title: 'make' },
      { at: 1.01 * SECOND, sort: 'denied', title: 'no' },
      { at: 1.02 * SECOND, sort: 'end', title: 'exit' },
      { at: 50 * SECOND, sort: 'end', title: 'exit' },
    ];
    const clusters = clustersOf(marks, new PlayTime(100 * SECOND, []), 0.01);
    expect(clusters.map(({ first, marks: all }) => [first.sort, all.length])).toEqual([
      ['denied', 3],
      ['end', 1],
    ]);
    expect(gathered(clusters, 0.6).map(({ marks: all }) => all)).toEqual([marks]);
  });

  it('shows a keystroke beside a burst a million times its size', () => {
    const activity = new Activity();
    activity.add(SECOND, 1);
    activity.add(5 * SECOND, 1_000_000);
    const [first = 0, , , , , sixth] = barsOf(activity, new PlayTime(10 * SECOND, []), 10).slice(1);
    expect(first).toBeGreaterThan(0.1);
    expect(barsOf(activity, new PlayTime(10 * SECOND, []), 10)[5]).toBe(1);
    expect(sixth).toBe(0);
  });

  it('finds the mark before and after a moment', () => {
    const marks = [1, 2, 3].map((at): Mark => ({ at, sort: 'marker', title: String(at) }));
    expect(neighbourMark(marks, 2, 1)?.at).toBe(3);
    expect(neighbourMark(marks, 2, -1)?.at).toBe(1);
    expect(neighbourMark(marks, 3, 1)).toBeUndefined();
  });
});

describe('a mark', () => {
  it.each([
    [{ t: 'approval', state: 'asked', rule: 'prod', approval: '1' }, 'asked'],
    [{ t: 'approval', state: 'approved', by: ['somebody'], approval: '1' }, 'approved'],
    [{ t: 'approval', state: 'refused', code: 'APPROVAL_DENIED' }, 'denied'],
    [{ t: 'decision', verdict: 'deny', action: 'ssh:exec' }, 'denied'],
    [{ t: 'decision', verdict: 'ask', action: 'ssh:exec' }, 'asked'],
    [{ t: 'supervise', what: 'pause', by: 'somebody', reason: 'wait' }, 'supervised'],
    [{ t: 'supervise', what: 'message', by: 'somebody', text: 'hello' }, 'supervised'],
    [{ t: 'supervise', what: 'step', on: false, by: 'somebody', reason: 'done' }, 'supervised'],
    [{ t: 'supervise', what: 'terminate', by: 'somebody', reason: 'no' }, 'supervised'],
  ] as const)('of %j is one of what was %s, as the recording words it', (note, sort) => {
    const { words = '', mark } = describeNote(note);
    expect(mark).toBe('decision');
    expect(sortOf({ kind: 'decision', title: words })).toBe(sort);
  });

  it.each([
    ['approval asked (prod-write)', 'asked'],
    ['approved by reviewer@example.com', 'approved'],
    ['The approval was denied by reviewer@example.com', 'denied'],
    ['paused by reviewer@example.com', 'supervised'],
    ['stepping ended by reviewer@example.com', 'supervised'],
    ['message of reviewer@example.com', 'supervised'],
  ] as const)('“%s”, as the gateway words it, is one of what was %s', (title, sort) => {
    expect(sortOf({ kind: 'decision', title })).toBe(sort);
  });

  it('does not say twice what is said once', () => {
    const marks = marksOf({
      marks: [
        { at: 10, kind: 'decision', title: 'Decision: ask ssh:exec, by writes' },
        { at: 20, kind: 'decision', title: 'approval asked (writes)' },
        { at: 30, kind: 'command', title: '$ touch flag' },
        { at: 40, kind: 'end', title: 'Exit status 0' },
      ],
      commands: [{ how: 'exec', at: 30, text: 'touch flag', exit: 0 }],
    });
    expect(marks.map(({ sort, title }) => `${sort} ${title}`)).toEqual([
      'asked approval asked (writes)',
      'command touch flag',
      'end Exit status 0',
    ]);
  });

  it('of a decision that nobody was asked about stays', () => {
    expect(marksOf({ marks: [{ at: 10, kind: 'decision', title: 'Decision: ask ssh:exec' }], commands: [] })).toHaveLength(1);
  });
});
