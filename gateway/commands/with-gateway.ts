import { stat } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { OperationInput, OperationName, OperationOutput } from '../../contract/operator-api.ts';
import { systemClock } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { createLog } from '../base/log.ts';
import type { Config } from '../config/types.ts';
import { askGateway } from '../operator-api/ask-gateway.ts';
import type { Performers } from '../operator-api/operations.ts';
import { makeRoomToBegin } from '../recording/reserve-file.ts';
import { DATABASE_FILE, requireDataDirectory } from '../store/data-directory.ts';
import { version } from '../version.ts';
import type { DataOptions } from './open-data.ts';

/** How long a gateway may be starting or stopping, or another command be at work, before this one gives up. */
const PATIENCE_MILLIS = 15_000;
const LOOK_AGAIN_MILLIS = 100;

/** For an operation that a command could also do without. */
export interface Effort {
  readonly patienceMillis?: number;
  /** The data directory stays what it is: no ledger is begun for it, and the reserve of a full disk is not given back. */
  readonly asItIs?: boolean;
}

/**
 * Has an operation performed that writes: by the gateway that runs on the data directory, or, where none runs, here,
 * as the gateway would. Either way it is the same code, and the record of it names whoever runs this command.
 */
export async function withGateway<N extends OperationName>(
  options: DataOptions,
  name: N,
  input: OperationInput<N>,
  { patienceMillis = PATIENCE_MILLIS, asItIs = false }: Effort = {},
): Promise<OperationOutput<N>> {
  const config = options.config === undefined ? undefined : (await import('../config.ts')).loadConfig(options.config);
  const directory = options.data ?? config?.gateway.data;
  if (directory === undefined)
    throw new SallyportError('USAGE', 'It is not said which data this is about', {
      remedy: 'add --data DIR, or --config FILE of the gateway',
    });
  await requireDataDirectory(directory);
  const user = userName();
  const givenUp = performance.now() + patienceMillis;
  for (;;) {
    const done =
      (await askGateway(directory, name, input, { user, version })) ??
      (await performHere({ directory, config, user, asItIs }, name, input));
    if (done !== undefined) return done.output;
    if (performance.now() > givenUp) {
      throw new SallyportError(
        'GATEWAY_UNREACHABLE',
        `Something holds the lock of ${directory}, and no gateway answers on its control socket`,
        {
          remedy: 'try again when the gateway has started or stopped, or the other command is done',
        },
      );
    }
    await delay(LOOK_AGAIN_MILLIS);
  }
}

/** Undefined when somebody else has the lock of the data directory. */
async function performHere<N extends OperationName>(
  {
    directory,
    config,
    user,
    asItIs,
  }: { readonly directory: string; readonly config: Config | undefined; readonly user: string; readonly asItIs: boolean },
  name: N,
  input: OperationInput<N>,
): Promise<{ readonly output: OperationOutput<N> } | undefined> {
  await requireOwner(directory);
  if (asItIs) await requireLedger(directory);
  else await makeRoomToBegin(directory);
  // Loaded here, because a gateway that answers is the usual case.
  const [{ openEvidence }, { evidencePerformersOf }, { retentionOf }, { openIndexing }, { perform }, { localUser }] = await Promise.all([
    import('../evidence.ts'),
    import('../serve/performers.ts'),
    import('../serve/retention.ts'),
    import('../serve/indexing.ts'),
    import('../operator-api/operations.ts'),
    import('../operator-api/control-socket.ts'),
  ]);
  const clock = systemClock;
  const log = createLog('warn');
  const gatewayName = config?.gateway.name ?? hostname();
  const settings = config ?? { gateway: { listen: {}, data: directory, name: gatewayName }, ledger: {} };
  const evidence = await openEvidence(settings, directory, { clock, log }).catch((error: unknown) => {
    if (error instanceof SallyportError && error.code === 'DATA_DIRECTORY_IN_USE') return undefined;
    throw error;
  });
  if (evidence === undefined) return undefined;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  const indexing = openIndexing({ ...evidence, dataDirectory: directory, log });
  // The first asks the operation to end in order; the second ends the process, which the data survives as well.
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const surroundings = { ...evidence, dataDirectory: directory, clock, log, gatewayName, config: () => config };
    const performers: Partial<Performers> = evidencePerformersOf({
      ...surroundings,
      retention: retentionOf({ ...surroundings, made: indexing.made }),
      indexer: indexing.indexer,
    });
    const output = await perform(performers, name, input, { via: 'socket' }, { actor: localUser(user), signal: interrupted.signal });
    return { output };
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await indexing.close();
    await evidence.close();
  }
}

/** Files that root makes in somebody else's data directory would keep the gateway from starting again. */
async function requireOwner(directory: string): Promise<void> {
  const { uid } = await stat(join(directory, DATABASE_FILE));
  if (process.getuid === undefined || process.getuid() === uid) return;
  throw new SallyportError(
    'DATA_DIRECTORY_INVALID',
    `The data directory ${directory} belongs to the user ${uid}, and no gateway runs on it`,
    {
      remedy: `run this as that user, for example: runuser -u "$(id -un ${uid})" -- sallyport …`,
    },
  );
}

async function requireLedger(directory: string): Promise<void> {
  if ((await stat(join(directory, 'ledger', 'checkpoint')).catch(() => undefined)) !== undefined) return;
  throw new SallyportError(
    'DATA_DIRECTORY_INVALID',
    `The data directory ${directory} has no ledger: it is a part of one, or was never signed`,
  );
}

export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`; // Not in the system's list of users, as in many containers.
  }
}
