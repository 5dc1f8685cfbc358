import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { ConfigFault, ConfigPath, Finding } from './fault.ts';
import { MAX_REPORTED_FAULTS, quoted } from './fault.ts';
import { partOf } from './values.ts';

/** YAML, turned into plain values that remember where in the file they stood. */
export interface ConfigDocument {
  /** Objects without a prototype, arrays, text, numbers, booleans and null. Undefined when the file has syntax faults. */
  readonly root: unknown;
  readonly faults: readonly ConfigFault[];
  /** Gives a finding its line and column. What is missing is located at the nearest thing that is there. */
  locate(finding: Finding): ConfigFault;
}

/** Ten times what a file of the largest size needs, and little enough to be parsed in seconds. */
const MAX_TOKENS = 400_000;
const MAX_DEPTH = 32;
/** Aliases may repeat parts of the file, but not multiply them without end ("billion laughs"). */
const MAX_VALUES = 400_000;

interface Span {
  readonly key: number;
  readonly value: number;
}
type Spans = WeakMap<object, Map<string | number, Span>>;

interface SyntaxFault {
  readonly offset: number;
  readonly problem: string;
  readonly mend: string;
}

export function parseConfigDocument(file: string, bytes: Uint8Array): ConfigDocument {
  const lines = new LineCounter();
  const spans: Spans = new WeakMap();
  const parsed = readText(bytes, lines, spans);
  const locateOffset = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(Math.max(0, offset));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const faults = parsed.faults
    .slice(0, MAX_REPORTED_FAULTS)
    .map(({ offset, problem, mend }) => ({ file, ...locateOffset(offset), problem, mend }));
  return {
    root: parsed.root,
    faults,
    locate: ({ path, at, problem, mend }) => ({ file, ...locateOffset(offsetOf(parsed.root, path, at, spans)), problem, mend }),
  };
}

function readText(bytes: Uint8Array, lines: LineCounter, spans: Spans): { root: unknown; faults: readonly SyntaxFault[] } {
  lines.addNewLine(0);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refused('the file is not UTF-8', 'Save it as UTF-8 text.');
  }
  for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', newline + 1)) lines.addNewLine(newline + 1);
  const control = text.search(/(?![\t\r\n])\p{Cc}/u);
  if (control !== -1)
    return refused(
      'there is a control character, so this is not a text file',
      'Check that this is the configuration, and remove the character.',
      control,
    );
  // Every escape that is wrong is an error object of its own, although its text is one token.
  let tokens = text.length - text.replaceAll('\\', '').length;
  for (const _ of new Lexer().lex(text)) {
    if (++tokens > MAX_TOKENS) return refused('the file is too large to be a configuration', `Keep it below ${MAX_TOKENS} pieces of YAML.`);
  }
  let document: Document.Parsed;
  try {
    // The library's own check for duplicate keys takes quadratic time; PlainValues has one that does not. A quieter log
    // level would pass over a second document in silence.
    document = parseDocument(text, { version: '1.2', strict: true, uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    if (error instanceof RangeError) return refused('the file is nested too deeply', `At most ${MAX_DEPTH} levels are read.`);
    throw error;
  }
  const syntax = [...document.errors, ...document.warnings].slice(0, MAX_REPORTED_FAULTS).map(syntaxFault);
  // What follows a syntax error is guesswork, and faults of a guess would mislead.
  if (syntax.length > 0) return { root: undefined, faults: syntax.toSorted((a, b) => a.offset - b.offset) };
  if (document.contents === null) return refused('the file is empty', 'Start with the `gateway:` section.');
  const plain = new PlainValues(spans);
  const root = plain.read(document.contents, 0);
  return { root: plain.gaveUp ? undefined : root, faults: plain.faults };
}

function refused(problem: string, mend: string, offset = 0): { root: undefined; faults: readonly SyntaxFault[] } {
  return { root: undefined, faults: [{ offset, problem, mend }] };
}

/** Says it in our words: the library's messages quote the text, and that may be a secret. */
function syntaxFault(error: YAMLError): SyntaxFault {
  const [problem, mend] = syntaxWords[error.code] ?? [
    'this is not YAML',
    'Check the indentation, the brackets and the quotes around here.',
  ];
  return { offset: error.pos[0], problem, mend };
}

const unanchored = [
  'an alias (`*name`) has no anchor of its name',
  'Define the anchor (`&name`) above, or put the text in quotes.',
] as const;

const syntaxWords: Partial<Record<YAMLError['code'], readonly [string, string]>> = {
  TAB_AS_INDENT: ['a tab is used for indentation', 'Use spaces.'],
  BAD_INDENT: ['the indentation does not fit', 'Indent the entries of one list or section alike, with spaces.'],
  MISSING_CHAR: ['a closing quote, a bracket, a colon or a space is missing', 'Add it.'],
  UNEXPECTED_TOKEN: [
    'something stands here that does not belong',
    'Check the brackets and quotes around here, and put text with special characters in quotes.',
  ],
  BAD_SCALAR_START: ['a text starts with a character that has a meaning in YAML', 'Put the text in quotes.'],
  BAD_DQ_ESCAPE: ['the backslash in this text makes no known escape', 'Write two backslashes, or use single quotes.'],
  BAD_ALIAS: unanchored,
  MULTIPLE_DOCS: ['the file has more than one YAML document', 'Keep one, and remove the `---` between them.'],
  MULTILINE_IMPLICIT_KEY: ['a key goes over several lines', 'Check that every key ends with a colon and a space.'],
  BLOCK_AS_IMPLICIT_KEY: ['a second `key:` stands on the same line', 'Start a new line, or put the text in quotes.'],
  BLOCK_IN_FLOW: ['an indented block stands inside brackets', 'Use brackets inside brackets.'],
  KEY_OVER_1024_CHARS: ['a key has more than 1024 characters', 'Check that a colon and a space are where they should be.'],
  TAG_RESOLVE_FAILED: ['a tag (`!name`) is used', 'Remove it, or put the text in quotes.'],
  RESOURCE_EXHAUSTION: ['the file is nested too deeply', `At most ${MAX_DEPTH} levels are read.`],
  BAD_DIRECTIVE: ['a YAML directive (`%`) is used', 'Remove it.'],
};

/** Plain values of the tree, with duplicate keys found and every dimension bounded. */
class PlainValues {
  readonly faults: SyntaxFault[] = [];
  gaveUp = false;
  readonly #spans: Spans;
  readonly #anchors = new Map<string, unknown>();
  /** Collections that are being read, each inside the one before. */
  readonly #open = new Set<unknown>();
  #values = 0;

  constructor(spans: Spans) {
    this.#spans = spans;
  }

  read(node: unknown, depth: number): unknown {
    if (this.gaveUp) return undefined;
    const offset = offsetOfNode(node);
    if (++this.#values > MAX_VALUES)
      return this.#giveUp(offset, 'aliases multiply the file without end', 'Write out what the aliases stand for.');
    if (depth > MAX_DEPTH) return this.#giveUp(offset, 'the file is nested too deeply', `At most ${MAX_DEPTH} levels are read.`);
    if (isAlias(node)) return this.#alias(node, depth);
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isMap(node) || isSeq(node)) {
      this.#open.add(node);
      const plain = isMap(node) ? this.#map(node, depth) : this.#list(node, depth);
      this.#open.delete(node);
      return plain;
    }
    if (isScalar(node)) return node.value;
    return null;
  }

  #alias(node: Alias, depth: number): unknown {
    const anchored = this.#anchors.get(node.source);
    if (anchored === undefined) return this.#giveUp(offsetOfNode(node), ...unanchored);
    if (this.#open.has(anchored)) {
      return this.#giveUp(offsetOfNode(node), 'an alias stands inside its own anchor', 'Write out what it stands for.');
    }
    return this.read(anchored, depth + 1);
  }

  #map(node: YAMLMap, depth: number): Record<string, unknown> {
    // Without a prototype, so that a key named `__proto__` is a key like any other.
    const plain: Record<string, unknown> = { __proto__: null };
    const spans = new Map<string | number, Span>();
    this.#spans.set(plain, spans);
    for (const { key, value } of node.items) {
      if (this.gaveUp) break;
      const keyOffset = offsetOfNode(key);
      if (!isScalar(key) || typeof key.value !== 'string') {
        this.#fault(keyOffset, 'this key is not text', 'Put it in quotes, if it is meant to be a key.');
        continue;
      }
      if (key.anchor !== undefined) this.#anchors.set(key.anchor, key);
      const name = key.value;
      const earlier = spans.get(name);
      if (earlier !== undefined) {
        this.#fault(keyOffset, `the key ${quoted(name)} is there a second time`, 'Keep one of them.');
        continue;
      }
      spans.set(name, { key: keyOffset, value: value === null ? keyOffset : offsetOfNode(value) });
      plain[name] = this.read(value, depth + 1);
    }
    return plain;
  }

  #list(node: YAMLSeq, depth: number): unknown[] {
    const plain: unknown[] = [];
    const spans = new Map<string | number, Span>();
    this.#spans.set(plain, spans);
    for (const [index, item] of node.items.entries()) {
      if (this.gaveUp) break;
      const offset = offsetOfNode(item);
      spans.set(index, { key: offset, value: offset });
      plain.push(this.read(item, depth + 1));
    }
    return plain;
  }

  #fault(offset: number, problem: string, mend: string): void {
    if (this.faults.length < MAX_REPORTED_FAULTS) this.faults.push({ offset, problem, mend });
  }

  #giveUp(offset: number, problem: string, mend: string): undefined {
    this.gaveUp = true;
    this.#fault(offset, problem, mend);
    return undefined;
  }
}

function offsetOfNode(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function offsetOf(root: unknown, path: ConfigPath, at: 'key' | 'value', spans: Spans): number {
  let container = root;
  let offset = 0;
  for (const [depth, step] of path.entries()) {
    const span = typeof container === 'object' && container !== null ? spans.get(container)?.get(step) : undefined;
    if (span === undefined) return offset;
    offset = at === 'key' && depth === path.length - 1 ? span.key : span.value;
    container = partOf(container, step);
  }
  return offset;
}
