/** What an operator does to a session that runs. */
export type Deed = 'message' | 'pause' | 'resume' | 'step' | 'unstep' | 'terminate';

export interface DeedWords {
  /** Of the button. */
  readonly name: string;
  readonly key: string;
  readonly title: string;
  /** What comes of it, before it is done. */
  readonly effect: string;
  readonly field: string;
  readonly button: string;
  readonly grave: boolean;
}

export const deeds: Readonly<Record<Deed, DeedWords>> = {
  message: {
    name: 'Message…',
    key: 'm',
    title: 'Message to the client',
    effect: 'Whoever is at the client’s end sees one line with your name. It is on record.',
    field: 'Message',
    button: 'Send',
    grave: false,
  },
  pause: {
    name: 'Pause…',
    key: 'p',
    title: 'Pause the session',
    effect: 'Nothing flows in either direction until somebody lets it go on. Nothing is lost.',
    field: 'Why',
    button: 'Pause',
    grave: false,
  },
  resume: {
    name: 'Resume…',
    key: 'p',
    title: 'Let the session go on',
    effect: 'What was held is delivered, in order.',
    field: 'Why',
    button: 'Resume',
    grave: false,
  },
  step: {
    name: 'Step…',
    key: 's',
    title: 'Step through the session',
    effect: 'From here on each next command, file and line typed at a shell waits for a reviewer.',
    field: 'Why',
    button: 'Step',
    grave: false,
  },
  unstep: {
    name: 'Stop stepping…',
    key: 's',
    title: 'Stop stepping through the session',
    effect: 'Actions wait only where policy wants it.',
    field: 'Why',
    button: 'Stop stepping',
    grave: false,
  },
  terminate: {
    name: 'Terminate…',
    key: 't',
    title: 'Terminate the session',
    effect: 'Both sides are closed, whatever runs. What was recorded stays. This cannot be taken back.',
    field: 'Why',
    button: 'Terminate',
    grave: true,
  },
};

/** Which deeds make sense for a session as it stands. */
export function deedsFor({ paused, stepping }: { paused: boolean; stepping: boolean }): readonly Deed[] {
  return ['message', paused ? 'resume' : 'pause', stepping ? 'unstep' : 'step', 'terminate'];
}

/** What was done, once it is on record. `shown`: on how many channels a message was. */
export function doneWords(deed: Deed, shown: number | undefined): string {
  switch (deed) {
    case 'message':
      if (shown === 0) return 'On record, and shown to nobody: no channel could show it at the moment.';
      return `Shown on ${shown === 1 ? 'one channel' : `${shown} channels`}, and on record.`;
    case 'pause':
      return 'Paused. Nothing flows, and it is on record.';
    case 'resume':
      return 'It goes on, and that is on record.';
    case 'step':
      return 'Each next action waits for a reviewer from here on.';
    case 'unstep':
      return 'Actions do not wait any more.';
    default:
      return 'Both sides are closed, and the end is on record.';
  }
}
