/** A line of a policy's text, and whether it is of a policy that decided. */
export interface PolicyLine {
  readonly text: string;
  readonly deciding: boolean;
}

/**
 * The text of a policy set, with what decided marked: policies of Cedar by their `@id`, or, without one, by their place in
 * the file (`policy3`, docs/policy.md); of allow lists, the lines that have the rule's words in them.
 */
export function policyLines(source: 'allow-lists' | 'cedar', text: string, deciding: readonly string[]): PolicyLine[] {
  const lines = text.replace(/\n$/, '').split('\n');
  if (source === 'allow-lists') return lines.map((line) => ({ text: line, deciding: false }));
  const marked = new Set<number>();
  let number = 0;
  for (const { from, to, id } of statementsOf(text)) {
    if (deciding.includes(id ?? `policy${number}`)) for (let line = from; line <= to; line += 1) marked.add(line);
    number += 1;
  }
  return lines.map((line, index) => ({ text: line, deciding: marked.has(index) }));
}

interface Statement {
  /** Lines, from 0, both included. */
  from: number;
  to: number;
  id: string | undefined;
}

/** Where each policy of a Cedar text stands: up to its semicolon, outside of strings and comments. */
function* statementsOf(text: string): Generator<Statement> {
  let line = 0;
  let from: number | undefined;
  let words = '';
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '\n') line += 1;
    if (!inString && character === '/' && text[at + 1] === '/') {
      const end = text.indexOf('\n', at);
      at = end === -1 ? text.length : end - 1;
      continue;
    }
    if (inString && character === '\\') {
      words += character + (text[at + 1] ?? '');
      at += 1;
      continue;
    }
    if (character === '"') inString = !inString;
    if (from === undefined && character.trim() !== '') from = line;
    if (from !== undefined) words += character;
    if (character !== ';' || inString || from === undefined) continue;
    yield { from, to: line, id: /@id\s*\(\s*"((?:[^"\\]|\\.)*)"\s*\)/.exec(words)?.[1] };
    from = undefined;
    words = '';
  }
}
