/** What a piece of a shell's text is, for its colour alone: nothing is decided by it, and the text stays what it is. */
export type ShellKind = 'program' | 'word' | 'option' | 'string' | 'variable' | 'operator' | 'comment' | 'space';

export interface ShellToken {
  readonly kind: ShellKind;
  readonly text: string;
}

const SPACE = /[ \t]+/y;
/** POSIX.1-2024, XCU 2.3 and 2.10.2: control and redirection operators, and what groups. A line feed ends a command too. */
const OPERATOR = /&&|\|\||;;&?|;&|\|&|<<-?|<<<|>>|<&|>&|<>|>\||&>>?|[;&|<>()\n]/y;
const VARIABLE = /\$(?:[A-Za-z_]\w*|\{[^}]*\}|[0-9@*#?$!-])/y;
const SINGLE = /'[^']*'?/y;
const COMMENT = /#[^\n]*/y;
const PLAIN = /[^\s'"\\$`;&|<>()]+/y;
const ASSIGNMENT = /^[A-Za-z_]\w*\+?=/;
/** Behind these comes a command, and not an argument. */
const BEFORE_COMMAND = /^(?:&&|\|\||;;&?|;&|\|&|[;&|(\n])$/;
/** They stand before a command that they run. */
const RUNNERS = new Set([
  'sudo',
  'doas',
  'env',
  'exec',
  'nohup',
  'time',
  'command',
  'builtin',
  'eval',
  'xargs',
  'nice',
  'then',
  'do',
  'else',
  '!',
  '{',
]);

/** The text in pieces, which joined give exactly the text again, whatever it is. */
export function shellTokens(text: string): ShellToken[] {
  const tokens: ShellToken[] = [];
  let at = 0;
  let expectsCommand = true;
  let wordBegins = true;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const put = (kind: ShellKind, piece: string): void => {
    tokens.push({ kind, text: piece });
    at += piece.length;
  };
  while (at < text.length) {
    const space = take(SPACE);
    if (space !== undefined) {
      put('space', space);
      wordBegins = true;
      continue;
    }
    const operator = take(OPERATOR);
    if (operator !== undefined) {
      put('operator', operator);
      if (BEFORE_COMMAND.test(operator)) expectsCommand = true;
      wordBegins = true;
      continue;
    }
    const comment = wordBegins ? take(COMMENT) : undefined;
    if (comment !== undefined) {
      put('comment', comment);
      continue;
    }
    const variable = take(VARIABLE);
    const string = take(SINGLE);
    if (variable !== undefined) put('variable', variable);
    else if (string !== undefined) put('string', string);
    else if (text[at] === '"') putDouble();
    else if (text[at] === '\\') put('string', text.slice(at, at + (isSurrogatePair(text, at + 1) ? 3 : 2)));
    else if (text[at] === '$' || text[at] === '`') {
      // `$(` and backquotes run what is in them.
      put('operator', text[at] === '$' && text[at + 1] === '(' ? '$(' : (text[at] as string));
      if (tokens.at(-1)?.text !== '$') {
        expectsCommand = true;
        wordBegins = true;
        continue;
      }
    } else putPlain();
    if (wordBegins && expectsCommand && !ASSIGNMENT.test(tokens.at(-1)?.text ?? '')) {
      const { kind, text: piece } = tokens.at(-1) as ShellToken;
      expectsCommand = RUNNERS.has(piece);
      if (kind === 'word' || kind === 'option') tokens[tokens.length - 1] = { kind: 'program', text: piece };
    }
    wordBegins = false;
  }
  return tokens;

  function putPlain(): void {
    // What no rule knows (a vertical tab, a byte that is not text) is a word of its own.
    const plain = take(PLAIN) ?? text.slice(at, at + 1);
    put(wordBegins && /^--?[A-Za-z0-9]/.test(plain) ? 'option' : 'word', plain);
  }

  /** In double quotes variables are read, and what `$(` runs stays part of the string's colour: it is seen by its sign. */
  function putDouble(): void {
    put('string', '"');
    while (at < text.length) {
      const variable = take(VARIABLE);
      if (variable !== undefined) put('variable', variable);
      else if (text[at] === '"') {
        put('string', '"');
        return;
      } else if (text.startsWith('$(', at) || text[at] === '`') put('operator', text[at] === '`' ? '`' : '$(');
      else {
        let end = at + (text[at] === '\\' ? 2 : 1);
        while (end < text.length && !/["$`\\]/.test(text[end] as string)) end += 1;
        put('string', text.slice(at, Math.min(end, text.length)));
      }
    }
  }
}

function isSurrogatePair(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff;
}
