import { app } from 'electron';
import { registerAppScheme } from './shell/app-scheme.ts';
import { guardEverything } from './shell/guards.ts';
import { log } from './shell/log.ts';
import { run } from './shell/run.ts';

// Before the app is ready, and before anything is loaded: every page is in the sandbox, and what may not be is refused.
app.enableSandbox();
registerAppScheme();
guardEverything();

// A second start hands over to the first, which is told of it with its arguments.
if (app.requestSingleInstanceLock()) {
  run().catch((thrown: unknown) => {
    log('the app could not start', thrown);
    app.exit(1);
  });
} else {
  app.quit();
}
