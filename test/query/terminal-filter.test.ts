import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TerminalFilter } from '../../gateway/query/terminal-filter.ts';

const filtered = (output: string) => new TerminalFilter().filter(output);

describe('recorded output on its way to a reviewer', () => {
  it.each([
    ['text with umlauts and emoji', 'Grüße 👋🏽 שלום'],
    ['lines, tabs, backspaces and bells', 'a\tb\r\nc\b\x07'],
    ['colours', '\x1b[1;38;2;1;2;3mred\x1b[0m'],
    ['colours with colons', '\x1b[4:3;58:2::1:2:3m'],
    ['cursor movement and erasing', '\x1b[10;20H\x1b[2J\x1b[K\x1b[?25l\x1b[5A\x1b[3@\x1b[2P\x1b[4X'],
    ['scrolling and margins', '\x1b[2;10r\x1b[3S\x1b[1T\x1bM\x1bD'],
    ['the alternate screen', '\x1b[?1049h~\x1b[?1049l'],
    ['line drawing', '\x1b(0lqk\x1b(B\x0e\x0f'],
    ['saving the cursor', '\x1b7\x1b8\x1b[s\x1b[u'],
    ['the shape of the cursor and a soft reset', '\x1b[4 q\x1b[!p'],
  ])('keeps %s', (_, output) => {
    expect(filtered(output)).toBe(output);
  });

  it.each([
    ['the clipboard (OSC 52)', '\x1b]52;c;cm0gLXJm\x07'],
    ['the title, ended by ST', '\x1b]0;rm -rf /\x1b\\'],
    ['a request for the title', '\x1b[21t'],
    ['a change of the size of the window', '\x1b[8;100;300t'],
    ['132 columns', '\x1b[?3h'],
    ['a request for the cursor position', '\x1b[6n'],
    ['requests for device attributes', '\x1b[c\x1b[>c\x1b[=c\x1bZ\x1b[0c'],
    ['a request for the version', '\x1b[>0q'],
    ['a request for a mode', '\x1b[?2004$p'],
    ['a request for terminal parameters', '\x1b[x'],
    ['DECRQSS', '\x1bP$q"p\x1b\\'],
    ['the answerback', '\x05'],
    ['a request for a colour', '\x1b]4;1;?\x07\x1b]11;?\x1b\\'],
    ['printing', '\x1b[5i\x1b[?5i'],
    ['clearing of the scrollback', '\x1b[3J\x1b[2;3J'],
    ['mouse and paste modes', '\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?1h'],
    ['keyboard modes', '\x1b[>4;2m\x1b[>1u\x1b[=1;1u\x1b[?u\x1b=\x1b>\x1b[20h\x1b[2h'],
    ['hyperlinks', '\x1b]8;;https://evil.example/\x07'],
    ['programs of other sorts', '\x1b_Gi=1;AAAA\x1b\\\x1b^x\x1b\\\x1bXy\x1b\\'],
    ['a change of the encoding', '\x1b%@\x1b%G'],
    ['8-bit forms', '\u009b6n\u009d52;c;AA\u009c\u0090$qm\u009c'],
    ['DEL and unknown controls', '\x7f\x00\x01\x11\x13'],
  ])('leaves out %s', (_, output) => {
    expect(filtered(`a${output}b`)).toBe('ab');
  });

  it('keeps the drawing modes of a sequence that sets others too', () => {
    expect(filtered('\x1b[?25;1000;7h')).toBe('\x1b[?25;7h');
  });

  it('turns a full reset into one that leaves the scrollback', () => {
    const reset = filtered('\x1bc');
    expect(reset).not.toContain('\x1bc');
    expect(reset).toContain('\x1b[2J');
  });

  it('shows what follows a string that never ends, instead of swallowing the rest', () => {
    expect(filtered(`\x1b]0;${'x'.repeat(70_000)}the rest`)).toContain('the rest');
  });

  it('takes a sequence that is aborted or broken for what a terminal takes it', () => {
    expect(filtered('\x1b[6\x18nA')).toBe('nA');
    expect(filtered('\x1b[6\x1b[1mB')).toBe('\x1b[1mB');
    expect(filtered('\x1b]52;c;\x1b[31mC')).toBe('\x1b[31mC');
  });

  it('knows whether the recording has left the alternate screen', () => {
    const filter = new TerminalFilter();
    filter.filter('\x1b[?1049h');
    expect(filter.alternateScreen).toBe(true);
    filter.filter('\x1b[?1049l');
    expect(filter.alternateScreen).toBe(false);
  });

  // The alphabet is what sequences are made of, so that random output is full of them.
  const hostile = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '\x1b',
          '\x1b[',
          '\x1b]',
          '\x1bP',
          '\u009b',
          '\u009d',
          '\x07',
          '\x1b\\',
          '?',
          '>',
          ';',
          '$',
          ' ',
          '6',
          '1049',
          'n',
          'c',
          't',
          'q',
          'h',
          'm',
          'J',
          'p',
          '52',
          '\x05',
          '\x18',
        ),
        fc.string(),
      ),
      { maxLength: 60 },
    )
    .map((parts) => parts.join(''));

  it('is the same however it is cut', () => {
    fc.assert(
      fc.property(hostile, fc.array(fc.nat(100)), (output, cuts) => {
        const filter = new TerminalFilter();
        const places = [0, ...cuts.map((cut) => cut % (output.length + 1)).sort((a, b) => a - b), output.length];
        const pieces = places.slice(1).map((end, index) => filter.filter(output.slice(places[index], end)));
        expect(pieces.join('')).toBe(filtered(output));
      }),
    );
  });

  it('lets nothing through that the filter itself would leave out: filtering again changes nothing', () => {
    fc.assert(
      fc.property(hostile, (output) => {
        expect(filtered(filtered(output))).toBe(filtered(output));
      }),
      { numRuns: 500 },
    );
  });
});
