import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { isoMicros, systemClock } from '../base/clock.ts';
import { asSallyportError, describeError, SallyportError } from '../base/errors.ts';
import { readLedgerKey } from '../config/ledger-key.ts';
import type { Config } from '../config/types.ts';
import { signAttestation } from '../ledger/attestation.ts';
import { parseCheckpoint } from '../ledger/checkpoint.ts';
import { noteSigner, unverifiedText } from '../ledger/signed-note.ts';
import { DATABASE_FILE } from '../store/data-directory.ts';
import { openLedgerFiles } from '../store/ledger-files.ts';
import { ledgerKeyFile } from '../store/ledger-keys.ts';
import type { DataOptions } from './open-data.ts';
import { withGateway } from './with-gateway.ts';

/** What an export needs of whoever holds the key of the ledger. */
export interface ExportOffice {
  /** The checkpoint that covers what the bundle will hold, a signed note. */
  checkpoint: string;
  attest: ((tagManifest: string, question: Record<string, unknown>) => Promise<string>) | undefined;
  /** Why the export cannot be recorded; undefined when it can. */
  unrecorded: string | undefined;
}

/**
 * A checkpoint over everything recorded by now, from the gateway or in its place. On a copy of a data directory that
 * cannot be written to, the last checkpoint there is, and the key if it can be read. Throws EXPORT_UNSIGNED when nobody
 * can sign and that was not agreed to: an unsigned bundle must not come about by accident.
 */
export async function openExportOffice(
  options: DataOptions & { unsigned?: boolean },
  directory: string,
  config: Config | undefined,
  gateway: { name: string; version: string },
): Promise<ExportOffice> {
  const unsigned = options.unsigned === true;
  try {
    const { checkpoint } = await withGateway(options, 'ledger.sign', {});
    return {
      checkpoint,
      attest: async (tagManifest, question) => {
        const { envelope } = await withGateway(options, 'attestation.sign', { tagManifest, question, checkpoint });
        return envelope;
      },
      unrecorded: undefined,
    };
  } catch (thrown) {
    const error = asSallyportError(thrown);
    const readOnly = !(await isWritable(directory));
    if (!readOnly && !unsigned) throw error.code === 'LEDGER_KEY_INVALID' ? unsignable(error) : error;
    const checkpoint = await openLedgerFiles(directory).checkpoint();
    if (checkpoint === undefined) {
      throw new SallyportError('EXPORT_FAILED', `The ledger in ${directory} was never signed, so nothing proves what is in it`, {
        remedy: 'start a gateway of this version on the data directory once',
        cause: error,
      });
    }
    const attest = attestWithKeyOf(directory, config, checkpoint, gateway);
    if (attest === undefined && !unsigned) throw unsignable(error);
    return { checkpoint, attest, unrecorded: readOnly ? 'the data directory cannot be written to' : describeError(error) };
  }
}

function attestWithKeyOf(
  directory: string,
  config: Config | undefined,
  checkpoint: string,
  gateway: { name: string; version: string },
): ExportOffice['attest'] {
  const read = readLedgerKey(config?.ledger.key ?? { file: ledgerKeyFile(directory) });
  if (!('key' in read)) return undefined;
  const signer = noteSigner(parseCheckpoint(unverifiedText(checkpoint)).origin, read.key);
  return async (tagManifest, question) =>
    signAttestation({ tagManifest, question, checkpoint, gateway, time: isoMicros(systemClock.wallMicros()) }, signer);
}

async function isWritable(directory: string): Promise<boolean> {
  try {
    for (const path of [directory, join(directory, DATABASE_FILE)]) await access(path, constants.W_OK);
    return true;
  } catch {
    return false; // Whatever the reason is, nothing can be recorded in it.
  }
}

function unsignable(cause: SallyportError): SallyportError {
  return new SallyportError('EXPORT_UNSIGNED', `The bundle cannot be signed: ${cause.message}`, {
    remedy: 'run this as the user of the gateway, or while the gateway runs; for a copy without the key, add --unsigned',
    cause,
  });
}
