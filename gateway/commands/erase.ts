import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { parseCheckpoint } from '../ledger/checkpoint.ts';
import { unverifiedText } from '../ledger/signed-note.ts';
import { signatureKey } from '../ledger/ssh-signature.ts';
import { findSession } from '../query/find-session.ts';
import { readSessionQuestion } from '../query/session-question.ts';
import { ERASE_NAMESPACE, MAX_REQUEST_BYTES, prepareRequest } from '../retention/erase-request.ts';
import { selectForErasure } from '../retention/select-for-erasure.ts';
import type { Database } from '../store/database.ts';
import { openLedgerFiles } from '../store/ledger-files.ts';
import type { SessionFilter } from '../store/session-filter.ts';
import { confirm } from './confirm.ts';
import type { ScopeOptions } from './hold.ts';
import { writeNewFile } from './new-file.ts';
import { type DataOptions, withData } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { withGateway } from './with-gateway.ts';

export interface PrepareOptions extends ScopeOptions {
  basis: string;
  output: string;
  force?: boolean;
  json?: boolean;
}

/** Writes the file that two admins have to sign. Changes nothing else. */
export async function prepareErase(names: readonly string[], options: PrepareOptions): Promise<number> {
  const filter = readFilter(options);
  if (names.length === 0 && filter === undefined)
    throw new SallyportError('USAGE', 'It is not said what is to be erased', {
      remedy: 'name sessions, or add --principal, --from or the like',
    });
  if (names.length > 0 && filter !== undefined)
    throw new SallyportError('USAGE', 'Either sessions are named, or options say which', { remedy: 'leave out one of the two' });
  return withData(options, async (database) => {
    const named: string[] = [];
    for (const name of names) named.push((await findSession(database, name)).id);
    const now = systemClock.wallMicros();
    const { sessions, records, refusals } = await selectForErasure(database, { sessions: named, filter }, now);
    if (sessions.length === 0 && refusals === 0)
      throw new SallyportError('ERASE_REFUSED', 'Nothing that is still there is meant by this', {
        remedy: 'sallyport sessions lists what there is',
      });
    const { origin, size } = await checkpointOf(database);
    const document = prepareRequest(
      { basis: options.basis, origin, size: Math.max(size, (records.at(-1)?.[1] ?? -1) + 1), sessions, records },
      now,
    );
    await writeNewFile(resolve(options.output), options.force === true, (file) => file.writeFile(document));
    if (options.json === true)
      await print(jsonLine({ output: options.output, sessions, refusals, expires: (JSON.parse(document) as { expires: string }).expires }));
    else await print(whatNext(options, sessions.length, refusals));
    return 0;
  });
}

export interface RunOptions extends DataOptions {
  signature: readonly string[];
  yes?: boolean;
  json?: boolean;
}

export async function runErase(file: string, options: RunOptions): Promise<number> {
  const document = await readText(file, MAX_REQUEST_BYTES, 'request');
  const signatures: { key: string; signature: string }[] = [];
  for (const path of options.signature) {
    const signature = await readText(path, 16_384, 'signature');
    signatures.push({ key: signatureKey(signature), signature });
  }
  await confirm(`what ${printable(file)} asks for is erased for good.`, options);
  const done = await withGateway(options, 'erase.run', { document, signatures });
  if (options.json === true) await print(jsonLine(done));
  else
    await print(
      `Erased: ${done.sessions} sessions, ${done.files} files, ${done.records} records. What the ledger keeps of them are their hashes.\n`,
    );
  return 0;
}

function readFilter({ session, ...words }: ScopeOptions): SessionFilter | undefined {
  const filter: SessionFilter = { ...(session === undefined ? {} : { session }), ...readSessionQuestion(words) };
  return Object.keys(filter).length === 0 ? undefined : filter;
}

async function checkpointOf(database: Database): Promise<{ origin: string; size: number }> {
  const note = await openLedgerFiles(database.directory).checkpoint();
  if (note !== undefined) return parseCheckpoint(unverifiedText(note));
  throw new SallyportError('ERASE_REFUSED', 'These data have no ledger yet, by which a request could name them', {
    remedy: 'start the gateway on them once',
  });
}

function whatNext(options: PrepareOptions, sessions: number, refusals: number): string {
  const file = printable(options.output);
  const where = options.config === undefined ? '--config FILE' : `--config ${printable(options.config)}`;
  const stays = options.principal === undefined ? '' : 'Records of holds, exports and erasures stay, whoever they name.\n';
  return `${file} asks to erase ${sessions} sessions and ${refusals} records of refused connections. It is good for 7 days.
${stays}
Two different admins sign exactly this file, each with a key of their own in the configuration:
  ssh-keygen -Y sign -n ${ERASE_NAMESPACE} -f KEY ${file}        (writes ${file}.sig; rename it before the second signs)
Then:
  sallyport erase run ${file} --signature FIRST.sig --signature SECOND.sig ${where}
`;
}

async function readText(path: string, limit: number, what: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (thrown) {
    throw new SallyportError('USAGE', `The ${what} ${path} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
      cause: thrown,
    });
  }
  if (bytes.length > limit) throw new SallyportError('USAGE', `${path} is too long for a ${what}`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (thrown) {
    throw new SallyportError('USAGE', `${path} is not text, so no ${what}`, { cause: thrown });
  }
}
