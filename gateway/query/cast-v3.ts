import type { SallyportError } from '../base/errors.ts';
import type { CastPart } from './read-cast.ts';

/**
 * A cast as it was recorded: every line unchanged. Only where a part is left out because it is damaged is a line added,
 * a marker that says so and that carries the missing time, and a header in front when it was the header that was lost:
 * so that any player still plays the rest, at the right moments.
 */
export async function* castV3(parts: AsyncIterable<CastPart>, whenDamaged: (error: SallyportError) => void): AsyncGenerator<string> {
  let begun = false;
  for await (const part of parts) {
    if (part.kind === 'line') {
      if (!begun && !part.line.startsWith('{')) yield HEADER;
      begun = true;
      yield part.line;
      continue;
    }
    whenDamaged(part.error);
    if (!begun) yield HEADER;
    begun = true;
    const seconds = (Math.floor(part.missingNanos / 10_000) / 100_000).toFixed(5);
    yield `[${seconds},"m",${JSON.stringify(part.error.message)}]\n`;
  }
}

const HEADER = '{"version":3,"term":{"cols":80,"rows":24},"title":"the beginning of this recording is damaged"}\n';
