import { setTimeout as delay } from 'node:timers/promises';
import { SallyportError } from '../base/errors.ts';
import { somebodyListens } from '../operator-api/ask-gateway.ts';

/** A command that writes has the data directory for moments only, unless it has much to do. */
const PATIENCE_MILLIS = 10_000;
const LOOK_AGAIN_MILLIS = 100;

/**
 * Opens the data directory as soon as no command works on it: a gateway that is restarted while one does would else not
 * start. A gateway that runs on it is told apart by its control socket, and is not waited for.
 */
export async function openWhenFree<Opened>(dataDirectory: string, open: () => Promise<Opened>): Promise<Opened> {
  const givenUp = performance.now() + PATIENCE_MILLIS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      const inUse = error instanceof SallyportError && error.code === 'DATA_DIRECTORY_IN_USE';
      if (!inUse || performance.now() > givenUp || (await somebodyListens(dataDirectory))) throw error;
      await delay(LOOK_AGAIN_MILLIS);
    }
  }
}
