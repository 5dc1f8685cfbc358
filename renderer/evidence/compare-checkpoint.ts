import { type Checkpoint, checkSignature, type LogKey, NotReadable, parseCheckpoint } from './checkpoint.ts';
import { sameBytes } from './encodings.ts';
import type { TileSet } from './tile-set.ts';
import { rootAt } from './tree.ts';

export interface Comparison {
  state: 'agrees' | 'contradicts' | 'cannot tell';
  heading: string;
  words: string;
}

/**
 * Holds a checkpoint that somebody got another way against the one in the bundle. Where the tiles reach, the root at
 * that earlier size is computed from them: then the bundle's log is the earlier one, grown.
 */
export async function compareCheckpoint(text: string, bundle: Checkpoint, key: LogKey, tiles: TileSet): Promise<Comparison> {
  let held: Checkpoint;
  try {
    held = parseCheckpoint(noteOf(text));
  } catch (thrown) {
    if (!(thrown instanceof NotReadable)) throw thrown;
    return unclear(
      'Not a checkpoint',
      `What you pasted cannot be read as one: ${thrown.message}. Paste all of it, from the name of the log to the signature.`,
    );
  }
  if (held.origin !== bundle.origin) {
    return unclear('Another log', `It is a checkpoint of “${held.origin}”; this bundle is of “${bundle.origin}”.`);
  }
  const signature = await checkSignature(held, key);
  if (signature === 'wrong')
    return contradiction(
      'Its signature is wrong',
      'It was not signed by the key in this bundle, or it was changed since. Compare the key with the one you know.',
    );
  if (signature === 'not signed by this key') {
    return unclear(
      'Signed by another key',
      'Its key is not the one in this bundle. If the key of the log was changed since, data/keys/history.json says so; `sallyport verify` follows it.',
    );
  }
  const unproved = signature === 'browser cannot tell' ? ' Its signature was not checked: this browser cannot.' : '';
  if (held.size > bundle.size) {
    return unclear(
      'Newer than this bundle',
      `It covers ${entries(held.size)}; this bundle was signed at ${entries(bundle.size)}. Ask for a consistency proof from the gateway, or keep this bundle’s checkpoint and compare it with a later bundle.${unproved}`,
    );
  }
  if (held.size === bundle.size) {
    if (sameBytes(held.root, bundle.root))
      return agreement('The same checkpoint', `Size and root are equal: it is the very log that you know.${unproved}`);
    return contradiction(
      'Two different logs of the same size',
      `Both have ${entries(held.size)}, and their roots differ. The log was rewritten for one of the two.`,
    );
  }
  if (held.size === 0) return agreement('An empty log', `It covers nothing yet, so every log agrees with it.${unproved}`);
  const then = rootAt(tiles, held.size);
  if ('missing' in then) {
    return unclear(
      'This page cannot compare them',
      `To compute the log’s root at ${entries(held.size)} it would take tiles that this bundle does not have (${then.missing.slice(0, 3).join(', ')}). \`sallyport verify --checkpoint FILE\` against the gateway’s log can.${unproved}`,
    );
  }
  if (sameBytes(then.root, held.root)) {
    return agreement(
      'Consistent',
      `Cut off after its first ${entries(held.size)}, this log has exactly the root that you hold: since then it only grew.${unproved}`,
    );
  }
  return contradiction(
    'Not consistent',
    `Cut off after its first ${entries(held.size)}, this log has another root than the one you hold. Entries before that point were changed, removed or reordered.`,
  );
}

/** As it comes out of a mail or a terminal: line ends of another system, blank lines around it. */
function noteOf(text: string): string {
  return `${text.replaceAll('\r\n', '\n').trim()}\n`;
}

function entries(size: number): string {
  return size === 1 ? '1 entry' : `${size.toLocaleString('en')} entries`;
}

const agreement = (heading: string, words: string): Comparison => ({ state: 'agrees', heading, words });
const contradiction = (heading: string, words: string): Comparison => ({ state: 'contradicts', heading, words });
const unclear = (heading: string, words: string): Comparison => ({ state: 'cannot tell', heading, words });
