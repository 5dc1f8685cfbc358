import { describe, expect, it } from 'vitest';
import { copied, endOf, filterLines, lineAt, transcriptOf } from '../../../renderer/app/replay/transcript.ts';

const lines = transcriptOf({
  commands: [
    { how: 'derived', at: 100, text: 'uptime' },
    { how: 'exec', at: 500, until: 900, text: 'make\ninstall', exit: 2 },
  ],
  marks: [
    { at: 400, kind: 'decision', title: 'approval asked (prod)' },
    { at: 450, kind: 'decision', title: 'approved by reviewer' },
    { at: 500, kind: 'command', title: '$ make\ninstall' },
    { at: 900, kind: 'end', title: 'Exit status 2' },
  ],
  notes: [{ note: '1', at: 450, text: 'Who asked?', by: 'auditor' }],
});

describe('the transcript', () => {
  it('has commands, decisions and notes in the order in which they came, each once', () => {
    expect(lines.map(({ sort, text }) => `${sort}: ${text}`)).toEqual([
      'command: uptime',
      'asked: approval asked (prod)',
      'approved: approved by reviewer',
      'note: Who asked?',
      'command: make',
      'end: Exit status 2',
    ]);
    expect(lines[4]?.more).toBe(1);
  });

  it('knows which line is shown at a moment', () => {
    expect([0, 100, 449, 450, 10_000].map((at) => lineAt(lines, at))).toEqual([-1, 0, 1, 3, 5]);
  });

  it('is filtered by all the words, wherever they stand', () => {
    expect(filterLines(lines, 'APPROV').map(({ at }) => at)).toEqual([400, 450]);
    expect(filterLines(lines, 'auditor who').map(({ text }) => text)).toEqual(['Who asked?']);
    expect(filterLines(lines, 'install')).toHaveLength(1);
    expect(filterLines(lines, '  ')).toBe(lines);
  });

  it('says how a command ended only where that is known', () => {
    expect(endOf({ how: 'derived', at: 0, text: 'x' }).words).toBe('derived');
    expect(endOf({ how: 'exec', at: 0, text: 'x', exit: 1 })).toMatchObject({ words: 'exit 1', tone: 'deny' });
    expect(endOf({ how: 'marked', at: 0, text: 'x', exit: 0 })).toMatchObject({ words: 'exit 0', tone: 'plain' });
    expect(endOf({ how: 'exec', at: 0, text: 'x' }).words).toBe('no end seen');
  });

  it('is copied with one line for each, whatever is in it', () => {
    const text = copied(lines, (at) => `${at}`);
    expect(text.split('\n')).toHaveLength(lines.length);
    expect(text).toContain('500\tcommand\tmake ⏎ install\texit 2');
  });
});
