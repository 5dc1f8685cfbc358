import { type TerminalSink, TerminalTokens } from './terminal-tokens.ts';

/** CSI sequences without prefix or intermediates that only draw: cursor, erasing, inserting, scrolling, colours, tabs, margins. */
const DRAWING = new Set('@ABCDEFGHIJKLMPSTXZ`abdefgmrsu');

/** Modes (DECSET) that change what is drawn. All others act on the keyboard, the mouse, or the size of the window. */
const DRAWING_MODES = new Set(['5', '6', '7', '12', '25', '45', '47', '69', '1047', '1048', '1049', '2026']);

const ALTERNATE_SCREEN = new Set(['47', '1047', '1049']);

/** Escape sequences that only draw: saving the cursor, index, next line, tab stop, reverse index. */
const DRAWING_ESCAPES = new Set('78DEHM');

/** Controls that only draw: BEL, BS, HT, LF, VT, FF, CR, SO, SI. Not ENQ, which a terminal answers. */
const DRAWING_CONTROLS = new Set([0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f]);

/**
 * Recorded output on its way to a reviewer's terminal. Whoever was recorded may have aimed at whoever watches: only
 * what draws is let through. Everything a terminal would answer (and so type into the reviewer's shell), everything
 * that reaches the clipboard, the title, the printer, the size of the window or the scrollback, and every sequence that
 * is not known, is left out. Sequences are written anew from their parts, so nothing slips through half parsed.
 */
export class TerminalFilter implements TerminalSink {
  readonly #tokens = new TerminalTokens(this);
  #safe = '';
  #alternate: boolean;

  /** `alternateScreen`: where the terminal is when this filter takes over from another. */
  constructor(alternateScreen = false) {
    this.#alternate = alternateScreen;
  }

  /** Whether what was let through has gone to the alternate screen and not come back. */
  get alternateScreen(): boolean {
    return this.#alternate;
  }

  /** The drawing part of `output`. Sequences may be cut anywhere between calls. */
  filter(output: string): string {
    this.#tokens.feed(output);
    const safe = this.#safe;
    this.#safe = '';
    return safe;
  }

  text(run: string): void {
    this.#safe += run;
  }

  control(code: number): void {
    if (DRAWING_CONTROLS.has(code)) this.#safe += String.fromCharCode(code);
  }

  escape(intermediates: string, final: string): void {
    if (intermediates === '' && DRAWING_ESCAPES.has(final)) this.#safe += `\x1b${final}`;
    // A full reset would also clear the scrollback: a soft one and an empty screen look the same.
    else if (intermediates === '' && final === 'c') {
      this.#safe += '\x1b[!p\x1b[?1049l\x1b[r\x1b[m\x1b[2J\x1b[H';
      this.#alternate = false;
    }
    // Character sets (line drawing), and DECALN.
    else if (/^[()*+]$/.test(intermediates) && /^[0AB]$/.test(final)) this.#safe += `\x1b${intermediates}${final}`;
    else if (intermediates === '#' && final === '8') this.#safe += '\x1b#8';
  }

  csi(parameters: string, intermediates: string, final: string): void {
    const keep = (kept = parameters) => {
      this.#safe += `\x1b[${kept}${intermediates}${final}`;
    };
    if (intermediates === ' ' && final === 'q') return keep(); // shape of the cursor
    if (intermediates === '!' && final === 'p') return keep(); // soft reset
    if (intermediates !== '') return;
    if (parameters.startsWith('?')) {
      if (final === 'J' || final === 'K') return keep();
      if (final !== 'h' && final !== 'l') return;
      const modes = parameters
        .slice(1)
        .split(';')
        .filter((mode) => DRAWING_MODES.has(mode));
      if (modes.length > 0) keep(`?${modes.join(';')}`);
      if (modes.some((mode) => ALTERNATE_SCREEN.has(mode))) this.#alternate = final === 'h';
      return;
    }
    if (!/^[0-9;:]*$/.test(parameters)) return; // any other private prefix
    if ((final === 'h' || final === 'l') && parameters === '4') return keep(); // insert mode
    if (final === 'J' && parameters !== '' && !/^[012]$/.test(parameters)) return; // 3 clears the scrollback
    if (DRAWING.has(final)) keep();
  }

  string(): void {
    // Titles, clipboard, colours of the palette, requests for status, images: none of them is needed to see the text.
  }
}
