import type { Beginnings } from './beginnings.ts';
import { type Entered, findEntered, isMask, type LeftLine } from './entered-lines.ts';
import { bareText, type ScreenLines } from './screen-lines.ts';
import { LONGEST_TYPED } from './typed-line.ts';

/** In all so much, with a little for each; and each for so many line feeds. */
const MOST_WAITING = 256 * 1024;
const COST = 32;
const LONGEST_WAIT = 2000;

/** A line that is left is compared with so many of those that wait. */
const LOOKED_AT = 8;

/** Lines that Enter was pressed on, until they are seen on the screen as they were taken. None is lost without a word. */
export class WaitingLines {
  readonly #beginnings: Beginnings;
  #entered: Entered[];
  #size: number;
  /** Line feeds that came while lines waited. */
  #fed: number;

  constructor(beginnings: Beginnings, entered: readonly Entered[] = [], fed = 0) {
    this.#beginnings = beginnings;
    this.#entered = [...entered];
    this.#size = entered.reduce((sum, one) => sum + sizeOf(one), 0);
    this.#fed = fed;
  }

  get all(): readonly Entered[] {
    return this.#entered;
  }

  get some(): boolean {
    return this.#entered.length > 0;
  }

  get fed(): number {
    return this.#fed;
  }

  add(line: Omit<Entered, 'fed' | 'instead'>, lines: ScreenLines): void {
    const entered = { ...line, instead: '', fed: this.#fed };
    this.#entered.push(entered);
    this.#size += sizeOf(entered);
    if (this.#size > MOST_WAITING) this.give(lines, Math.ceil(this.#entered.length / 2));
  }

  /** The cursor has left a line. `mark`: what stood before the place where the shell last marked that typing begins. */
  leave(left: LeftLine, lines: ScreenLines, mark: string | undefined): void {
    const looked = this.#entered.slice(0, LOOKED_AT);
    const [head] = looked;
    // First whose own line it is; then who knows what to look for; then who takes what comes. Later ones may be seen earlier.
    const own = head?.fed === this.#fed && head.anchor !== undefined ? [head] : [];
    const sure = looked.filter((one) => one.plain && one.typed !== '');
    const other = looked.find((one) => !sure.includes(one));
    for (const entered of new Set([...own, ...sure, ...(other === undefined ? [] : [other])])) {
      const found = findEntered(entered, lines, left, entered.fed === this.#fed);
      if (found === undefined) continue;
      const at = this.#entered.indexOf(entered);
      this.#drop(at, 1);
      // Enter in a menu that filled in this very line, and Enter on the line.
      const next = this.#entered[at];
      if (next?.typed === '' && next.plain && bareText(next.seen) === bareText(found.text)) release(this.#drop(at, 1));
      const { anchor, pasted } = entered;
      if (found.text !== '') {
        const marked = anchor === undefined ? mark !== undefined && found.prompt === mark : anchor.marked;
        // What was typed ahead is taken when it stands at a prompt.
        const since = anchor === undefined && found.prompt !== undefined ? this.#beginnings.now : entered.at;
        const place = { lines, row: left.row, pasted, anchor };
        this.#beginnings.begin(since, { ...found, markable: found.markable && marked }, left.text, place);
      }
      release([entered]);
      break;
    }
    this.#fed += 1;
    const waiting = this.#entered.findIndex(({ fed }) => this.#fed - fed <= LONGEST_WAIT);
    if (waiting !== 0) this.give(lines, waiting < 0 ? this.#entered.length : waiting);
  }

  /** Those that were entered first and not seen as they should have been: as far as something was seen of them. */
  give(lines: ScreenLines | undefined, many = this.#entered.length): void {
    const given = this.#drop(0, many);
    const tell = (at: number, text: string) => this.#beginnings.begin(at, { text, prompt: undefined, markable: false }, undefined);
    let unseen: Entered[] = [];
    const tellUnseen = () => {
      const [first] = unseen;
      if (first !== undefined)
        tell(first.at, unseen.length === 1 ? notShown(first) : `(${unseen.length} lines that did not show on the screen)`);
      unseen = [];
    };
    for (const entered of given) {
      const texts = seenOf(entered, lines);
      if (texts === undefined) {
        unseen.push(entered);
        continue;
      }
      if (texts.length > 0) tellUnseen();
      for (const text of texts) tell(entered.at, text);
    }
    tellUnseen();
    release(given);
  }

  /** Their lines are not to be found where they were typed any more. */
  loseRows(): void {
    release(this.#entered);
  }

  #drop(from: number, many: number): Entered[] {
    const dropped = this.#entered.splice(from, many);
    for (const one of dropped) this.#size -= sizeOf(one);
    return dropped;
  }
}

/** What has been seen of a line; undefined when there was one and it was not seen. What was typed is told only where it stood on the screen: it may have been a secret. */
function seenOf({ typed, plain, secret, seen, instead }: Entered, lines: ScreenLines | undefined): string[] | undefined {
  const texts = [...new Set([seen, instead])].filter((text) => text.trim() !== '' && !isMask(text.trim()));
  const bare = bareText(typed);
  if (secret || bare === '') return texts;
  if (plain && !texts.some((text) => bareText(text).includes(bare))) {
    if (lines?.shows(bare) === true) return [typed, ...texts];
    return texts.length === 0 ? undefined : [notShown({ typed }), ...texts];
  }
  return texts.length === 0 ? undefined : texts;
}

function notShown({ typed }: Pick<Entered, 'typed'>): string {
  if (typed.length >= LONGEST_TYPED) return `${typed} … (and more)`;
  return typed.length === 1
    ? '(a character that did not show on the screen)'
    : `(${typed.length} characters that did not show on the screen)`;
}

function sizeOf({ typed, seen, anchor }: Entered): number {
  return typed.length + seen.length + (anchor?.prompt.length ?? 0) + COST;
}

function release(entered: readonly Entered[]): void {
  for (const { anchor } of entered) anchor?.row?.dispose();
}
