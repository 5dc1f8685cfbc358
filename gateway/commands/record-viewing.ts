import type { OperationInput } from '../../contract/operator-api.ts';
import { describeError, SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { Database } from '../store/database.ts';
import { type DataOptions, withData } from './open-data.ts';
import { withGateway } from './with-gateway.ts';

type Viewing = OperationInput<'view.recorded'>;

/** Operations that do nothing but put on record that somebody reads through the files. */
type Access = 'view.recorded' | 'search.recorded';

/** A gateway that is starting, or another command at work, is not waited for as long as where the work is to write. */
const PATIENCE_MILLIS = 3000;

/**
 * Shows something of a session: finds it, records that it is looked at, and then shows it. Whoever owns the files could
 * read them without us, so what cannot be recorded is shown all the same, and it is said that there is no record.
 *
 * The data is opened twice: a database that nobody writes is read as a file that does not change, and the record
 * changes it.
 */
export async function withViewedData<Found, Result>(
  options: DataOptions,
  find: (database: Database) => Promise<{ found: Found; viewing: Viewing }>,
  show: (database: Database, found: Found) => Promise<Result>,
): Promise<Result> {
  const { found, viewing, older } = await withData(options, async (database) => ({ ...(await find(database)), older: database.isOlder }));
  await recordAccess(options, 'view.recorded', viewing, older);
  return withData(options, (database) => show(database, found));
}

/** `older`: the data was written by an older version. */
export async function recordAccess<N extends Access>(
  options: DataOptions,
  name: N,
  input: OperationInput<N>,
  older: boolean,
): Promise<void> {
  try {
    await record(options, name, input, older);
  } catch (thrown) {
    if (!(thrown instanceof SallyportError)) throw thrown;
    process.stderr.write(`sallyport: it could not be recorded that this is looked at: ${printable(describeError(thrown))}\n`);
  }
}

async function record<N extends Access>(options: DataOptions, name: N, input: OperationInput<N>, older: boolean): Promise<void> {
  // A directory is not brought to this version because somebody wants to look at it.
  if (older)
    throw new SallyportError('DATA_DIRECTORY_INVALID', 'the data was written by an older version', {
      remedy: 'a gateway of this version brings it up to date when it starts',
    });
  await withGateway(options, name, input, { patienceMillis: PATIENCE_MILLIS, asItIs: true });
}
