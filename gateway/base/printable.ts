/**
 * Text from outside, made safe for a person's terminal: control characters (C0, DEL, C1) and the ones that turn the
 * direction of writing (Unicode TR 36) are shown as `\x1b` or `\u202e` instead of being obeyed.
 */
export function printable(text: string, options: { keepLines?: boolean } = {}): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    if (options.keepLines === true && (character === '\n' || character === '\t')) return character;
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
