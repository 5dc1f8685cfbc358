import { asSallyportError, describeError } from '../base/errors.ts';
import { type Gateway, startGateway } from '../serve.ts';
import { untilSignal } from './until-signal.ts';

/** Runs the gateway until SIGTERM or SIGINT. Prints `PROTOCOL HOST:PORT` for each listener when it is ready. */
export async function serve(options: { config: string; data?: string }): Promise<number> {
  const gateway = await startGateway(options);
  for (const { protocol, address } of gateway.listeners) process.stdout.write(`${protocol} ${address}\n`);
  process.on('SIGHUP', () => reload(gateway));
  await gateway.close(await untilSignal());
  return 0;
}

function reload(gateway: Gateway): void {
  gateway.reload().catch((error: unknown) => {
    process.stderr.write(`sallyport: not reloaded, the running configuration stays in force: ${describeError(asSallyportError(error))}\n`);
  });
}
