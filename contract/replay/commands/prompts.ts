const MOST_PROMPTS = 16;
const LONGEST_PROMPT = 256;

/** What most shells' prompts end with. */
const USUAL_END = /[$#%>❯»] ?$/u;

/** What a shell asks with for the rest of a command: `> `, `quote> `, `... `, `    -> `. */
const CONTINUATION = /^[\s\w.()'"`*-]*(?:[^>]>|^>|\.\.\.) ?$/u;

/**
 * The prompts of a channel, as far as somebody has typed at them. What stands left of the cursor when typing begins is
 * a prompt only as far as it is known to be one: a line that was filled in beforehand does not become part of it.
 */
export class Prompts {
  #known: string[];

  constructor(known: readonly string[] = []) {
    this.#known = [...known];
  }

  get known(): readonly string[] {
    return this.#known;
  }

  learn(prompt: string): void {
    if (prompt.trim() === '' || prompt.length > LONGEST_PROMPT || prompt.includes('\n')) return;
    this.#known = [prompt, ...this.#known.filter((other) => other !== prompt)].slice(0, MOST_PROMPTS);
  }

  /** How much of the line is a prompt. `left` stood before the cursor when typing began; no more of it than that is one. */
  lengthIn(line: string, left: string | undefined): number | undefined {
    const whole = left !== undefined && line.startsWith(left) ? left : undefined;
    const within = whole ?? line;
    let shortest: number | undefined;
    for (const prompt of this.#known) if (within.startsWith(prompt)) shortest = Math.min(shortest ?? prompt.length, prompt.length);
    if (shortest !== undefined) return shortest;
    if (whole !== undefined) return whole.length;
    for (const prompt of this.#known) {
      const length = alikeLength(line, prompt);
      if (length !== undefined) return length;
    }
    return undefined;
  }

  /** Whether this is what a prompt looks like, with nothing typed at it. */
  isOne(left: string): boolean {
    return this.#known.some((prompt) => left.endsWith(prompt) || isAlike(left, prompt));
  }
}

/** The same but for names, paths and numbers in it. */
export function isAlike(text: string, prompt: string): boolean {
  return text === prompt || alikeLength(text, prompt) === text.length;
}

/** Of what nobody has typed at yet. */
export function looksLikePrompt(left: string): boolean {
  return left.length <= LONGEST_PROMPT && USUAL_END.test(left);
}

export function isContinuation(prompt: string): boolean {
  return prompt.length < 40 && CONTINUATION.test(prompt);
}

/** How far a line begins like the prompt. Each run of word characters stands for any other. */
function alikeLength(line: string, prompt: string): number | undefined {
  // Nothing but a word is no shape that anything could be told by.
  if (!/[^\s\p{L}\p{N}_~/.\-+][ ]?$/u.test(prompt)) return undefined;
  let at = 0;
  for (let from = 0; from < prompt.length; ) {
    if (isWord(prompt, from)) {
      if (!isWord(line, at)) return undefined;
      while (isWord(prompt, from)) from += 1;
      while (isWord(line, at)) at += 1;
    } else {
      if (line.charAt(at) !== prompt.charAt(from)) return undefined;
      from += 1;
      at += 1;
    }
  }
  return at;
}

function isWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  // Letters, digits and `_ ~ / . - +`; NaN at the end of the text.
  if (code > 0x7f) return !(code >= 0x2000 && code < 0x2c00) && code < 0xe000;
  return (
    (code >= 0x30 && code <= 0x39) ||
    ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) ||
    code === 0x5f ||
    code === 0x7e ||
    code === 0x2f ||
    code === 0x2e ||
    code === 0x2d ||
    code === 0x2b
  );
}
