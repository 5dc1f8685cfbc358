import {
  type OperationInput,
  type OperationName,
  type OperationOutput,
  type OperationShape,
  operations,
} from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { askGateway } from '../operator-api/ask-gateway.ts';
import { requireDataDirectory } from '../store/data-directory.ts';
import { version } from '../version.ts';
import { readFingerprint } from './fingerprint.ts';
import { type AskedOverHttps, askOverHttps, gatewayUrl } from './gateway-connection.ts';
import { type KeptLogin, keptLogins, SYSTEM_TRUST } from './kept-log-ins.ts';
import { type DataOptions, dataDirectory } from './open-data.ts';
import { userName } from './with-gateway.ts';

/** Which gateway is meant: the one that somebody logged in to, or one on this machine by its data. */
export interface OperatorOptions extends DataOptions {
  gateway?: string;
  json?: boolean;
}

/**
 * Has a running gateway perform an operation: over HTTPS with the log-in of this user or the token of the environment, or,
 * with --data or --config, on its control socket.
 */
export async function askOperator<N extends OperationName>(
  options: OperatorOptions,
  name: N,
  input: OperationInput<N>,
): Promise<OperationOutput<N>> {
  if (isLocal(options)) return askLocally(options, name, input);
  const { may }: OperationShape = operations[name];
  return (await askOverHttps(await whoAsks(options, may === 'anyone'), name, input)).output;
}

/** Whether the gateway is asked on its control socket. */
export function isLocal(options: OperatorOptions): boolean {
  return options.data !== undefined || options.config !== undefined;
}

async function askLocally<N extends OperationName>(
  options: OperatorOptions,
  name: N,
  input: OperationInput<N>,
): Promise<OperationOutput<N>> {
  const { onSocket }: OperationShape = operations[name];
  if (!onSocket) {
    throw new SallyportError('USAGE', `${name} takes a person who has logged in, and no data directory`, {
      remedy: 'leave --data and --config out, and log in: sallyport login --gateway https://HOST:PORT',
    });
  }
  const directory = await dataDirectory(options);
  await requireDataDirectory(directory);
  const answer = await askGateway(directory, name, input, { user: userName(), version });
  if (answer !== undefined) return answer.output;
  throw new SallyportError('GATEWAY_UNREACHABLE', `No gateway runs on ${directory}`, { remedy: 'start it: sallyport serve --config FILE' });
}

/** Programs say it in the environment, people have logged in, and some things take neither. Throws LOGIN_REQUIRED. */
export async function whoAsks(options: OperatorOptions, anybodyMay = false): Promise<AskedOverHttps> {
  const { url, login } = await meantGateway(options);
  const token = process.env.SALLYPORT_TOKEN ?? login?.token;
  if (token === undefined && !anybodyMay) throw notLoggedIn(url);
  return { gateway: { url, trust: trustIn(login) }, ...(token === undefined ? {} : { token }) };
}

/** How the certificate of a gateway is known: as the environment says, or else as it was at the log-in. */
export function trustIn(login: KeptLogin | undefined): string {
  const { SALLYPORT_FINGERPRINT } = process.env;
  return SALLYPORT_FINGERPRINT === undefined ? (login?.trust ?? SYSTEM_TRUST) : readFingerprint(SALLYPORT_FINGERPRINT);
}

/** The gateway that is named, or else the last one that somebody logged in to, and what is kept of that. */
export async function meantGateway({ gateway }: OperatorOptions): Promise<{ readonly url: string; readonly login: KeptLogin | undefined }> {
  const kept = await keptLogins();
  const named = gateway ?? process.env.SALLYPORT_GATEWAY ?? kept.gateway;
  if (named === undefined) throw notLoggedIn();
  const url = gatewayUrl(named);
  return { url, login: kept.gateways[url] };
}

function notLoggedIn(url = 'https://HOST:PORT'): SallyportError {
  return new SallyportError('LOGIN_REQUIRED', 'You have not logged in to a gateway', {
    remedy: `sallyport login --gateway ${url}, or name a gateway of this machine with --data DIR or --config FILE`,
  });
}
