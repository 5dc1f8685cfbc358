import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { consoleAddress, consoleOrigin } from './console-address.ts';
import { lookAt } from './gateway-connection.ts';
import { askOperator, isLocal, meantGateway, type OperatorOptions } from './operator-client.ts';
import { jsonLine, print } from './output.ts';

export interface ConsoleOptions extends OperatorOptions {
  operator?: string;
}

/**
 * Prints an address that opens the console logged in, once. On standard output there is nothing else, so that it can be
 * handed on: xdg-open "$(sallyport console)".
 */
export async function openConsole(options: ConsoleOptions): Promise<number> {
  const { origin, operator } = isLocal(options) ? await onThisMachine(options) : await loggedInTo(options);
  const link = await askOperator(options, 'login.link', operator === undefined ? {} : { operator });
  const address = consoleAddress(origin, link.code);
  // A browser warns of a certificate that nobody vouches for, and its owner has to know what to compare.
  const { socket, fingerprint, vouchedFor } = await lookAt(origin);
  socket.destroy();
  if (options.json === true) {
    await print(jsonLine({ address, operator: link.operator, expires: link.expires, fingerprint, vouchedFor }));
    return 0;
  }
  await print(`${address}\n`);
  const until = new Date(link.expires).toLocaleTimeString('en-GB');
  const warning = vouchedFor ? '' : `The browser does not know its certificate. Compare the SHA-256 before you go on:\n  ${fingerprint}\n`;
  process.stderr.write(`It opens the console as ${printable(link.operator)}, once, until ${until}.\n${warning}`);
  return 0;
}

/** With the log-in that is kept here: for whoever has that, and nobody else. */
async function loggedInTo({ operator, ...options }: ConsoleOptions): Promise<{ origin: string; operator: string | undefined }> {
  const { url } = await meantGateway(options);
  return { origin: url, operator };
}

/** Whoever may open the control socket says whom it is for. */
async function onThisMachine({ operator, ...options }: ConsoleOptions): Promise<{ origin: string; operator: string }> {
  const { listeners } = await askOperator(options, 'gateway.status', {});
  const https = listeners.find(({ protocol }) => protocol === 'https');
  if (https === undefined) {
    throw new SallyportError('USAGE', 'This gateway does not listen for HTTPS, and so has no console', {
      remedy: 'add gateway.listen.https to its configuration, and start it again',
    });
  }
  return { origin: consoleOrigin(https.address), operator: operator ?? (await onlyOperator(options)) };
}

async function onlyOperator(options: OperatorOptions): Promise<string> {
  const { operators } = await askOperator(options, 'operator.list', {});
  const names = operators.filter(({ disabled }) => !disabled).map(({ name }) => name);
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  throw new SallyportError('USAGE', 'It is not said who wants to open the console', {
    remedy: only === undefined ? 'make somebody an operator: sallyport operator add' : `add --operator: ${names.slice(0, 20).join(', ')}`,
  });
}
