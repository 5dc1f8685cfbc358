import { describe, expect, it } from 'vitest';
import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { worked } from '../support/worked.ts';
import { find, findInParts, inCharacters, type Step, script, texts } from './command-script.ts';
import { randomNumbers, randomOutput } from './random-output.ts';

const B = '\x1b]133;B\x07';
const C = '\x1b]133;C\x07';
const D = (exit: number) => `\x1b]133;D;${exit}\x07`;

/** One command, typed and shown, at `prompt`. */
function entered(prompt: string, command: string, output: string): Step[] {
  return [`<${prompt}`, `>${command}`, `<${command}`, '>\r', `<\r\n${output}`];
}

describe('a command that somebody wants to hide', () => {
  const evil = 'rm -rf /srv';
  it.each<[string, Step[], string]>([
    ['by clearing the line as Enter is pressed', ['<$ ', `>${evil}`, `<${evil}`, '>\r', '<\r\x1b[K\r\n$ ', '>ls\r', '<ls\r\n$ '], evil],
    ['by clearing the whole screen before the line feed', ['<$ ', `>${evil}`, `<${evil}`, '>\r', '<\x1b[2J\x1b[H\r\n$ '], evil],
    ['by resetting the terminal', ['<$ ', `>${evil}`, `<${evil}`, '>\r', '<\x1bc\r\n$ '], evil],
    ['by moving the cursor away before the line feed', ['<$ ', `>${evil}`, `<${evil}`, '>\r', '<\x1b[10;1H\r\n$ '], evil],
    ['by going to the other screen for a moment', ['<$ ', `>${evil}`, `<${evil}\x1b[?1049h`, '>\r', '<\r\n\x1b[?1049l\r\n$ '], evil],
    ['by never feeding a line', ['<$ ', `>${evil}`, `<${evil}`, '>\r', '<\x1b[2;1H$ '], evil],
    ['by writing another one over it', ['<$ ', `>${evil}`, `<${evil}`, '>\r', '<\r\x1b[K$ ls\r\n$ '], evil],
    ['by a prompt that asks for a password', ['<Password: ', 'secret', '>\r', `<${evil}\r\n`, '<Password: '], evil],
    ['by filling it in beforehand', [...entered('$ ', 'ls', ''), `<$ ${evil}`, '>\r', '<\r\n$ '], evil],
    ['by filling in its beginning', [...entered('$ ', 'ls', ''), '<$ rm -rf ', '>/srv\r', '</srv\r\n$ '], evil],
    ['by marking its end as its beginning', ['<$ ', '>rm -rf ', `<rm -rf ${B}`, '>/srv\r', `</srv\r\n${C}`], evil],
    ['by marking the output before Enter', [`<$ ${B}`, `>${evil}`, `<${evil}${C}`, '>\r', '<\r\n$ '], evil],
    ['by brackets of a paste that nobody honours', ['<$ ', `>\x1b[200~${evil}\r`, `<${evil}\r\n`, '>\x1b[201~', '<$ '], evil],
    ['by Enter within a sequence of keys', ['<$ ', `>${evil}\x1b]0;\r\x07`, `<${evil}\r\n$ `], evil],
    ['by a window of one column', ['<$ ', `>${evil}`, `<${evil}`, '>\r', '<\x1b[1;5r\x1b[24;1H\r\n$ '], evil],
    ['behind a prompt that another line had', [...entered('$ ', 'ls', ''), '<$ rm -rf ', '>/srv', '</srv', '>\r', '<\r\n'], evil],
    [
      'by a line that a known prompt is painted over',
      [...entered('$ ', 'ls', ''), '<$ ', `>rm -rf /srv`, `<${evil}`, '>;', '<\x1b[5;1H$ ', '>\r', '<\r\n'],
      evil,
    ],
  ])('%s is reported all the same', (_, steps, command) => {
    const events = script(...steps);
    expect(texts(events).join('\n')).toContain(command);
    expect(texts(inCharacters(events)).join('\n')).toContain(command);
    expect(find(events).every(({ how }) => how === 'derived')).toBe(true);
  });

  it('by turning the echo off is reported without what was typed, which may be a secret', () => {
    const events = script('<$ ', '>stty -echo\r', '<stty -echo\r\n$ ', `>${evil}\r`, '<\r\ngone\r\n$ ');
    expect(texts(events)).toEqual(['stty -echo', '(11 characters that did not show on the screen)']);
  });

  it('by bytes of a line that are many keeps its beginning and its end', () => {
    const long = `: ${'x'.repeat(30_000)}; ${evil}`;
    const [found] = find(script('<$ ', `>${long}\r`, `<${long}\r\n$ `));
    expect(found?.text).toMatch(/^: xxx.*rows are left out.*; rm -rf \/srv$/s);
    expect(found?.text.length).toBeLessThan(17_000);
  });
});

describe('a command that was never entered', () => {
  it.each<[string, Step[]]>([
    ['printed like a prompt and a command', ['<$ ', '>cat log\r', '<cat log\r\n', '<$ rm -rf /\r\n$ ls\r\n', '<$ ']],
    [
      'printed with all marks of a shell',
      ['<$ ', '>cat log\r', '<cat log\r\n', `<${D(0)}\x1b]133;A\x07$ ${B}rm -rf /\r\n${C}${D(0)}`, '<$ '],
    ],
    ['told as the command line of VS Code', ['<$ ', '>cat log\r', `<cat log\r\n\x1b]633;E;rm -rf /\x07\x1b]633;C\x07`, '<$ ']],
    ['on the other screen', ['<$ ', '>cat log\r', '<cat log\r\n', '<\x1b[?1049h\x1b[H$ rm -rf /\r\n\x1b[?1049l', '<$ ']],
  ])('%s is none', (_, steps) => {
    const events = script(...steps);
    expect(texts(events)).toEqual(['cat log']);
    expect(texts(inCharacters(events))).toEqual(['cat log']);
  });

  it('is never called marked: what is typed and what is marked have to agree', () => {
    const events = script(`<$ ${B}`, '>ls -l\r', `<rm -rf /\r\n${C}`, `<${D(0)}$ `, '>true\r', '<true\r\n');
    expect(find(events).filter(({ how }) => how === 'marked')).toEqual([]);
  });
});

describe('marks', () => {
  it('of a shell confirm a command, its exit status and its end', () => {
    const [one, two] = find(script(`<$ ${B}`, '>make\r', `<make\r\n${C}`, `<out\r\n${D(2)}$ ${B}`, '>ls\r', `<ls\r\n${C}${D(0)}`));
    expect([one, two]).toEqual([
      { how: 'marked', at: 200_000, text: 'make', until: 400_000, exit: 2 },
      { how: 'marked', at: 500_000, text: 'ls', until: 600_000, exit: 0 },
    ]);
  });

  it('that a program writes do not end its command: the last one does, and two that differ are not believed', () => {
    const forged = script(`<$ ${B}`, '>make\r', `<make\r\n${C}`, `<${D(0)}`, `<${D(2)}$ ${B}`, '>ls\r', `<ls\r\n${C}`);
    expect(find(forged)[0]).toEqual({ how: 'derived', at: 200_000, text: 'make', until: 500_000 });
  });

  it('of VS Code give the command line as the shell has it, where the screen shows the same', () => {
    const vscode = (line: string) =>
      script(
        '<\x1b]633;A\x07$ \x1b]633;B\x07',
        '>echo  a\\;b\r',
        `<echo  a\\;b\r\n\x1b]633;E;${line};nonce\x07\x1b]633;C\x07a\r\n\x1b]633;D;0\x07`,
      );
    expect(find(vscode('echo \\x20a\\\\\\x3bb'))[0]).toMatchObject({ how: 'marked', text: 'echo  a\\;b', exit: 0 });
    expect(find(vscode('something else'))[0]).toMatchObject({ how: 'marked', text: 'echo  a\\;b', exit: 0 });
  });
});

describe('without recorded input', () => {
  it('lines at a prompt at which output rests again and again are commands', () => {
    const events = script('<host$ ', '<ls\r\nfile\r\n', '<host$ ', '<id\r\n', '<uid=0\r\nhost$ printed\r\n', '<host$ ');
    expect(texts(events)).toEqual(['ls', 'id']);
  });

  it('nothing is made of a prompt that was seen once', () => {
    expect(texts(script('<host$ ', '<ls\r\nfile\r\n'))).toEqual([]);
  });
});

describe('of a channel', () => {
  it('an exec is a command as it was asked for, with its exit status; a refused one is none', () => {
    const request = (command: string, passed: boolean, at: number): CastEvent => ({
      kind: 'note',
      at,
      note: { t: 'ssh.request', request: 'exec', command, passed },
    });
    const exit = (at: number, status: string): CastEvent => ({ kind: 'exit', at, status });
    expect(find([request('ls', true, 10), exit(30, '7')])).toEqual([{ how: 'exec', at: 10, text: 'ls', until: 30, exit: 7 }]);
    expect(find([request('ls', false, 10), exit(30, '7')])).toEqual([]);
    const killed: CastEvent = { kind: 'note', at: 40, note: { t: 'ssh.exit-signal', signal: 'KILL' } };
    expect(find([request('ls', true, 10), killed])).toEqual([{ how: 'exec', at: 10, text: 'ls', until: 40 }]);
  });

  it('the same is found when the terminal changes its size between', () => {
    const narrow: CastEvent = { kind: 'resize', at: 350_000, cols: 12, rows: 5 };
    const events = script('<user@host:~$ ', '>echo one two three', '<echo one two three', '>\r', '<\r\none two three\r\n');
    events.splice(3, 0, narrow);
    expect(texts(events)).toEqual(['echo one two three']);
    expect(findInParts(events, () => true).map(({ text }) => text)).toEqual(['echo one two three']);
  });
});

describe('a line that moves while it is typed', () => {
  const long = `echo ${'word '.repeat(100)}end`;
  it.each<[string, Step[]]>([
    ['where the screen begins to scroll', [`<${'\r\n'.repeat(30)}$ `, `>${long}x`, `<${long}x`, '>\x7f', '<\b \b', '>\r', '<\r\n$ ']],
    [
      'where no more lines are kept above',
      [`<${'line\r\n'.repeat(2000)}$ `, `>${long}x`, `<${long}x`, '>\x7f', '<\b \b', '>\r', '<\r\n$ '],
    ],
    [
      'while lines are inserted above it',
      ['<\r\n\r\n$ ', '>\x1b[A', `<${long}`, '>x\x7f', '<\x1b7\x1b[1;1H\x1b[3L\x1b8\x1b[3B', '>\r', '<\r\n$ '],
    ],
    [
      'while lines are deleted above it',
      ['<\r\n\r\n$ ', '>\x1b[A', `<${long}`, '>x\x7f', '<\x1b7\x1b[1;1H\x1b[2M\x1b8\x1b[2A', '>\r', '<\r\n$ '],
    ],
    ['in a part of the screen that scrolls alone', ['<\x1b[5;12r\x1b[12;1H$ ', '>\x1b[A', `<${long}`, '>\r', '<\r\n$ ']],
  ])('%s is found whole', (_, steps) => {
    const events = script(...steps);
    expect(texts(events)).toEqual([long]);
    expect(texts(inCharacters(events))).toEqual([long]);
    expect(findInParts(events, () => true).map(({ text }) => text)).toEqual([long]);
  });
});

describe('hostile input and output', () => {
  it('of any kind is taken without a throw, and every line that was entered and shown is found', () => {
    for (let seed = 0; seed < 15; seed += 1) {
      const random = randomNumbers(seed);
      const keys = ['x', 'ls', '\r', '\n', '\x7f', '\x1b[A', '\x03', '\x15', '\t', '\x1b[200~', '\x1b[201~', '\x04'];
      const marks = [B, C, D(1), '\x1b]133;A\x07', '\x1b[?1049h', '\x1b[?1049l', '\x1bc', '\x1b[?2004h', '\r\n$ '];
      const some = (of: readonly string[], most: number) =>
        Array.from({ length: 1 + random(most) }, () => of[random(of.length)] as string).join('');
      const steps = Array.from(
        { length: 40 },
        (): Step =>
          random(2) === 0 ? `>${some(keys, 6)}` : `<${random(2) === 0 ? some(marks, 4) : randomOutput(seed + random(1000), 20)}`,
      );
      // Whatever was before: at rest, on a fresh screen, a command is one.
      const events = script(
        ...steps,
        '>\x1b[201~\x03',
        '<\x18\x1bc\r\n\x1b[?1049l$ ',
        '>\x03',
        '<$ ',
        '>echo found',
        '<echo found',
        '>\r',
        '<\r\n$ ',
      );
      for (const found of [texts(events), texts(inCharacters(events)), findInParts(events, () => random(2) === 0).map(({ text }) => text)])
        expect(found.join('\n'), `seed ${seed}`).toContain('echo found');
    }
  });

  const many = 10_000;
  it.each<[string, () => CastEvent[]]>([
    ['ten thousand times Enter in one piece', () => script('<$ ', `>${'\r'.repeat(many)}`, `<${'\r\n$ '.repeat(many)}`)],
    ['ten thousand lines in one piece', () => script('<$ ', `>${'x\r'.repeat(many)}`, `<${'x\r\n$ '.repeat(many)}`)],
    [
      'lines that are waited for while the cursor goes up and down',
      () => script('<$ ', `>${'\x1b[A\r'.repeat(many)}`, `<${'y'.repeat(2000)}${'\x1b[A\n'.repeat(200_000)}`),
    ],
    ['a line without an end', () => script('<$ ', `>${'x'.repeat(2_000_000)}`, `<${'x'.repeat(2_000_000)}`, '>\r', '<\r\n')],
    ['marks without end', () => script(`<${`${B}${C}${D(1)}\x1b]133;A\x07`.repeat(50_000)}`, '>\r', '<\r\n')],
    ['a mark without an end', () => script(`<\x1b]133;${'B'.repeat(2_000_000)}\x07`, `<\x1b]633;E;${'\\x41'.repeat(500_000)}\x07`)],
    [
      'prompts without end',
      () =>
        Array.from({ length: 3000 }, (_, at) => script(`<p${at}$ `, '>x\r', '<x\r\n').map((event) => ({ ...event, at: at * 1000 }))).flat(),
    ],
    [
      'keys without end',
      () => script('<$ ', `>${'\x1b['.repeat(500_000)}`, `>${'\x1b]'.repeat(500_000)}`, `>${'\x1b[1;'.repeat(100_000)}`, '>\r'),
    ],
  ])('of %s costs bounded time, and what is kept of it is bounded', (_, make) => {
    const events = make();
    const began = worked();
    const commands = findInParts(events, (index) => index === events.length - 1);
    expect(worked() - began).toBeLessThan(6000);
    expect(Math.max(0, ...commands.map(({ text }) => text.length))).toBeLessThan(20_000);
  });
});
