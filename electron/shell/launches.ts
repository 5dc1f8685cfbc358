import { app } from 'electron';
import { routeOfLink } from '../../contract/deep-link.ts';
import { type Launch, launchOf } from '../page/launch.ts';

/** What the system and further starts want shown, from the very beginning; what comes before `to` waits for it. */
export function onLaunches(): { to(listener: (launch: Launch) => void): void } {
  let listener: ((launch: Launch) => void) | undefined;
  let waiting: Launch[] = [];
  const pass = (launch: Launch): void => {
    if (listener === undefined) waiting = [...waiting, launch].slice(-8);
    else listener(launch);
  };
  app.on('second-instance', (_event, argv, workingDirectory) => pass(launchOf(argv, workingDirectory)));
  // On a Mac the system hands over links and files itself.
  app.on('open-url', (event, url) => {
    event.preventDefault();
    const route = routeOfLink(url);
    if (route !== undefined) pass({ route });
  });
  app.on('open-file', (event, file) => {
    event.preventDefault();
    pass({ file });
  });
  return {
    to: (to) => {
      listener = to;
      const before = waiting;
      waiting = [];
      for (const launch of before) to(launch);
    },
  };
}
