/**
 * Text from a recording or a record, safe to read: control characters and the ones that turn the direction of writing
 * or have no shape (Unicode TR 36) are shown as `\x1b` or `\u202e` instead of acting on the line they stand in.
 */
export function printable(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu,
    (character) => {
      if (character === '\t') return ' ';
      const code = character.codePointAt(0) ?? 0;
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    },
  );
}

/** What was typed, with a sign for each key that leaves no character. */
export function typed(text: string): string {
  return text.replaceAll(/\x1b\[([A-H])|\x1b|[\u0000-\u001f\u007f]/g, (key, arrow: string | undefined) => {
    if (arrow !== undefined) return { A: '↑', B: '↓', C: '→', D: '←', H: '⇱', F: '⇲' }[arrow] ?? '␛';
    const names: Record<string, string> = { '\r': '⏎', '\n': '⏎', '\t': '⇥', '\x1b': '␛', '\x7f': '⌫', '\b': '⌫', ' ': '␣' };
    return names[key] ?? `^${String.fromCharCode(key.charCodeAt(0) + 64)}`;
  });
}
