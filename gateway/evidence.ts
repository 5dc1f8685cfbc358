import { type KeyObject, randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import type { Clock } from './base/clock.ts';
import { asSallyportError, SallyportError } from './base/errors.ts';
import type { Log } from './base/log.ts';
import { readLedgerKey } from './config/ledger-key.ts';
import type { Config } from './config/types.ts';
import type { SecretReference } from './identity/secret-reference.ts';
import type { Ledger } from './ledger/ledger.ts';
import { openLedger } from './ledger/open-ledger.ts';
import { Records } from './ledger/records.ts';
import { formatVerifierKey } from './ledger/signed-note.ts';
import { Database } from './store/database.ts';
import { ledgerKeyFile, makeLedgerKey, publishLedgerKey } from './store/ledger-keys.ts';
import { openLedgerForGateway } from './store/ledger-writer.ts';

/** Records, their database, and the ledger that follows them: what is written to a data directory goes through here. */
export interface Evidence {
  readonly database: Database;
  readonly records: Records;
  readonly ledger: Ledger;
  /** Signs what is left. Nothing may be appended any more. */
  close(): Promise<void>;
}

/**
 * Opens a data directory for writing, and makes it where it is missing: for the gateway, and for a command that has to
 * write while none runs. Throws what `Database.openForGateway` and `openLedger` throw, and LEDGER_KEY_INVALID.
 */
export async function openEvidence(
  config: Pick<Config, 'gateway' | 'ledger'>,
  dataDirectory: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<Evidence> {
  const database = await Database.openForGateway(dataDirectory);
  let ledger: Ledger | undefined;
  try {
    const storage = openLedgerForGateway(dataDirectory);
    const { origin, formerKey } = config.ledger;
    const opened = await openLedger(
      {
        origin,
        newOrigin: () => `${config.gateway.name}/${randomBytes(4).toString('hex')}`,
        key: await signingKey(config.ledger, dataDirectory, (await storage.checkpoint()) !== undefined),
        former: formerKey === undefined || formerKey === 'lost' ? formerKey : keyFrom(formerKey),
      },
      { storage, records: database.records, clock, log },
    );
    ledger = opened.ledger;
    await publishLedgerKey(dataDirectory, formatVerifierKey(ledger.key), ledger.key.publicKey);
    const records = new Records(database.records, clock, config.gateway.name, ledger);
    for (const news of opened.news) {
      await records.append({ ...news, outcome: 'success', actor: records.gateway, target: { name: config.gateway.name, kind: 'gateway' } });
      log.info({ ...news.body }, news.type === 'ledger.created' ? 'the ledger has been created' : 'the key of the ledger has changed');
    }
    // A disk that is full now does not keep the gateway from showing what it has; sessions wait for the ledger.
    await ledger.signed().catch((thrown: unknown) => log.warn({ code: asSallyportError(thrown).code }, 'the ledger is not signed yet'));
    return { database, records, ledger, close: () => close(database, opened.ledger) };
  } catch (thrown) {
    await close(database, ledger);
    throw thrown;
  }
}

async function close(database: Database, ledger: Ledger | undefined): Promise<void> {
  await ledger?.close();
  await database.close();
}

/** A key is made for a new ledger, and for one whose former key is named; never in place of one that should be there. */
async function signingKey({ key, formerKey }: Config['ledger'], dataDirectory: string, signedBefore: boolean): Promise<KeyObject> {
  if (key !== undefined) return keyFrom(key);
  const file = ledgerKeyFile(dataDirectory);
  if (!(await isThere(file))) {
    if (signedBefore && formerKey === undefined) {
      throw new SallyportError(
        'LEDGER_KEY_INVALID',
        `The ledger's signing key ${file} is missing, and the ledger has been signed with it`,
        {
          remedy: 'restore that file, or name the key under ledger.key; for a new one, say what became of it under ledger.former-key',
        },
      );
    }
    await makeLedgerKey(dataDirectory);
  }
  return keyFrom({ file });
}

function keyFrom(reference: SecretReference): KeyObject {
  const read = readLedgerKey(reference);
  if ('key' in read) return read.key;
  throw new SallyportError('LEDGER_KEY_INVALID', `The ledger's signing key cannot be used: ${read.problem}`, { remedy: read.mend });
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
