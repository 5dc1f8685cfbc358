import { type TerminalSink, TerminalTokens } from './terminal-tokens.ts';

/** Characters that order others or are not drawn at all. */
const NOT_DRAWN = /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Backspace, tab, line feed and carriage return: what lines are made of. */
const WITHIN_LINES = new Set([0x08, 0x09, 0x0a, 0x0d]);

/**
 * Output of a program that had no terminal, for one that scrolls: its characters, their colours, and what edits a line.
 * It cannot go anywhere else on the screen, and nothing else of it gets there.
 */
export class ScrolledOutput implements TerminalSink {
  readonly #tokens = new TerminalTokens(this);
  #lines = '';

  /** Sequences may be cut anywhere between calls. */
  take(output: string): string {
    this.#tokens.feed(output);
    const lines = this.#lines;
    this.#lines = '';
    return lines;
  }

  text(run: string): void {
    this.#lines += run.replace(NOT_DRAWN, '');
  }

  control(code: number): void {
    if (WITHIN_LINES.has(code)) this.#lines += String.fromCharCode(code);
    else if (code === 0x0b || code === 0x0c) this.#lines += '\n';
  }

  escape(intermediates: string, final: string): void {
    if (intermediates === '' && final === 'E') this.#lines += '\r\n';
  }

  csi(parameters: string, intermediates: string, final: string): void {
    if (intermediates !== '') return;
    if (final === 'm' && /^[0-9;:]*$/.test(parameters)) this.#lines += `\x1b[${parameters}m`;
    else if (final === 'K' && /^[012]?$/.test(parameters)) this.#lines += `\x1b[${parameters}K`;
  }

  string(): void {
    // Titles, links, clipboard: none of it is a line.
  }
}
