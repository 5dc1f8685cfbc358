import { type Checkpoint, checkSignature, NotReadable, parseCheckpoint, parseLogKey } from '../../evidence/checkpoint.ts';
import { isContinued, type TileAddress, tilesForConsistency } from '../../evidence/consistency.ts';
import { sameBytes, toBase64 } from '../../evidence/encodings.ts';
import { TileSet, tilePath } from '../../evidence/tile-set.ts';

/*
 * What this device has seen of a gateway's ledger. A gateway that rewrites its log can sign the new one; it cannot change
 * what others remember of the old one.
 */

export interface Remembered {
  /** The last checkpoint that was proved to continue the ones before it: a signed note. */
  readonly checkpoint: string;
  /** Verifier key of the log. */
  readonly key: string;
  /** When the first one was seen, and this one; ISO 8601. */
  readonly since: string;
  readonly at: string;
}

export interface Shown {
  readonly checkpoint: string;
  readonly key: string;
}

/** `contradiction`: what was seen and what is shown cannot both be true. */
export type Judgement =
  | { readonly state: 'first' | 'consistent'; readonly words: string; readonly remember: Remembered }
  | { readonly state: 'unproved'; readonly words: string }
  | { readonly state: 'contradiction'; readonly words: string };

/** A tile's bytes, or a rejection. */
export type FetchTile = (path: string) => Promise<Uint8Array>;

/** Holds what a gateway shows against what is remembered. `fetchTile` undefined: tiles cannot be had here. */
export async function judge(
  shown: Shown,
  remembered: Remembered | undefined,
  fetchTile: FetchTile | undefined,
  now: string,
): Promise<Judgement> {
  const head = readable(shown.checkpoint);
  if (typeof head === 'string') return { state: 'contradiction', words: `The gateway shows a checkpoint that is none: ${head}.` };
  const signed = await signatureFault(head, shown.key);
  if (signed.wrong !== undefined) return { state: 'contradiction', words: signed.wrong };
  const unsigned = signed.unchecked ? ' Its signature was not checked: this browser cannot.' : '';
  if (remembered === undefined)
    return {
      state: 'first',
      words: `Seen here for the first time, with ${entries(head.size)}. From now on it is held against this.${unsigned}`,
      remember: { ...shown, since: now, at: now },
    };
  const before = readable(remembered.checkpoint);
  if (typeof before === 'string')
    return { state: 'unproved', words: `What this device remembered of it cannot be read any more: ${before}.` };
  if (before.origin !== head.origin)
    return { state: 'contradiction', words: `It is another log: “${head.origin}” now, and “${before.origin}” when it was seen last.` };
  if (remembered.key !== shown.key)
    return {
      state: 'contradiction',
      words: 'It is signed with another key than when it was seen last. If the key was changed on purpose, the ledger has a record of it.',
    };
  const consistent: Judgement = {
    state: 'consistent',
    words: `Consistent with what was seen here${unsigned}`,
    remember: { ...shown, since: remembered.since, at: now },
  };
  if (head.size < before.size)
    return {
      state: 'contradiction',
      words: `The log has shrunk: it had ${entries(before.size)} when it was seen last, and has ${entries(head.size)} now.`,
    };
  if (head.size === before.size)
    return sameBytes(head.root, before.root)
      ? consistent
      : {
          state: 'contradiction',
          words: `The log was rewritten: it still has ${entries(head.size)}, and another root than when it was seen last.`,
        };
  return grown(before, head, fetchTile, consistent);
}

async function grown(before: Checkpoint, head: Checkpoint, fetchTile: FetchTile | undefined, consistent: Judgement): Promise<Judgement> {
  const words = `It has grown from ${entries(before.size)} to ${entries(head.size)} since it was seen last.`;
  if (fetchTile === undefined)
    return { state: 'unproved', words: `${words} Whether it only grew cannot be proved here: its tiles cannot be fetched.` };
  let tiles: TileSet;
  try {
    tiles = await fetchTiles(tilesForConsistency(before.size, head.size), fetchTile);
  } catch {
    return { state: 'unproved', words: `${words} Whether it only grew is not proved: its tiles could not be fetched.` };
  }
  const found = isContinued(tiles, before, head);
  if (found === 'consistent') return consistent;
  if (found === 'inconsistent')
    return {
      state: 'contradiction',
      words: `The log was rewritten: it does not continue the ${entries(before.size)} that were seen here.`,
    };
  return {
    state: 'unproved',
    words: `${words} Whether it only grew is not proved: ${found.missing[0] ?? 'a tile'} is not what its name says.`,
  };
}

async function fetchTiles(addresses: readonly TileAddress[], fetchTile: FetchTile): Promise<TileSet> {
  const files = await Promise.all(
    addresses.map(async ([level, index, width]) => {
      const path = tilePath(level, index, width);
      return [path, toBase64(await fetchTile(path))] as const;
    }),
  );
  return new TileSet(Object.fromEntries(files));
}

async function signatureFault(head: Checkpoint, key: string): Promise<{ wrong?: string; unchecked: boolean }> {
  try {
    const verdict = await checkSignature(head, parseLogKey(key));
    if (verdict === 'valid' || verdict === 'browser cannot tell') return { unchecked: verdict !== 'valid' };
    return { wrong: 'The signature on the checkpoint that the gateway shows is not that of its key.', unchecked: false };
  } catch (thrown) {
    if (!(thrown instanceof NotReadable)) throw thrown;
    return { wrong: `The gateway shows a key that is none: ${thrown.message}.`, unchecked: false };
  }
}

function readable(note: string): Checkpoint | string {
  try {
    return parseCheckpoint(note);
  } catch (thrown) {
    if (thrown instanceof NotReadable) return thrown.message;
    throw thrown;
  }
}

function entries(size: number): string {
  return size === 1 ? '1 entry' : `${size.toLocaleString('en')} entries`;
}

const PREFIX = 'sallyport-ledger ';

/** What is remembered of the gateway at this address. */
export function recall(storage: Pick<Storage, 'getItem'>, gateway: string): Remembered | undefined {
  const kept = storage.getItem(`${PREFIX}${gateway}`);
  if (kept === null) return undefined;
  try {
    const value = JSON.parse(kept) as Record<string, unknown>;
    const { checkpoint, key, since, at } = value;
    if ([checkpoint, key, since, at].every((each) => typeof each === 'string')) return { checkpoint, key, since, at } as Remembered;
  } catch {
    return undefined; // What is no memory is none.
  }
  return undefined;
}

/** What is remembered of a log, at whichever address it was seen. */
export function recallLog(storage: Storage, origin: string): Remembered | undefined {
  for (let at = 0; at < storage.length; at += 1) {
    const name = storage.key(at) ?? '';
    const kept = name.startsWith(PREFIX) ? recall(storage, name.slice(PREFIX.length)) : undefined;
    if (kept?.checkpoint.startsWith(`${origin}\n`) === true) return kept;
  }
  return undefined;
}

export function remember(storage: Pick<Storage, 'setItem'>, gateway: string, remembered: Remembered): void {
  storage.setItem(`${PREFIX}${gateway}`, JSON.stringify(remembered));
}

/** For whoever knows why it is another one, and accepts that. */
export function forget(storage: Pick<Storage, 'removeItem'>, gateway: string): void {
  storage.removeItem(`${PREFIX}${gateway}`);
}
