import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shellTokens } from '../../../renderer/app/approvals/shell-words.ts';

const read = (text: string) => shellTokens(text).flatMap(({ kind, text: piece }) => (kind === 'space' ? [] : [`${kind} ${piece}`]));

describe('the text of a command in colours', () => {
  test('programs, options, words and operators', () => {
    expect(read('rm -rf /srv/cache && echo done | tee --append log')).toEqual([
      'program rm',
      'option -rf',
      'word /srv/cache',
      'operator &&',
      'program echo',
      'word done',
      'operator |',
      'program tee',
      'option --append',
      'word log',
    ]);
  });

  test('strings, variables and escapes', () => {
    expect(read(`echo 'a; b' "c $HOME d" \${x:-y} e\\ f`)).toEqual([
      'program echo',
      `string 'a; b'`,
      'string "',
      'string c ',
      'variable $HOME',
      'string  d',
      'string "',
      `variable \${x:-y}`,
      'word e',
      'string \\ ',
      'word f',
    ]);
  });

  test('what runs behind sudo, env and an assignment is the program', () => {
    expect(read('A=1 sudo env B=2 systemctl stop x')).toEqual([
      'word A=1',
      'program sudo',
      'program env',
      'word B=2',
      'program systemctl',
      'word stop',
      'word x',
    ]);
  });

  test('a command within a command is seen, also in double quotes', () => {
    expect(read('echo $(id) "$(whoami)" `ls`')).toEqual([
      'program echo',
      'operator $(',
      'program id',
      'operator )',
      'string "',
      'operator $(',
      'string whoami)',
      'string "',
      'operator `',
      'program ls',
      'operator `',
    ]);
  });

  test('a comment begins a word, and ends with its line', () => {
    expect(read('ls a#b # c; rm\nid')).toEqual(['program ls', 'word a#b', 'comment # c; rm', 'operator \n', 'program id']);
  });

  test('what is not closed goes on to the end', () => {
    expect(read(`echo 'a && b`)).toEqual(['program echo', `string 'a && b`]);
    expect(read('echo "a && b')).toEqual(['program echo', 'string "', 'string a && b']);
  });

  test('the pieces joined are the text, whatever it is', () => {
    const shellish = fc
      .array(fc.constantFrom(...'abr -"\'`$(){}|&;<>\\#\n\t=~\u202e\u{1f600}é\x0b'), { maxLength: 40 })
      .map((all) => all.join(''));
    for (const text of [shellish, fc.string({ unit: fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)) })])
      fc.assert(
        fc.property(text, (each) => {
          const pieces = shellTokens(each).map(({ text: piece }) => piece);
          return pieces.join('') === each && !pieces.includes('');
        }),
        { numRuns: 500 },
      );
  });

  test('the longest text that can be asked about takes no time', () => {
    const start = performance.now();
    for (const text of ['$'.repeat(24_576), '"'.repeat(24_576), '${'.repeat(12_288), "'".repeat(24_575), '\\'.repeat(24_576)])
      shellTokens(text);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
