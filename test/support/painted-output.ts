/** What reaches a terminal from a painter: places and colours of its own, and characters that are drawn. */
const PAINTED: readonly RegExp[] = [
  // Places, within the terminal: checked below.
  /^\x1b\[\d+;\d+H/,
  /^\x1b\[[\d;:]*m/,
  /^\x1b\[[02]?[JK]/,
  /^\x1b\[\?25[hl]/,
  // Its own screen, and the terminal as it was.
  /^\x1b\[\?1049[hl]/,
  /^\x1b\[\?2026[hl]/,
  /^\x1b\[!p/,
  /^\x1b\[\?5l/,
  /^\x1b\[\?7[hl]/,
  /^\x1b\(B/,
  /^\x0f/,
  /^\r*\n/,
  /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/u,
];

/** Everything in the output of a painter that it has no business to send. */
export function foreignOutput(output: string, { cols, rows }: { cols: number; rows: number }): string[] {
  const foreign: string[] = [];
  for (let at = 0; at < output.length; ) {
    const rest = output.slice(at, at + 4096);
    const found = PAINTED.map((pattern) => pattern.exec(rest)?.[0]).find((match) => match !== undefined);
    const place = /^\x1b\[(\d+);(\d+)H/.exec(rest);
    const outside = place !== null && (Number(place[1]) > rows || Number(place[2]) > cols);
    if (found === undefined || outside) foreign.push(rest.slice(0, 24));
    at += found?.length ?? 1;
  }
  return foreign;
}
