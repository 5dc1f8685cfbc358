import { atRest } from './at-rest.ts';
import { desktop } from './desktop.ts';
import { footprint } from './footprint.ts';
import { index } from './index.ts';
import { ledger } from './ledger.ts';
import { policy } from './policy.ts';
import { recovery } from './recovery.ts';
import { replaySeek } from './replay-seek.ts';
import { search } from './search.ts';
import { sessionList } from './session-list.ts';
import { sshBulk } from './ssh-bulk.ts';
import { sshConnect } from './ssh-connect.ts';
import { sshEcho } from './ssh-echo.ts';
import { sshSessions } from './ssh-sessions.ts';
import type { Row } from './support/row.ts';

/** Every row that can be measured, in the order of their numbers. */
export const rows: readonly Row[] = [
  sshBulk,
  sshConnect,
  sshEcho,
  sshSessions,
  replaySeek,
  index,
  search,
  ledger,
  atRest,
  recovery,
  footprint,
  policy,
  sessionList,
  desktop,
];
