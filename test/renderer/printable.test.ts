import { expect, it } from 'vitest';
import { printable } from '../../renderer/bundle-page/interface/printable.ts';

it('shows what would act on the text around it', () => {
  expect(printable('a\u202eb\u2066c\x1b[2Jd\u{e0041}')).toBe('a\\u202eb\\u2066c\\x1b[2Jd\\ue0041');
  // Nothing to see, and yet another name.
  for (const unseen of ['\u034f', '\u115f', '\u3164', '\uffa0', '\u180b', '\u{e0100}', '\u200b', '\ufeff', '\u00ad'])
    expect(printable(`ro${unseen}ot`)).toMatch(/^ro\\u?x?[0-9a-f]+ot$/);
});

it('leaves languages and pictures as they are', () => {
  for (const text of ['naïve', 'e\u0301te\u0301', 'שָּׁלוֹם', 'ที่นี่', 'नमस्ते', 'می\u200cخواهم', '👩\u200d🚒 ✔\ufe0f'])
    expect(printable(text)).toBe(text);
});

it('piles no marks over the lines around a note, however many there are', () => {
  const begun = performance.now();
  const shown = printable(`fine${'\u0301\u0489'.repeat(2000)}`);
  expect(shown).not.toMatch(/\p{M}{5}/u);
  expect(shown).toMatch(/^fine(?:\u0301\u0489){2}(?:\\u0301\\u0489)+$/);
  expect(performance.now() - begun).toBeLessThan(100);
});
