import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { Belongings } from '../support/temp.ts';
import { TypedTerminal } from '../support/typed-terminal.ts';
import { find, findInParts, inBursts, inCharacters } from './command-script.ts';
import { randomNumbers } from './random-output.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const BASH = ['bash', '--norc', '--noprofile', '-i'] as const;
/** What docs/operating.md has for the end of `~/.bashrc`. */
const [, INTEGRATION = ''] =
  /```bash\n([\s\S]*?)```/.exec(readFileSync('docs/operating.md', 'utf8').split('## Which commands were run')[1] ?? '') ?? [];

/** Text, how it was found, and exit status; the same in whatever pieces output comes, and wherever the recording is cut. */
function commandsOf(events: readonly CastEvent[]): [string, string, number | undefined][] {
  const brief = (commands: ReturnType<typeof find>) =>
    commands.map(({ text, how, exit }): [string, string, number | undefined] => [text, how, exit]);
  const found = brief(find(events));
  expect(brief(find(inCharacters(events))), 'in characters').toEqual(found);
  // In bursts output is later than it was, and so are lines that were typed ahead.
  const byText = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]) => a.localeCompare(b);
  expect(brief(find(inBursts(events))).sort(byText), 'in bursts').toEqual(found.toSorted(byText));
  const random = randomNumbers(events.length);
  expect(brief(findInParts(events, () => random(3) === 0)), 'in parts').toEqual(found);
  expect(brief(findInParts(events, () => true)), 'in parts, one for each event').toEqual(found);
  return found;
}

describe('commands typed at bash', () => {
  it('are found as they were when Enter was pressed, whatever was edited before', async () => {
    const shell = TypedTerminal.open(belongings, BASH);
    await shell.shows('$ ');
    await shell.type('echo one\r', '$ ');
    for (const key of 'echo twx') await shell.type(key, key);
    await shell.type('\x7f', 'tw');
    await shell.type('o\r', '$ ');
    await shell.type('cho three', 'three');
    await shell.type('\x01', '$ ');
    await shell.type('e', '$ e');
    await shell.type('\r', '$ ');
    await shell.type('\x1b[A', 'echo three');
    await shell.type('\x1b[A', 'echo two');
    await shell.type('\r', '$ ');
    await shell.type('nonsense\x15echo four\r', '$ ');
    await shell.type('echo five six\x17seven\r', '$ ');
    await shell.type('\x12', "`': ");
    await shell.type('ne', "`ne': echo o");
    await shell.type('\r', '$ ');
    await shell.type('abandoned', 'abandoned');
    await shell.type('\x03', '$ ');
    await shell.type('\r', '$ ');
    await shell.type('  \r', '$ ');
    await shell.type('touch some-file-of-mine\r', '$ ');
    await shell.type('ls some-fi\t', 'mine ');
    await shell.type('\r', '$ ');
    await shell.type(`echo ${'long '.repeat(40)}\r`, '$ ');
    await shell.type(`echo ${'日本語'.repeat(30)}`, '語');
    await shell.type('\r', '$ ');
    expect(commandsOf(shell.events)).toEqual(
      [
        'echo one',
        'echo two',
        'echo three',
        'echo two',
        'echo four',
        'echo five seven',
        'echo one',
        'touch some-file-of-mine',
        'ls some-file-of-mine',
        `echo ${'long '.repeat(40)}`.trim(),
        `echo ${'日本語'.repeat(30)}`,
      ].map((text) => [text, 'derived', undefined]),
    );
    const [first] = find(shell.events);
    expect((first?.until ?? 0) - (first?.at ?? 0)).toBeGreaterThan(0);
  });

  it('of several lines are one; what is pasted or typed ahead is found line by line', async () => {
    const shell = TypedTerminal.open(belongings, BASH);
    await shell.shows('$ ');
    await shell.type('for i in 1 2\r', '> ');
    await shell.type('do echo $i\r', '> ');
    await shell.type('done\r', '$ ');
    await shell.type('cat <<END\r', '> ');
    await shell.type('some text\r', '> ');
    await shell.type('END\r', '$ ');
    await shell.type('\x1b[200~echo a\recho b\x1b[201~', 'echo b');
    await shell.type('\r', '$ ');
    await shell.type('echo c\recho d\rPS1="& "\r', '& ');
    await shell.type('PS1="$ "\r', '$ ');
    await shell.type('sleep 0.3\r');
    await shell.type('echo ahead\r');
    await shell.type('PS1="% "\r', '% ');
    const found = commandsOf(shell.events).map(([text]) => text);
    // Which of what was typed ahead the terminal shows before the shell does, nobody knows.
    expect([...found.slice(0, 7), ...found.slice(7).sort()]).toEqual([
      'for i in 1 2\ndo echo $i\ndone',
      'cat <<END\nsome text\nEND',
      'echo a\necho b',
      'echo c',
      'echo d',
      'PS1="& "',
      'PS1="$ "',
      'PS1="% "',
      'echo ahead',
      'sleep 0.3',
    ]);
  });

  it('are marked by shell integration, with their exit status and their end', async () => {
    const file = join(belongings.directory('integration'), 'bashrc');
    writeFileSync(file, `PS1='$ '\n${INTEGRATION}`);
    const shell = TypedTerminal.open(belongings, ['bash', '--noprofile', '--rcfile', file, '-i']);
    await shell.shows('$ ');
    await shell.type('false\r', '$ ');
    await shell.type('(exit 42)\r', '$ ');
    await shell.type('echo "a\r', '> ');
    await shell.type('b"\r', '$ ');
    await shell.type('\x1b[A\x1b[A', '42)');
    await shell.type('\r', '$ ');
    await shell.type('python3 -q\r', '>>> ');
    await shell.type('print(6 * 7)\r', '>>> ');
    await shell.type('def f():\r', '... ');
    await shell.type('  return 1\r', '... ');
    await shell.type('\r', '>>> ');
    await shell.type('exit()\r', '$ ');
    await shell.type('true\r', '$ ');
    expect(commandsOf(shell.events)).toEqual([
      ['false', 'marked', 1],
      ['(exit 42)', 'marked', 42],
      ['echo "a\nb"', 'marked', 0],
      ['(exit 42)', 'marked', 42],
      ['python3 -q', 'marked', 0],
      ['print(6 * 7)', 'derived', undefined],
      ['def f():\nreturn 1', 'derived', undefined],
      ['exit()', 'derived', undefined],
      ['true', 'marked', 0],
    ]);
  });

  it('are not what is entered in a full-screen program, nor a secret', async () => {
    const shell = TypedTerminal.open(belongings, BASH);
    await shell.shows('$ ');
    await shell.type('vim -u NONE -N notes\r');
    await shell.until('vim', () => shell.alternate);
    await shell.type('ifirst\rsecond', 'second');
    await shell.type('\x1b:wq\r', '$ ');
    await shell.type('read -sp "Password: " x; echo\r', 'Password: ');
    await shell.typeSecret('hunter2', '$ ');
    await shell.type('less -X notes\r', '(END)');
    await shell.type('\r', '(END)');
    await shell.type('q', '$ ');
    await shell.type('echo end\r', '$ ');
    const commands = commandsOf(shell.events).map(([text]) => text);
    expect(commands).toEqual(['vim -u NONE -N notes', 'read -sp "Password: " x; echo', 'less -X notes', 'echo end']);
  });
});

describe('commands typed in tmux, which has the screen to itself', () => {
  it('are found by what stands at a prompt there', async () => {
    const shell = TypedTerminal.open(belongings, BASH);
    await shell.shows('$ ');
    await shell.type('TMUX_TMPDIR=. tmux -f /dev/null new-session \'PS1="# " exec bash --norc --noprofile -i\'\r');
    await shell.until('tmux', () => shell.alternate && shell.line.endsWith('# '));
    for (const key of 'echo inside') await shell.type(key, key);
    await shell.type('\r', '# ');
    await shell.type('echo at once\r', '# ');
    await shell.type('exit\r', '$ ');
    await shell.type('echo outside\r', '$ ');
    const found = commandsOf(shell.events).map(([text]) => text);
    expect(found.slice(1)).toEqual(['echo inside', 'echo at once', 'exit', 'echo outside']);
  });
});

describe('commands typed at dash', () => {
  it('are found by the echo of the terminal itself', async () => {
    const shell = TypedTerminal.open(belongings, ['dash']);
    await shell.shows('$ ');
    await shell.type('echo one\r', '$ ');
    await shell.type('echo twx\x7f\x7fwo\r', '$ ');
    await shell.type('if true\r', '> ');
    await shell.type('then echo yes; fi\r', '$ ');
    await shell.type('printf "name? "; read name\r', 'name? ');
    await shell.type('somebody\r', '$ ');
    await shell.type('PS1="# "\r', '# ');
    expect(commandsOf(shell.events).map(([text]) => text)).toEqual([
      'echo one',
      'echo two',
      'if true\nthen echo yes; fi',
      'printf "name? "; read name',
      'somebody',
      'PS1="# "',
    ]);
  });
});
