import { calculators, gitCommands, interpreters, type Launcher, launchers, opaqueWords } from './launchers.ts';
import { readShellLine, type ShellWord, type SimpleCommand } from './shell-line.ts';

/** What a command line runs, as policy sees it. */
export interface UnderstoodCommand {
  /** The one program that is run; empty when there are several, none, or something that is not seen through. */
  readonly program: string;
  /**
   * Every program that is named, also behind `sudo`, `env` and the like. One from an unusual place stands there with
   * its path and without it. `>` is the shell itself writing a file, `<opaque>` what is not seen through.
   */
  readonly programs: readonly string[];
  /** Every word, and the names of files in redirections. */
  readonly words: readonly string[];
  readonly opaque: boolean;
  /** Why it is opaque, in words. */
  readonly because?: string;
}

/** Never a program's name, as nothing that runs can be called so without being quoted. */
export const OPAQUE = '<opaque>';

/** Reads a command line as a POSIX shell would. Never throws; time is linear in the length of the line. */
export function readCommand(line: string): UnderstoodCommand {
  const { commands, opaque } = readShellLine(line);
  const found = new Found(opaque);
  for (const command of commands) readSimple(command, found);
  if (found.programs.length === 0) found.doubt('no program is named');
  const programs = new Set(found.programs);
  if (found.because !== undefined) programs.add(OPAQUE);
  return {
    program: found.because === undefined && programs.size === 1 ? (found.programs[0] ?? '') : '',
    programs: [...programs],
    words: [...found.words],
    opaque: found.because !== undefined,
    ...(found.because === undefined ? {} : { because: found.because }),
  };
}

class Found {
  readonly programs: string[] = [];
  readonly words = new Set<string>();
  because: string | undefined;

  constructor(because: string | undefined) {
    this.because = because;
  }

  doubt(why: string): void {
    this.because ??= why;
  }
}

/** Variables that change how a program prints, and never what it runs. */
const harmlessVariable = /^(?:LANG|LC_[A-Z]+|TZ|TERM|COLUMNS|LINES|NO_COLOR|DEBIAN_FRONTEND)=/;
const assignment = /^[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=/;
/** A launcher in a launcher in a launcher … */
const MAX_LAUNCHERS = 8;

function readSimple({ words, files, writes }: SimpleCommand, found: Found): void {
  for (const { text } of words) found.words.add(text);
  for (const file of files) found.words.add(file);
  if (writes) found.programs.push('>');
  let at = skipAssignments(words, 0, found);
  for (let depth = 0; at < words.length; depth += 1) {
    const word = words[at] as ShellWord;
    const name = programName(word, found);
    const launcher = launchers.get(name);
    if (launcher === undefined) return lookInto(name, words, at + 1, found);
    if (depth >= MAX_LAUNCHERS) return found.doubt('too many programs run each other');
    if (launcher.opaque === true) found.doubt(`what ${name} runs is not seen`);
    at = skipOptions(launcher, words, at + 1, name, found);
  }
}

function skipAssignments(words: readonly ShellWord[], from: number, found: Found): number {
  let at = from;
  for (; at < words.length; at += 1) {
    const { text, bare, expands } = words[at] as ShellWord;
    if (!assignment.test(text)) break;
    // `LANG="b"` is an assignment, and `"LANG"=b` and `LANG"="b` are programs of that name.
    if (bare <= text.indexOf('=')) found.doubt('something that looks like a variable is set');
    doubtVariable(text, expands, found);
  }
  return at;
}

/** The same behind `env` and `sudo`, which never see what was quoted, and for which `=` alone makes a variable. */
function skipVariables(words: readonly ShellWord[], from: number, found: Found): number {
  let at = from;
  for (; at < words.length; at += 1) {
    const { text, expands } = words[at] as ShellWord;
    if (!text.includes('=')) break;
    doubtVariable(text, expands, found);
  }
  return at;
}

function doubtVariable(text: string, expands: boolean, found: Found): void {
  if (!harmlessVariable.test(text)) found.doubt('a variable is set');
  if (expands) found.doubt('what a variable is set to is not known');
  // `test LANG -eq 0` calculates its value.
  if (runsInBrackets(text)) found.doubt('a variable is set to something that may be run');
}

/** Where the program stands that a launcher runs. What is not known of its options is not guessed. */
function skipOptions(launcher: Launcher, words: readonly ShellWord[], from: number, name: string, found: Found): number {
  let at = from;
  for (; at < words.length; at += 1) {
    const { text } = words[at] as ShellWord;
    if (text === '--') {
      at += 1;
      break;
    }
    if (!text.startsWith('-')) break;
    const [option = ''] = text.split('=', 1);
    if (launcher.flags.includes(text)) continue;
    if (launcher.valued.includes(option) && option !== text) continue;
    if (launcher.valued.includes(text)) {
      at += 1;
      continue;
    }
    if (launcher.valued.some((valued) => /^-[a-zA-Z]$/.test(valued) && text.startsWith(valued))) continue;
    if (name === 'nice' && /^-\d+$/.test(text)) continue;
    found.doubt(`${name} is given ${text.slice(0, 40)}`);
    return words.length;
  }
  at += launcher.operands ?? 0;
  // A pattern may become several words, and one of those the program.
  if (words.slice(from, at).some(({ expands }) => expands)) found.doubt(`what ${name} is given is a pattern`);
  if (launcher.assignments === true) return skipVariables(words, at, found);
  // Behind `!`, and `time` in some shells, it is an assignment; behind others a program of that name.
  const program = skipAssignments(words, at, found);
  if (program !== at) found.doubt(`a variable or a program follows ${name}`);
  return program;
}

/** Bytes that a path may have (PATH_MAX of Linux). */
const MAX_NAME = 4096;

/** Directories whose programs are called by their name alone. */
const usualPlaces: ReadonlySet<string> = new Set(['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin']);

/** Takes down a program, and gives the name by which it is known. */
function programName({ text, expands }: ShellWord, found: Found): string {
  if (expands) found.doubt('the name of a program is a pattern');
  if (text === '' || text.startsWith('-') || text.length > MAX_NAME) found.doubt('something stands where a program belongs');
  const slash = text.lastIndexOf('/');
  const name = text.slice(slash + 1);
  if (slash === -1 || usualPlaces.has(text.slice(0, slash))) {
    found.programs.push(name);
    return name;
  }
  if (!text.startsWith('/') || /\/(?:\.{0,2})(?:\/|$)/.test(text)) found.doubt('where a program is depends on the directory');
  found.programs.push(text, name);
  return name;
}

/** Whether a shell that calculates this word would run something: the index of `a[$(rm x)]`. */
function runsInBrackets(text: string): boolean {
  const bracket = text.indexOf('[');
  return bracket !== -1 && /[$`]|[<>=]\(/.test(text.slice(bracket));
}

function lookInto(name: string, words: readonly ShellWord[], from: number, found: Found): void {
  // Versions as in python3.12 and gcc-13; anything that is or names an interpreter.
  const plain = name.length > 64 ? name : name.replace(/-?\d[\d.]*$/, '');
  // As in vim.tiny, nc.openbsd and busybox.static; a script called service.sh is no spelling of service.
  const [stem = ''] = /\.(?:sh|py|pl|rb|js)$/.test(name) ? [name] : name.split('.', 1);
  if (interpreters.has(name) || interpreters.has(plain) || interpreters.has(stem) || launchers.has(stem))
    return found.doubt(`what ${name.slice(0, 40)} runs is not seen`);
  if (name === 'git' && !gitCommands.has(words[from]?.text ?? '')) return found.doubt('what git is told is not seen through');
  if (calculators.has(name) && words.slice(from).some(({ text }) => runsInBrackets(text)))
    return found.doubt(`what ${name} calculates is not seen through`);
  const pattern = opaqueWords.get(name);
  if (pattern === undefined) return;
  for (let at = from; at < words.length; at += 1) {
    const { text } = words[at] as ShellWord;
    if (pattern.test(text)) return found.doubt(`${name} is given ${text.slice(0, 40)}`);
  }
}
