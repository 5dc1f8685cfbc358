/** Marks that one letter may carry; Hebrew and Thai have up to three. A pile of them reaches over the lines around it. */
const PILED_MARK = /(?<=\p{M}{4})\p{M}/u;
/** Controls, what turns the direction of writing, what has no shape, and what looks like a letter that is left out. */
const ACTING = [
  '[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb]',
  // Marks without a shape; each alone, as it would join what stands before it in a class.
  ...['\\u034f', '\\u17b4', '\\u17b5', '\\u180b', '\\u180c', '\\u180d', '\\u180e'],
  '[\\u{e0000}-\\u{e0fff}]',
].join('|');
const UNPRINTABLE = new RegExp(`${ACTING}|${PILED_MARK.source}`, 'gu');

/**
 * Text from a recording or a record, safe to read: control characters and the ones that turn the direction of writing
 * or have no shape (Unicode TR 36) are shown as `\x1b` or `\u202e` instead of acting on the line they stand in, and so are
 * marks that are piled onto one letter.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    if (character === '\t') return ' ';
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** What was typed, with a sign for each key that leaves no character. */
export function typed(text: string): string {
  return text.replaceAll(/\x1b\[([A-H])|\x1b|[\u0000-\u001f\u007f]/g, (key, arrow: string | undefined) => {
    if (arrow !== undefined) return { A: '↑', B: '↓', C: '→', D: '←', H: '⇱', F: '⇲' }[arrow] ?? '␛';
    const names: Record<string, string> = { '\r': '⏎', '\n': '⏎', '\t': '⇥', '\x1b': '␛', '\x7f': '⌫', '\b': '⌫', ' ': '␣' };
    return names[key] ?? `^${String.fromCharCode(key.charCodeAt(0) + 64)}`;
  });
}
