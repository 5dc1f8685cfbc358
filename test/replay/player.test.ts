import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { ChannelScreen } from '../../contract/replay/channel-screen.ts';
import { parseSegment } from '../../contract/replay/parse-segment.ts';
import { neighbourSpeed, positionOf, stoppedClock, withPlaying, withSpeed } from '../../contract/replay/play-clock.ts';
import { PlayTime } from '../../contract/replay/play-time.ts';
import { Player } from '../../contract/replay/player.ts';
import { indexRecording } from '../../contract/replay/recording-index.ts';
import { isErrorCell } from '../../contract/replay/screen/error-mark.ts';
import { emptyCell } from '../../contract/replay/screen/terminal-internals.ts';
import { SegmentDriver } from '../../contract/replay/segment-driver.ts';
import { SegmentSource } from '../../contract/replay/segment-source.ts';
import { TextLines } from '../../contract/replay/text-lines.ts';
import { nodeHost, textOf } from './memory-driver.ts';

const golden = (name: string) => readFileSync(join(import.meta.dirname, `../fixtures/recording/${name}.cast`), 'utf8');

/** Nanoseconds that the events of a text take. */
function lengthOf(text: string): number {
  return (parseSegment(text, 0).events.at(-1)?.at ?? 0) * 1000;
}

function sourceOf(...texts: (string | { damage: string; nanos: number })[]): SegmentSource {
  let from = 0;
  return new SegmentSource(
    texts.map((text, index) => {
      const begun = from;
      from += typeof text === 'string' ? lengthOf(text) : text.nanos;
      return {
        number: index + 1,
        from: begun,
        to: from,
        load: async () => (typeof text === 'string' ? { text } : { damage: text.damage }),
      };
    }),
  );
}

function cast(...events: [interval: number, code: string, data: string][]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

async function playerOf(source: SegmentSource): Promise<Player> {
  return new Player(new SegmentDriver(source, await indexRecording(source)), nodeHost);
}

describe('a segment', () => {
  it('is read with its times, sizes, streams and notes', () => {
    const { header, events } = parseSegment(golden('terminal-v1'), 0);
    expect(header).toMatchObject({ cols: 100, rows: 30, pty: true });
    expect(events.filter(({ kind }) => kind === 'resize')).toEqual([expect.objectContaining({ cols: 120, rows: 40 })]);
    expect(events.at(-1)).toMatchObject({ kind: 'note', at: 6_000_100, note: { t: 'clock' } });
    expect(events.find((event) => event.kind === 'note' && event.note.t === 'redact')).toMatchObject({
      title: 'input not recorded: a secret was asked for',
    });
    expect(
      events.some(({ kind }) => kind === 'marker'),
      'a marker stands with its note',
    ).toBe(false);
    expect(events.some(({ kind }) => kind === 'damage')).toBe(false);
  });

  it('tells error output from output', () => {
    const { events } = parseSegment(golden('exec-v1'), 0);
    const data = events.filter((event): event is Extract<CastEvent, { kind: 'data' }> => event.kind === 'data');
    expect(data.map(({ stream, text }) => `${stream}:${text}`)).toEqual([
      'i:line in\n',
      'o:out 1\n',
      'e:error 1\n',
      'e:error 2\n',
      'o:out 2\n',
      'e:\ufffd\ufffd',
    ]);
  });

  it('knows bytes that are no text from a slip in a text', () => {
    const { events } = parseSegment(golden('bulk-v1'), 0);
    const binary = events.filter((event) => event.kind === 'data' && event.binary !== undefined);
    expect(binary).toEqual([expect.objectContaining({ stream: 'o', binary: 65_536 })]);
    expect(parseSegment(golden('terminal-v1'), 0).events.some((event) => event.kind === 'data' && event.binary !== undefined)).toBe(false);
  });

  it('begins where the one before it ended', () => {
    expect(parseSegment(cast([0.5, 'o', 'a'], [0.00001, 'o', 'b']), 61_000_009_999).events.map(({ at }) => at)).toEqual([
      61_500_000, 61_500_010,
    ]);
  });

  it('with lines that are nothing plays around them and says where they were', () => {
    const text = `${cast([1, 'o', 'a'])}nonsense\n[1,2]\n{"version":3}\n[-1,"o","x"]\n[1,"+","no json"]\n${cast([1, 'o', 'b'])}`;
    const { events } = parseSegment(text, 0);
    expect(events.filter(({ kind }) => kind === 'damage')).toHaveLength(5);
    expect(events.at(-1)).toEqual({ kind: 'data', at: 3_000_000, stream: 'o', text: 'b' });
  });

  it('never throws and never goes back in time, whatever it holds', () => {
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .tuple(
          fc.double(),
          fc.constantFrom('o', 'i', 'r', 'x', 'm', '+', 'q'),
          fc.oneof(fc.string(), fc.constant('9x9'), fc.constant('{"t":"raw","b64":5}')),
        )
        .map((event) => JSON.stringify(event)),
    );
    fc.assert(
      fc.property(fc.array(line), fc.nat(), (lines, from) => {
        const times = parseSegment(lines.join('\n'), from).events.map(({ at }) => at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }),
    );
  });

  it('cannot ask for a screen that no browser can draw', () => {
    const { header, events } = parseSegment(
      `{"version":3,"term":{"cols":60000,"rows":-5}}\n${cast([0, 'r', '65535x65535'], [0, 'r', 'x'], [0, 'r', '0x0'])}`,
      0,
    );
    expect(header).toMatchObject({ cols: 500, rows: 24 });
    expect(events).toEqual([{ kind: 'resize', at: 0, cols: 500, rows: 200 }]);
  });

  it('has the sizes that are beyond what other players can show as large as a screen may be, like whoever watched', () => {
    const note = (t: string, cols: number, rows: number): [number, string, string] => [0, '+', JSON.stringify({ t, cols, rows })];
    const { header, events } = parseSegment(
      `{"version":3,"term":{"cols":80,"rows":24},"x-sallyport":{"pty":true}}\n${cast(note('terminal', 100_000, 4e9), note('resize', 0, 0), note('resize', 70_000, 3))}`,
      0,
    );
    const screen = ChannelScreen.begin(header);
    const sizes = events.map((event) => {
      screen.show(event);
      return [screen.emulation.cols, screen.emulation.rows];
    });
    expect(sizes).toEqual([
      [500, 200],
      [500, 200],
      [500, 3],
    ]);
  });
});

describe('play time', () => {
  const idle = [
    { from: 1_000_000, to: 11_000_000, damaged: false },
    { from: 20_000_000, to: 21_000_000, damaged: false },
    { from: 30_000_000, to: 90_000_000, damaged: true },
  ];

  it('folds long pauses, leaves short ones, and shows what is missing long enough to be read', () => {
    const time = new PlayTime(100_000_000, idle);
    expect(time.folds).toHaveLength(2);
    expect(time.duration).toBe(100_000_000 - 9_500_000 - 57_000_000);
    expect(time.toPlay(11_000_000)).toBe(1_500_000);
    expect(time.toPlay(500_000)).toBe(500_000);
  });

  it('goes there and back to the same moment', () => {
    const time = new PlayTime(100_000_000, idle);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000_000 }), fc.integer({ min: 0, max: 100_000_000 }), (one, other) => {
        expect(time.toRecording(time.toPlay(one))).toBeCloseTo(one, 3);
        expect(Math.sign(time.toPlay(one) - time.toPlay(other))).toBe(Math.sign(one - other));
      }),
    );
  });

  it('runs at the speed that was chosen, from where it stood', () => {
    let clock = withPlaying(stoppedClock, true, 1000);
    expect(positionOf(clock, 1500)).toBe(500_000);
    clock = withSpeed(clock, 16, 1500);
    expect(positionOf(clock, 1600)).toBe(500_000 + 1_600_000);
    clock = withPlaying(clock, false, 1600);
    expect(positionOf(clock, 9999)).toBe(2_100_000);
    expect(neighbourSpeed(16, 1)).toBe(16);
    expect(neighbourSpeed(1, -1)).toBe(0.5);
  });
});

describe('the player', () => {
  const header = `${JSON.stringify({ version: 3, term: { cols: 80, rows: 24 }, 'x-sallyport': { pty: true } })}\n`;

  it('shows at any moment exactly what came before it, whichever way it got there', async () => {
    const player = await playerOf(
      sourceOf(
        header + cast([0, 'o', 'a'], [1, 'o', 'b'], [1, 'o', 'c']),
        cast([0, '+', '{"t":"fd","fd":2}'], [1, 'o', 'd'], [1, 'o', 'e']),
        cast([1, 'o', 'f'], [1, 'r', '90x20'], [1, 'o', 'g']),
      ),
    );
    const expected = (seconds: number) => 'abcdef'.slice(0, Math.floor(seconds) + 1) + (seconds >= 7 ? 'g' : '');
    for (const seconds of [0, 7, 3.5, 2, 6.2, 0.5, 4, 5, 1.999, 7]) {
      player.seek(seconds * 1e6, 0);
      await player.shown();
      expect(textOf(player.screen), `at ${seconds} s`).toBe(expected(seconds));
      expect([player.screen.cols, player.screen.rows]).toEqual(seconds >= 6 ? [90, 20] : [80, 24]);
    }
    await player.close();
  });

  it('tells error output from output where there was no terminal, whichever way it got there', async () => {
    const player = await playerOf(
      sourceOf(
        cast([0, 'o', 'a'], [1, '+', '{"t":"fd","fd":2}'], [0, 'o', 'b']),
        cast([0, '+', '{"t":"fd","fd":2}'], [1, 'o', 'c'], [1, 'o', 'd']),
      ),
    );
    for (const seconds of [3, 0, 2, 1, 3]) {
      player.seek(seconds * 1e6, 0);
      await player.shown();
      const line = player.screen.core.buffers.active.lines.get(0);
      const cell = emptyCell();
      const marks = [0, 1, 2, 3].map((x) => (line?.loadCell(x, cell).getChars() === '' ? ' ' : isErrorCell(cell) ? 'e' : 'o'));
      expect(marks.join('').trimEnd(), `at ${seconds} s`).toBe('oeee'.slice(0, seconds + 1));
    }
  });

  it('plays idle time folded, stops at the end and begins again from there', async () => {
    const player = await playerOf(sourceOf(cast([0.5, 'o', 'a'], [60, 'o', 'b'], [0.5, 'o', 'c'])));
    const screen = async () => {
      await player.shown();
      return textOf(player.screen);
    };
    expect(player.outline.duration).toBe(61_000_000);
    player.setPlaying(true, 0);
    player.tick(600);
    expect(await screen()).toBe('a');
    player.tick(1050);
    expect(await screen(), 'a minute of nothing took half a second').toBe('ab');
    player.tick(5000);
    expect(await screen()).toBe('abc');
    expect(player.playing).toBe(false);
    player.setPlaying(true, 6000);
    await player.shown();
    expect(player.position).toBe(0);
    player.setFolding(false, 6000);
    player.tick(6000 + 59_000);
    expect(await screen()).toBe('a');
  });

  it('stands still while the screen is behind, and skips nothing', async () => {
    const player = await playerOf(
      sourceOf(cast(...Array.from({ length: 20 }, (_, at): [number, string, string] => [0.1, 'o', `${at % 10}`]))),
    );
    player.setPlaying(true, 0);
    player.tick(1000);
    player.tick(1900); // Nothing is shown yet: the first is on its way.
    expect(player.position).toBe(1_000_000);
    await player.shown();
    player.tick(2000);
    expect(player.position).toBe(1_100_000);
    await player.shown();
  });

  it('steps from one change to the next and back, over as many parts as lie between', async () => {
    const player = await playerOf(
      sourceOf(cast([1, 'o', 'a'], [1, 'i', 'b']), cast([1, 'm', 'mark']), cast([1, 'm', 'another']), cast([1, 'o', 'c'])),
    );
    const steps: number[] = [];
    for (const by of [1, 1, 1, 1, -1, -1, -1, -1] as const) {
      await player.step(by, 0);
      steps.push(player.position / 1e6);
    }
    expect(steps).toEqual([1, 2, 5, 5, 2, 1, 0, 0]);
  });

  it('goes from mark to mark', async () => {
    const player = await playerOf(sourceOf(cast([1, 'm', 'one'], [1, 'o', 'a'], [1, 'm', 'two'])));
    expect(player.toMark(1, 0)?.title).toBe('one');
    expect(player.toMark(1, 0)?.title).toBe('two');
    expect(player.toMark(1, 0)).toBeUndefined();
    expect(player.position).toBe(3_000_000);
    expect(player.toMark(-1, 0)?.title).toBe('one');
    await player.shown();
  });

  it('plays around what is missing, and cuts off the sequence that was begun before it', async () => {
    const player = await playerOf(
      sourceOf(cast([1, 'o', 'before\x1b[3']), { damage: 'It has other bytes.', nanos: 30e9 }, cast([1, 'o', 'after'])),
    );
    player.seek(40e6, 0);
    await player.shown();
    expect(textOf(player.screen)).toBe('beforeafter');
  });

  it('remembers the end of what was typed', async () => {
    const player = await playerOf(sourceOf(cast([1, 'i', 'ls'], [1, 'i', '\r'], [1, 'i', 'id'])));
    for (const [seconds, typed] of [
      [3, 'ls\rid'],
      [1, 'ls'],
      [2, 'ls\r'],
    ] as const) {
      player.seek(seconds * 1e6, 0);
      await player.shown();
      expect(player.typed).toBe(typed);
    }
  });

  it('shows bytes that are no text as what they are, except on a terminal', async () => {
    const player = await playerOf(sourceOf(golden('bulk-v1')));
    player.seek(1e9, 0);
    await player.shown();
    expect(textOf(player.screen)).toBe('[bytes that are not text]\ndone');
  });
});

describe('the index of a recording', () => {
  it('has the lines, what was entered, notes, marks and the exit status, each with its time', async () => {
    const index = await indexRecording(sourceOf(golden('terminal-v1')));
    expect(index.terminal).toBe(true);
    expect(index.transcript.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'note: Environment LANG=C.UTF-8',
      'note: Terminal xterm-256color, 100 × 30',
      'note: Decision: allow ssh:shell, by allow-list',
      'note: Shell started',
      'entered: deploy@web-1:~$ sudo id',
      'note: Input after a prompt for a secret; it was never recorded',
      'entered: [sudo] password for deploy:',
      'text: uid=0 — “r€ caf\ufffd',
      'note: Exit status 0',
    ]);
    expect(index.marks.map(({ kind, title }) => `${kind}: ${title}`)).toEqual([
      'command: shell',
      'secret: input not recorded: a secret was asked for',
      'end: Exit status 0',
    ]);
  });

  it('tells streams apart where there is no terminal', async () => {
    const { transcript, terminal, input } = await indexRecording(sourceOf(golden('exec-v1')));
    expect({ terminal, input }).toEqual({ terminal: false, input: true });
    expect(transcript.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'command: make test',
      'input: line in',
      'text: out 1',
      'error: error 1',
      'error: error 2',
      'text: out 2',
      'error: \ufffd\ufffd',
      'note: Exit status 2',
    ]);
  });

  it('names what is missing, where, and folds it', async () => {
    const index = await indexRecording(
      sourceOf(cast([1, 'o', 'a\n']), { damage: 'It has other bytes.', nanos: 30e9 }, cast([1, 'o', 'b\n'])),
    );
    expect(index.damage).toEqual([
      { from: 1_000_000, to: 31_000_000, words: 'Part 2 of this recording is not shown. It has other bytes.' },
    ]);
    expect(index.idle).toEqual([{ from: 1_000_000, to: 31_000_000, damaged: true }]);
    expect(index.transcript.map(({ kind }) => kind)).toEqual(['text', 'damage', 'text']);
    const torn = await indexRecording(sourceOf(golden('torn-v1')));
    expect(torn.damage).toEqual([
      expect.objectContaining({ words: '31 bytes of the recording were lost before the gateway could keep them.' }),
    ]);
  });

  it('stays within bounds for a recording of a million lines', async () => {
    const text = cast(...Array.from({ length: 300 }, (): [number, string, string] => [0.001, 'o', 'x\n'.repeat(500)]));
    const index = await indexRecording(sourceOf(...Array.from({ length: 8 }, () => text)));
    expect(index.transcript.length).toBe(100_001);
    expect(index.transcript.at(-1)?.text).toMatch(/transcript ends here/);
  });
});

describe('lines of output', () => {
  function linesOf(...chunks: string[]): string[] {
    const lines: string[] = [];
    const reader = new TextLines((line) => lines.push(line));
    for (const chunk of chunks) reader.push(chunk, 0);
    reader.end(0);
    return lines;
  }

  it.each([
    ['colours are left out', ['\x1b[1;31mred\x1b[0m\r\n'], ['red']],
    ['a progress bar is its last state', ['10 %\r50 %\r100 %\r\n'], ['100 %']],
    ['an edited line is what it became', ['lx\b \bs -l\x1b[2D-a\n'], ['ls -a']],
    ['sequences may be cut anywhere', ['\x1b', '[3', '1mred\x1b]0;ti', 'tle\x07 still\x1b(', 'B\n'], ['red still']],
    ['the alternate screen is no text', ['before\n\x1b[?1049h\x1b[Hvim\r\n~\x1b[?1049lafter\n'], ['before', 'after']],
    ['text that is placed elsewhere is a line of its own', ['one\x1b[5;1Htwo'], ['one', 'two']],
    ['a string without an end does not swallow the rest', [`\x1b]0;${'x'.repeat(5000)}\nrest\n`], ['rest']],
  ])('%s', (_, chunks, expected) => {
    expect(linesOf(...chunks).filter((line) => !/^x*$/.test(line))).toEqual(expected);
  });

  it('never carry anything a terminal would act on, however they are cut', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('\x1b', '[', ']', '\x1b]8;;', '\x07', '\x9b', '\x90', '\n', '\x1b[?1049h', '31m', '\x1b\\'),
    );
    fc.assert(
      fc.property(fc.array(piece), (chunks) => {
        for (const line of linesOf(...chunks)) expect(line).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f]/);
      }),
    );
  });
});
