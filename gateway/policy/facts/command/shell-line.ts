/**
 * A command line as a POSIX shell reads it, as far as it can be read without running it. Pure, in linear time. What
 * cannot be seen through makes the whole line opaque: it is better to say so once too often.
 */

/** Beyond these a line is not read on: no program needs them, and reading has to stay cheap. */
export const MAX_LINE = 64 * 1024;
const MAX_WORDS = 1024;

/** One word after quotes and escapes are taken away. */
export interface ShellWord {
  readonly text: string;
  /**
   * How many characters of the text stand before the first that was quoted or escaped, or all of them: an assignment
   * has its `=` among these.
   */
  readonly bare: number;
  /** Whether the shell makes something else of it that is not known here: file names, a home directory. */
  readonly expands: boolean;
}

/** What stands between two separators. */
export interface SimpleCommand {
  readonly words: readonly ShellWord[];
  /** Files that the shell itself opens, for reading or writing, before the program begins. */
  readonly files: readonly string[];
  /** Whether the shell itself writes a file. */
  readonly writes: boolean;
}

export interface ShellLine {
  readonly commands: readonly SimpleCommand[];
  /** Why not everything could be seen through, in words; undefined when it could. */
  readonly opaque: string | undefined;
}

export function readShellLine(line: string): ShellLine {
  return line.length > MAX_LINE ? { commands: [], opaque: `the line has more than ${MAX_LINE} characters` } : new ShellReader(line).read();
}

type Redirection = 'read' | 'write' | 'descriptor';

class ShellReader {
  readonly #line: string;
  #at = 0;
  #opaque: string | undefined;
  readonly #commands: SimpleCommand[] = [];
  #words: ShellWord[] = [];
  #files: string[] = [];
  #writes = false;
  #count = 0;
  #redirection: Redirection | undefined;
  /** Whether a `&>` stands before, in the same command. */
  #both = false;

  constructor(line: string) {
    this.#line = line;
  }

  read(): ShellLine {
    const strange = strangeCharacter.exec(this.#line);
    if (strange !== null) this.#doubt(`there is a character that is not seen (U+${hex(strange[0])})`);
    while (this.#at < this.#line.length && this.#count <= MAX_WORDS) this.#next();
    if (this.#count > MAX_WORDS) this.#doubt(`the line has more than ${MAX_WORDS} words`);
    this.#endCommand();
    return { commands: this.#commands, opaque: this.#opaque };
  }

  #next(): void {
    const character = this.#line[this.#at] as string;
    if (character === ' ' || character === '\t') {
      this.#at += 1;
    } else if (character === '\n' || character === ';' || character === '&' || character === '|') {
      this.#separator(character);
    } else if (character === '<' || character === '>') {
      this.#redirect();
    } else if (character === '(' || character === ')') {
      this.#doubt('there are parentheses');
      this.#at += 1;
      this.#endCommand();
    } else if (character === '#') {
      const end = this.#line.indexOf('\n', this.#at);
      this.#at = end === -1 ? this.#line.length : end;
    } else if (this.#continues()) {
      this.#at += 2;
    } else {
      this.#word();
    }
  }

  /** A backslash before the end of a line: both vanish, also in the middle of a word. */
  #continues(): boolean {
    return this.#line[this.#at] === '\\' && this.#line[this.#at + 1] === '\n';
  }

  #separator(character: string): void {
    const next = this.#line[this.#at + 1];
    if (character === '&' && next === '>') {
      // Both outputs into a file, in bash; two commands elsewhere, which run the same as long as no word follows the file.
      this.#at += 1;
      this.#both = true;
      return;
    }
    if (character === ';' && (next === ';' || next === '&')) this.#doubt('there is a case list');
    this.#at += 1;
    this.#endCommand();
  }

  #redirect(): void {
    const operator = (/^(?:<<<|<<|<>|<&|<\(|<|>>|>&|>\||>\(|>)/.exec(this.#line.slice(this.#at, this.#at + 3)) ?? ['<'])[0];
    this.#at += operator.length;
    if (operator === '<<' || operator === '<<<') this.#doubt('there is a here-document');
    if (operator.endsWith('(')) this.#doubt('there is a process substitution');
    if (this.#redirection !== undefined) this.#doubt('a redirection has no file');
    if (operator.endsWith('&')) this.#redirection = operator === '>&' ? 'descriptor' : 'read';
    else this.#redirection = operator === '<' || operator === '<<' || operator === '<<<' ? 'read' : 'write';
  }

  #word(): void {
    let text = '';
    let bare = 0;
    let quoted = false;
    let expands = false;
    let path = false;
    const begin = this.#at;
    while (this.#at < this.#line.length) {
      const character = this.#line[this.#at] as string;
      if (endsWord.has(character)) break;
      if (!quoted) bare = text.length;
      if (this.#continues()) {
        this.#at += 2;
      } else if (character === '\\') {
        if (this.#at + 1 >= this.#line.length) this.#doubt('a backslash stands at the end');
        text += this.#line[this.#at + 1] ?? '';
        quoted = true;
        this.#at += 2;
      } else if (character === "'") {
        const piece = this.#single();
        path ||= piece.includes('/');
        text += piece;
        quoted = true;
      } else if (character === '"') {
        const piece = this.#double();
        path ||= piece.includes('/');
        text += piece;
        quoted = true;
      } else {
        if (character === '`') this.#doubt('there is a command substitution');
        else if (character === '$')
          this.#doubt(this.#line[this.#at + 1] === '(' ? 'there is a command substitution' : 'there is a variable');
        else if (character === '{' || character === '}') this.#brace();
        else if (isPattern(character) && !this.#isTest(text)) {
          expands = true;
          // A file may have the name of an option; behind a path it can't become one.
          if (!path) this.#doubt('a pattern may stand for any word');
        } else if (character === '~' && (this.#at === begin || '=:'.includes(this.#line[this.#at - 1] ?? ' '))) expands = true;
        else if (character === '/') path = true;
        // Where a program is, in zsh.
        else if (character === '=' && this.#at === begin) this.#doubt('a word begins with =');
        text += character;
        this.#at += 1;
      }
    }
    if (!quoted) bare = text.length;
    // The digits of `2>file` name a descriptor.
    const next = this.#line[this.#at];
    if (!quoted && (next === '<' || next === '>') && this.#redirection === undefined && /^\d{1,9}$/.test(text)) return;
    this.#endWord({ text, bare, expands });
  }

  /** `[` alone is the program of that name. */
  #isTest(before: string): boolean {
    return before === '' && this.#line[this.#at] === '[' && (this.#line[this.#at + 1] ?? ' ') === ' ';
  }

  #single(): string {
    const end = this.#line.indexOf("'", this.#at + 1);
    const text = this.#line.slice(this.#at + 1, end === -1 ? undefined : end);
    if (end === -1) this.#doubt('a quote is not closed');
    this.#at = end === -1 ? this.#line.length : end + 1;
    return text;
  }

  #double(): string {
    let text = '';
    this.#at += 1;
    for (;;) {
      const character = this.#line[this.#at];
      if (character === undefined) {
        this.#doubt('a quote is not closed');
        return text;
      }
      this.#at += 1;
      if (character === '"') return text;
      const next = this.#line[this.#at];
      if (character === '\\' && next !== undefined && '$`"\\\n'.includes(next)) {
        if (next !== '\n') text += next;
        this.#at += 1;
        continue;
      }
      if (character === '`' || (character === '$' && next === '(')) this.#doubt('there is a command substitution');
      else if (character === '$') this.#doubt('there is a variable');
      text += character;
    }
  }

  /** `{}` alone stays as it is; anything else in braces may become several words, or is a group of commands. */
  #brace(): void {
    const opens = this.#line[this.#at] === '{' ? this.#at : this.#at - 1;
    const before = this.#line[opens - 1] ?? ' ';
    const after = this.#line[opens + 2] ?? ' ';
    if (this.#line.slice(Math.max(0, opens), opens + 2) !== '{}' || before !== ' ' || !(after === ' ' || after === ';'))
      this.#doubt('there are braces');
  }

  #endWord(word: ShellWord): void {
    this.#count += 1;
    const redirection = this.#redirection;
    if (redirection === undefined) {
      if (this.#both) this.#doubt('a word that follows &> may be a program');
      this.#words.push(word);
      return;
    }
    this.#redirection = undefined;
    if (redirection === 'descriptor' && /^(?:\d{1,3}-?|-)$/.test(word.text)) return;
    this.#files.push(word.text);
    if (word.expands) this.#doubt('the name of a file is not known');
    if (redirection !== 'read' && word.text !== '/dev/null') this.#writes = true;
  }

  #endCommand(): void {
    if (this.#redirection !== undefined) {
      this.#redirection = undefined;
      this.#doubt('a redirection has no file');
    }
    if (this.#words.length > 0 || this.#files.length > 0)
      this.#commands.push({ words: this.#words, files: this.#files, writes: this.#writes });
    this.#words = [];
    this.#files = [];
    this.#writes = false;
    this.#both = false;
  }

  #doubt(why: string): void {
    this.#opaque ??= why;
  }
}

function isPattern(character: string): boolean {
  return character === '*' || character === '?' || character === '[';
}

const endsWord = new Set([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')']);

/** Control characters but tab and newline, white space that shells do not agree on, and what is not shown or turns text round. */
const strangeCharacter = /(?![\t\n ])[\p{Cc}\p{Cf}\p{Z}\p{Cs}\ufffd]/u;

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
