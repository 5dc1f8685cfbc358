import { createPublicKey } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import { type Checkpoint, parseCheckpoint } from '../../ledger/checkpoint.ts';
import { verifierKey } from '../../ledger/note-key.ts';
import { formatVerifierKey, openNote, parseVerifierKey, unverifiedText, type VerifierKey } from '../../ledger/signed-note.ts';
import { fault, type Report } from './finding.ts';
import type { LedgerKeyPeriod } from './key-history.ts';
import type { OtherCheckpoint } from './ledger-check.ts';

/** Where the key came from that signatures are checked with: what a good signature proves depends on it. */
export type KeySource = 'given' | 'beside' | 'records';

export interface TrustedKey {
  key: VerifierKey;
  source: KeySource;
}

/** A checkpoint as it was found, its signatures not looked at. */
export interface FoundNote {
  name: string;
  file: string;
  note: string;
  checkpoint: Checkpoint;
}

const MOST_BYTES = 256 * 1024;
const MOST_ENDORSED = 1000;

/**
 * A key that the auditor brought: a C2SP verifier key, or a public key in PEM, whose name is then the ledger's origin.
 * Throws USAGE for anything else.
 */
export async function readKeyFile(path: string, origin: string | undefined): Promise<VerifierKey> {
  const text = await readSmall(path);
  try {
    return text.startsWith('-----BEGIN PUBLIC KEY-----') ? verifierKey(origin ?? 'unknown', createPublicKey(text)) : parseVerifierKey(text);
  } catch (thrown) {
    throw new SallyportError('USAGE', `${path} holds no key of a ledger: ${asSallyportError(thrown).message}`, {
      remedy: 'give the file keys/ledger.pub (or ledger.pem) of the gateway, got another way than with the evidence',
      cause: thrown,
    });
  }
}

/** A checkpoint that the auditor brought. Throws USAGE when it is none. */
export async function readCheckpointFile(path: string): Promise<FoundNote> {
  const note = await readSmall(path);
  try {
    return { name: 'The checkpoint that was given', file: path, note, checkpoint: parseCheckpoint(unverifiedText(note)) };
  } catch (thrown) {
    throw new SallyportError('USAGE', `${path} holds no checkpoint: ${asSallyportError(thrown).message}`, {
      remedy: 'give a checkpoint exactly as it was kept: the file ledger/checkpoint of an earlier time',
      cause: thrown,
    });
  }
}

/** Checkpoints that were signed by two keys when one followed the other; kept in `ledger/endorsed`. */
export async function endorsedCheckpoints(dataDirectory: string, report: Report): Promise<FoundNote[]> {
  const directory = join(dataDirectory, 'ledger', 'endorsed');
  const names = await readdir(directory).catch(() => []);
  const found: FoundNote[] = [];
  for (const name of names.slice(0, MOST_ENDORSED)) {
    if (name.endsWith('.tmp')) continue;
    const file = `ledger/endorsed/${name.slice(0, 80)}`;
    try {
      const note = await readSmall(join(directory, name));
      const checkpoint = parseCheckpoint(unverifiedText(note));
      if (String(checkpoint.size) !== name)
        report(fault('inconsistent', { file }, `The checkpoint covers ${checkpoint.size} records, which its name does not say`));
      found.push({ name: 'The checkpoint of a change of keys', file, note, checkpoint });
    } catch (thrown) {
      report(fault('malformed', { file }, asSallyportError(thrown).message));
    }
  }
  return found;
}

/** The checkpoint as it was found, or why there is none, told. */
export function openCheckpoint(note: string, file: string, report: Report): FoundNote | undefined {
  try {
    return { name: 'The checkpoint', file, note, checkpoint: parseCheckpoint(unverifiedText(note)) };
  } catch (thrown) {
    report(fault('malformed', { file }, asSallyportError(thrown).message));
    return undefined;
  }
}

/** Whether the checkpoint is signed by this key, told where it is not. */
export function checkSignature({ note, file }: FoundNote, key: VerifierKey, report: Report): boolean {
  try {
    openNote(note, [key]);
    return true;
  } catch (thrown) {
    report(fault('forged', { file }, asSallyportError(thrown).message));
    return false;
  }
}

/** Further checkpoints may be signed by earlier keys: by any that the records name, or that is trusted anyway. Whether all are. */
export function checkOtherSignatures(
  others: readonly FoundNote[],
  trusted: VerifierKey | undefined,
  periods: readonly LedgerKeyPeriod[],
  report: Report,
): boolean {
  let genuine = true;
  const keys = [...(trusted === undefined ? [] : [trusted]), ...keysOf(periods)];
  for (const { note, file, name } of others) {
    try {
      const { signedBy } = openNote(note, keys);
      if (file.startsWith('ledger/endorsed/') && signedBy.length < 2)
        report(fault('unsigned', { file }, `${name} carries the signature of one key only, and two were changing places`));
    } catch (thrown) {
      genuine = false;
      report(fault('forged', { file }, asSallyportError(thrown).message));
    }
  }
  return genuine;
}

/** Whether the key that signed is the one that the records say signs at that point. */
export function compareWithHistory(key: VerifierKey, size: number, periods: readonly LedgerKeyPeriod[], report: Report): void {
  const covered = periods.filter(({ index }) => index < size);
  const current = covered.at(-1);
  if (current === undefined) return;
  const vkey = formatVerifierKey(key);
  if (current.key === vkey) return;
  const words = `The checkpoint is checked with the key ${vkey}, and by the records the ledger is signed with ${current.key} at this point`;
  report(fault('inconsistent', { index: current.index, file: 'ledger/checkpoint' }, words));
}

export function asOther({ name, file, checkpoint }: FoundNote): OtherCheckpoint {
  return { ...checkpoint, name, file };
}

export function keysOf(periods: readonly LedgerKeyPeriod[]): VerifierKey[] {
  return periods.flatMap(({ key }) => {
    try {
      return [parseVerifierKey(key)];
    } catch {
      return []; // A record may name whatever it was given; a signature of such a key verifies nowhere.
    }
  });
}

async function readSmall(path: string): Promise<string> {
  try {
    const found = await stat(path);
    const { size } = found;
    if (!found.isFile()) throw new TypeError('it is not a regular file');
    if (size > MOST_BYTES) throw new RangeError(`it has ${size} bytes`);
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw new SallyportError('USAGE', `${path} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
      cause: thrown,
    });
  }
}
