import type { Frame } from '../../contract/frame-codec.ts';
import { SallyportError } from '../base/errors.ts';
import { CastRenderer, type PerStream } from '../recording/cast-renderer.ts';
import { isGone } from '../recording/errno-code.ts';
import { readJournal, readStretchHeader } from '../recording/journal-reader.ts';
import { parseStretchHeader } from '../recording/stretch-header.ts';

/**
 * The lines that a stretch of journal would be sealed into, as far as it has been written. A torn end is not damage
 * here: it is either being written now, or recovery will name it. Returns what the renderer of the next stretch needs.
 * Throws RECORDING_DAMAGED when the stretch has no header or holds something else than frames; lines given out before
 * that stand.
 */
export async function* readStretch(path: string, rawSpent: PerStream): AsyncGenerator<string, PerStream> {
  const frames = readJournal(path);
  const first = await frames.next();
  const header = first.done === true || first.value.kind !== 'header' ? undefined : parseStretchHeader(first.value.header);
  if (header === undefined) {
    // Also the state of a stretch whose first frame is on its way.
    if (first.done === true && first.value.state !== 'damaged') return rawSpent;
    await frames.return({ frames: 0, goodBytes: 0, tornBytes: 0, state: 'damaged', lastFrameAt: 0 });
    throw damaged(path, 'it does not begin with its header');
  }
  let lines: string[] = [];
  const renderer = new CastRenderer(header, (line) => lines.push(line), { rawSpent });
  let step = await frames.next();
  try {
    for (; step.done !== true; step = await frames.next()) {
      renderer.push(step.value satisfies Frame);
      if (lines.length === 0) continue;
      const ready = lines;
      lines = [];
      yield* ready;
    }
  } finally {
    await frames.return({ frames: 0, goodBytes: 0, tornBytes: 0, state: 'whole', lastFrameAt: 0 });
  }
  const summary = renderer.end();
  yield* lines;
  if (step.done === true && step.value.state === 'damaged')
    throw damaged(path, `${step.value.tornBytes} bytes after the frame at ${step.value.lastFrameAt} ns cannot be read`);
  return summary.rawSpent;
}

/** Where a stretch begins, in nanoseconds since the channel opened; undefined when it is not there, or has no header. */
export async function stretchStart(path: string): Promise<number | undefined> {
  try {
    return (await readStretchHeader(path))?.start;
  } catch (thrown) {
    if (isGone(thrown)) return undefined;
    throw thrown;
  }
}

function damaged(path: string, what: string): SallyportError {
  return new SallyportError('RECORDING_DAMAGED', `Journal ${path} is damaged: ${what}`, {
    remedy: 'start the gateway, which recovers what can be read',
  });
}
