/**
 * What shells with shell integration say: FinalTerm's OSC 133 and VS Code's OSC 633. `prompt` A, `command` B (typing
 * begins), `started` C, `ended` D with the exit status, `line` E with the command line itself. Whatever writes to the
 * terminal can say the same, so none of it is believed alone.
 */
export type Mark =
  | { kind: 'prompt' | 'command' | 'started' }
  | { kind: 'ended'; exit: number | undefined }
  | { kind: 'line'; text: string };

const LONGEST_LINE = 16_384;

export function readMark(payload: string): Mark | undefined {
  const [letter, ...rest] = payload.slice(0, LONGEST_LINE).split(';');
  switch (letter) {
    case 'A':
      // Prompts of continued lines, and on the right: they are within a command.
      return rest.some((option) => option === 'k=s' || option === 'k=c' || option === 'k=r') ? undefined : { kind: 'prompt' };
    case 'B':
    case 'I':
      return { kind: 'command' };
    case 'C':
      return { kind: 'started' };
    case 'D':
      return { kind: 'ended', exit: /^-?\d{1,10}$/.test(rest[0] ?? '') ? Number(rest[0]) : undefined };
    case 'E':
      return { kind: 'line', text: readEscaped(rest[0] ?? '') };
    default:
      return undefined;
  }
}

/** A backslash is doubled; others are `\xAB`. */
function readEscaped(text: string): string {
  return text.replaceAll(/\\(?:\\|x([0-9a-f]{2}))/gi, (_, hex: string | undefined) =>
    hex === undefined ? '\\' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
