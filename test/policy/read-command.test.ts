import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCommand } from '../../gateway/policy/facts/command/read-command.ts';
import { readShellLine } from '../../gateway/policy/facts/command/shell-line.ts';
import { run } from '../support/run.ts';
import { worked } from '../support/worked.ts';

describe('the programs of a line are seen', () => {
  const rows: [line: string, programs: string[]][] = [
    ['ls -la /tmp', ['ls']],
    ['l\\s', ['ls']],
    ['\\rm x', ['rm']],
    ['"r"m -rf /', ['rm']],
    ["'r'm", ['rm']],
    ['r\\\nm x', ['rm']],
    ['ls; rm x', ['ls', 'rm']],
    ['ls\nrm x', ['ls', 'rm']],
    ['ls && rm x', ['ls', 'rm']],
    ['ls || rm x', ['ls', 'rm']],
    ['ls | rm x', ['ls', 'rm']],
    ['ls & rm x', ['ls', 'rm']],
    ['ls |& rm', ['ls', 'rm']],
    ['ls#; rm', ['ls#', 'rm']],
    ['ls # ; rm', ['ls']],
    ['ls "# ; rm"', ['ls']],
    ['echo \'a;b\' "c|d" e\\;f', ['echo']],
    ['2>/dev/null rm x', ['rm']],
    ['<in rm x', ['rm']],
    ['ls >/dev/null 2>&1', ['ls']],
    ['ls > out', ['>', 'ls']],
    ['ls >> out', ['>', 'ls']],
    ['ls >| out', ['>', 'ls']],
    ['ls &> out', ['>', 'ls']],
    ['ls &>/dev/null 2>&1', ['ls']],
    ['ls &> out; rm x', ['>', 'ls', 'rm']],
    ['ls &>> out && rm x', ['>', 'ls', 'rm']],
    ['ls <> out', ['>', 'ls']],
    ['> out', ['>']],
    ['LC_ALL=C rm x', ['rm']],
    ['LC_ALL="C" TZ=\'UTC\' LANG=C\\.UTF-8 rm x', ['rm']],
    ['env "LC_ALL=C" rm x', ['env', 'rm']],
    ['/bin/rm x', ['rm']],
    ['/tmp/ls', ['/tmp/ls', 'ls']],
    ['sudo -u root rm x', ['sudo', 'rm']],
    ['sudo sudo rm', ['sudo', 'rm']],
    ['env -i LANG=C rm x', ['env', 'rm']],
    ['/usr/bin/env rm', ['env', 'rm']],
    ['command rm', ['command', 'rm']],
    ['busybox rm', ['busybox', 'rm']],
    ['nice -n 5 rm', ['nice', 'rm']],
    ['nice -5 rm', ['nice', 'rm']],
    ['timeout -k 5 10 rm', ['timeout', 'rm']],
    ['nohup rm &', ['nohup', 'rm']],
    ['! rm x', ['!', 'rm']],
    ['exec rm x', ['exec', 'rm']],
    ['stdbuf -oL rm', ['stdbuf', 'rm']],
    ['[ -f x ] && rm x', ['[', 'rm']],
    ['cat /var/log/*.log', ['cat']],
    ['find . -name x', ['find']],
    ['git status', ['git']],
    ['systemctl restart web', ['systemctl']],
    ["test -n x && printf '%s[%d]\\n' a 1", ['test', 'printf']],
    ['wait; install -s -m 755 a b', ['wait', 'install']],
    ["grep '[$]' x", ['grep']],
    ['/opt/web/service.sh', ['/opt/web/service.sh', 'service.sh']],
    // Another letter that looks like it is another program.
    ['l\u0455', ['l\u0455']],
  ];

  test.each(rows)('%s', (line, programs) => {
    expect(readCommand(line)).toMatchObject({ programs, opaque: false });
  });

  test('one of them alone is `program`', () => {
    expect(readCommand('ls -la').program).toBe('ls');
    for (const line of ['ls; rm', 'sudo rm', 'ls > x', '/tmp/ls', 'sh -c ls', '']) expect(readCommand(line).program).toBe('');
  });
});

describe('what cannot be seen through is opaque, and no line passes for its harmless part', () => {
  const rows: [attack: string, line: string][] = [
    ['a variable in the place of a space', 'ls$IFS-la'],
    ['a variable as a program', '$SHELL x'],
    ['a variable as an argument', 'git push $LC_ALL'],
    ['a variable in double quotes', 'ls "$LC_ALL"'],
    ['a command substitution', '$(echo rm) x'],
    ['one in double quotes', 'ls "$(rm x)"'],
    ['one in backticks', 'ls `rm x`'],
    ['backticks in double quotes', 'ls "`rm x`"'],
    ['ANSI-C quotes', "$'\\162m' x"],
    ['arithmetic', 'ls $((1))'],
    ['a process substitution', 'cat <(rm x)'],
    ['the other one', 'tee >(rm x)'],
    ['a here-document', 'cat <<E\nrm\nE'],
    ['a here-string', 'cat <<< x'],
    ['a subshell', '(rm x)'],
    ['a group', '{ rm x; }'],
    ['a function', 'ls() { rm x; }; ls'],
    ['a condition', 'if true; then rm x; fi'],
    ['a loop', 'for i in a; do rm x; done'],
    ['a case', 'case a in a) rm x;; esac'],
    ['brace expansion', '{rm,x}'],
    ['brace expansion within a word', 'r{m,}'],
    ['a pattern as a program', '/bin/r? x'],
    ['a pattern that may be an option', 'tar cf x *'],
    ['a home directory as a program', '~/bin/ls'],
    ['a program of this directory', './ls'],
    ['a program found by going back', '/usr/bin/../../tmp/ls'],
    ['a quote that is not closed', 'ls "x'],
    ['nor this one', "ls 'x"],
    ['a backslash at the end', 'ls \\'],
    ['NUL', 'ls\0rm'],
    ['a carriage return', 'ls\rrm'],
    ['an escape sequence', 'ls \u001b[2K'],
    ['letters that turn round', 'ls \u202etxt'],
    ['a space without width', '\u200bls'],
    ['a space that does not break', 'ls\u00a0x'],
    ['bytes that are no text', 'ls \ufffd'],
    ['a path of programs', 'PATH=/tmp ls'],
    ['a library', 'LD_PRELOAD=/tmp/x.so ls'],
    ['a variable that is set and nothing else', 'PATH=/tmp; ls'],
    ['a variable in env', 'env LD_PRELOAD=/tmp/x.so ls'],
    ['a command line in env', 'env -S "rm x"'],
    ['an empty environment written short', 'env - rm x'],
    ['a shell in sudo', 'sudo -s rm'],
    ['variables before the options of sudo', 'sudo LANG=x -u root rm x'],
    ['options that are not known', 'nice --frobnicate rm'],
    ['sh', 'sh -c "rm x"'],
    ['bash by its path', '/bin/bash -c "rm x"'],
    ['a shell behind a pipe', 'echo rm x | sh'],
    ['a shell behind busybox', 'busybox sh'],
    ['eval', 'eval rm x'],
    ['a script', '. ./x'],
    ['source', 'source x'],
    ['alias', 'alias ls=rm; ls'],
    ['trap', 'trap "rm x" EXIT'],
    ['python', 'python -c "import os"'],
    ['python with a version', 'python3.12 x.py'],
    ['perl', 'perl -e "unlink"'],
    ['awk', 'awk \'BEGIN { system("rm x") }\''],
    ['sed', "sed '1e rm x' y"],
    ['ssh', 'ssh other rm x'],
    ['scp with a shell behind it', 'scp x; bash'],
    ['xargs', 'ls | xargs rm'],
    ['find -exec', 'find . -exec rm {} \\;'],
    ['find -ok', 'find . -ok rm {} \\;'],
    ['tar that runs', 'tar xf x --to-command=rm'],
    ['tar that runs, abbreviated', 'tar xf x --to-c=rm'],
    ['tar with a compressor', 'tar -I rm -cf x y'],
    ['sort with a compressor', 'sort --compress-program=rm x'],
    ['git with a configuration', 'git -c core.pager=rm log'],
    ['an alias of git', 'git frobnicate'],
    ['git with a program at the other end', 'git clone --upload-pack=rm x'],
    ['vim', 'vim x'],
    ['docker', 'docker run x'],
    ['an editor in systemctl', 'systemctl edit web'],
    ['another host in systemctl', 'systemctl -qH other stop web'],
    ['a word of fish', 'not rm x'],
    ['a word of zsh', 'repeat 3 rm x'],
    ['a program by its place, in zsh', '=rm x'],
    ['an index that test looks up', "test -v 'a[$(rm x)]'"],
    ['an index that [ looks up', "[ -v 'a[$(rm x)]' ]"],
    ['a reference that test looks up', "test ! -R 'a[$(rm x)]'"],
    ['an index that test looks up, in backticks', "test -v 'a[`rm x`]'"],
    ['an index that test calculates, in ksh and zsh', "test 'a[$(rm x)]' -eq 0"],
    ['an index that [ calculates, in ksh and zsh', '[ 0 -eq "a[\\`rm x\\`]" ]'],
    ['an index that a builtin calculates behind command', "command test 'a[$(rm x)]' -eq 0"],
    ['an index that test finds in a variable', "LANG='a[$(rm x)]'; test LANG -eq 0"],
    ['an index that exit calculates', "exit 'a[$(rm x)]'"],
    ['an index that shift calculates', "shift 'a[$(rm x)]'"],
    ['an index that printf sets', "printf -v 'a[$(rm x)]' x"],
    ['an index that printf sets, in one word', "printf '-va[$(rm x)]' x"],
    ['an index that printf calculates', "printf %d 'a[$(rm x)]'"],
    ['a path of programs from printf', 'printf -v PATH /tmp/evil:/bin; ls'],
    ['an index that wait sets', "wait -n -p 'a[$(rm x)]'"],
    ['an index that wait sets, with letters together', "wait -np 'a[$(rm x)]'"],
    ['an index that print sets', "print -v 'a[$(rm x)]' x"],
    ['a command line in compgen', "compgen -C 'rm x;#' x"],
    ['a command line in emulate', "emulate sh -c 'rm x'"],
    ...['integer', 'float', 'nameref', 'vared', 'read', 'read -a', 'let', 'declare', 'typeset', 'local', 'export', 'readonly'].map(
      (builtin): [string, string] => [`an index in ${builtin}`, `${builtin} 'a[$(rm x)]'`],
    ),
    ...['unset', 'mapfile', 'readarray', 'getopts ab', '[[ 0 -eq'].map((builtin): [string, string] => [
      `an index in ${builtin}`,
      `${builtin} 'a[$(rm x)]'`,
    ]),
    ['another processor', 'setarch x86_64 rm x'],
    ...['linux32', 'linux64', 'i386', 'x86_64', 'systemd-inhibit', 'choom -n 1 --', 'run0', 'chpst -u web', 'busybox.static'].map(
      (launcher): [string, string] => [`a program behind ${launcher}`, `${launcher} rm x`],
    ),
    ['a command line in sg', "sg web 'rm x'"],
    ['a command line in capsh', "capsh -- -c 'rm x'"],
    ...['vim.tiny', 'vim.gtk3', 'vimdiff', 'gvim', 'rvim', 'rview', 'view', 'ex'].map((editor): [string, string] => [
      `the editor ${editor}`,
      `${editor} -c '!rm x'`,
    ]),
    ['a calculator with a shell', "dc -e '!rm x'"],
    ['a program of install', 'install -s --strip-program=/tmp/evil a b'],
    ['a program of install, abbreviated', 'install -s --strip-p=/tmp/evil a b'],
    ['SFTP that passes by the rules about files', '/usr/lib/openssh/sftp-server'],
    ['SFTP by its name within sshd', 'internal-sftp'],
    ['another command behind &>, in dash', 'ls &>/dev/null rm x'],
    ['another command behind &>>, in dash', 'ls &>>/dev/null rm x'],
    ['another command behind &> and one more redirection, in dash', 'ls &>/dev/null 2>&1 rm x'],
    ['a program that looks like a variable', "'LANG=/evil' ls"],
    ['a program that looks like a variable, with = quoted', "LANG'=/evil' ls"],
    ['a program that looks like a variable, with = escaped', 'LANG\\=/evil ls'],
    ['a program that looks like a variable, with a letter quoted', 'LA"N"G=/evil ls'],
    ['a program that looks like a variable, with nothing quoted', "LANG''=/evil ls"],
    ['a variable in env with a name that shells do not take', "env 'a b=c' ls"],
    ['a variable in sudo with a name that shells do not take', 'sudo a-b=c ls'],
    ['a variable in env that is a pattern', 'env LANG=/tmp/d/* ls'],
    ['a variable or a program behind !', '! LANG=C ls'],
    ['a variable or a program behind time', 'time LANG=/evil ls'],
    ['a pattern as the value of an option', 'env -u /tmp/d/* ls'],
    ['a pattern as the value of an option, in the same word', 'sudo --user=/tmp/d/* ls'],
    ['a pattern as an operand', 'timeout /tmp/d/* ls'],
    ['a home directory as the value of an option', 'sudo -u ~ ls'],
    ['a redirection without a file', 'ls >'],
    ['nothing', ''],
    ['only spaces', ' \t'],
    ['only a comment', '# ls'],
    ['too long a line', `ls ${'x'.repeat(70_000)}`],
    ['too many words', 'a '.repeat(2000)],
  ];

  test.each(rows)('%s', (_attack, line) => {
    const { opaque, program, programs, because } = readCommand(line);
    expect(opaque).toBe(true);
    expect(because).toMatch(/./);
    expect(program).toBe('');
    // A list of permitted programs never holds all of these.
    expect(programs).toContain('<opaque>');
  });

  test('and what is known of it is named all the same', () => {
    expect(readCommand('FOO=bar rm x').programs).toContain('rm');
    expect(readCommand("env 'a b=c' rm x").programs).toContain('rm');
    expect(readCommand('! LANG=C rm x').programs).toContain('rm');
    expect(readCommand("'LANG=C' rm x").programs).toContain('rm');
    expect(readCommand('ls | xargs -0 rm').programs).toContain('rm');
    expect(readCommand('if true; then rm x; fi').programs).toContain('rm');
    expect(readCommand('not rm x').programs).toContain('rm');
    expect(readCommand('sudo bash').programs).toEqual(expect.arrayContaining(['sudo', 'bash']));
  });
});

describe('whatever the line is', () => {
  const pieces = fc.constantFrom(
    ...' \t\n;&|<>()#\\\'"`$*?[]{}~=!^-/.,:012abrmls'.split(''),
    'rm',
    'ls',
    'sudo',
    'env',
    '&&',
    '<<',
    '$(',
    '\0',
    'é',
    '😀',
  );
  const line = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(''));

  test('reading it ends, and gives the same every time', () => {
    fc.assert(
      fc.property(fc.oneof(line, fc.string({ unit: 'binary' })), (text) => {
        const read = readCommand(text);
        expect(readCommand(text)).toEqual(read);
        expect(read.programs.includes('<opaque>')).toBe(read.opaque);
        expect(read.opaque || read.programs.length > 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('takes time in proportion to its length', () => {
    const half = 32_000;
    const shapes = ['*', '~', '"', "'", '\\', '{}', '(', 'a ', ';', '<', '$', '`', '1', 'a[', '#', '\n', '=', 'sudo ', 'A=b ', '/', '-I'];
    for (const shape of shapes) {
      const began = worked();
      readCommand(shape.repeat(Math.floor((2 * half) / shape.length)));
      // Quadratic time would be tens of seconds; the bound leaves room for a machine that is busy.
      expect(worked() - began).toBeLessThan(4000);
    }
  });

  test('a shell reads the same words, where we say that we know them', { timeout: 240_000 }, async () => {
    const safe = fc.array(
      fc.constantFrom(...' \t;|<>#\\\'"$*?[{}~=!^-/.,:01ab'.split(''), '\\\n', '\n', "''", '""', '{}', ' # ', '"a b"'),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    const lines = fc
      .sample(safe, { numRuns: 4000, seed: 7 })
      .map((parts) => `say ${parts.join('')}`)
      .flatMap((text) => {
        const { commands, opaque } = readShellLine(text);
        const [only, ...more] = commands;
        if (opaque !== undefined || only === undefined || more.length > 0 || only.files.length > 0) return [];
        return only.words.some(({ expands }) => expands) ? [] : [{ text, words: only.words.map((word) => word.text) }];
      })
      .slice(0, 400);
    for (const shell of ['dash', 'bash']) {
      // A line that the shell refuses says nothing; it runs nothing either.
      const each = lines.map(({ text }) => `( eval '${text.replaceAll("'", "'\\''")}' ) 2>/dev/null\nprintf '\\001'\n`);
      const { stdout } = await run(shell, ['-c', `say() { printf '%s\\0' say "$@"; printf 'over'; }\n${each.join('')}`]);
      const said = stdout.toString().split('\u0001');
      let compared = 0;
      for (const [index, { text, words }] of lines.entries()) {
        const heard = said[index] ?? '';
        if (heard === '') continue;
        compared += 1;
        expect([text, heard]).toEqual([text, `${words.map((word) => `${word}\0`).join('')}over`]);
      }
      expect(compared).toBeGreaterThan(300);
    }
  });
});
