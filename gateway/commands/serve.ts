import { setFlagsFromString } from 'node:v8';
import { asSallyportError, describeError } from '../base/errors.ts';
import { type Gateway, startGateway } from '../serve.ts';
import { untilSignal } from './until-signal.ts';

// Every buffer that a socket reads into counts as memory outside the heap, and V8 collects the whole heap each time those
// have grown by 64 MB: a dozen times in a transfer of 300 MB, for a heap of 20 MB. Weighed with the heap instead, as this
// flag has it, the collector's threads take half the time (bench ssh-bulk).
setFlagsFromString('--external-memory-accounted-in-global-limit');

/**
 * Runs the gateway until SIGTERM or SIGINT. Prints `PROTOCOL HOST:PORT` for each listener when it is ready, and behind it
 * the certificate that clients will see.
 */
export async function serve(options: { config: string; data?: string }): Promise<number> {
  const gateway = await startGateway(options);
  // Before anybody is told that it is ready: whoever waits for that may send a signal in the same moment.
  const stopping = untilSignal();
  // One after the other, so that what was read first never takes the place of what was read later.
  let reloading = Promise.resolve();
  process.on('SIGHUP', () => {
    reloading = reloading.then(() => reload(gateway));
  });
  for (const { protocol, address, fingerprint } of gateway.listeners)
    process.stdout.write(`${protocol} ${address}${fingerprint === undefined ? '' : ` certificate SHA-256 ${fingerprint}`}\n`);
  await gateway.close(await stopping);
  return 0;
}

function reload(gateway: Gateway): Promise<void> {
  return gateway.reload().catch((error: unknown) => {
    process.stderr.write(`sallyport: not reloaded, the running configuration stays in force: ${describeError(asSallyportError(error))}\n`);
  });
}
