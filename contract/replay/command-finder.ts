import { z } from 'zod';
import type { CastEvent, CastHeader, Note } from './cast-event.ts';
import type { Began } from './commands/beginnings.ts';
import { RunningCommands, runningSchema } from './commands/running-commands.ts';
import { Typing, typingStateSchema } from './commands/typing.ts';
import type { Command } from './part.ts';
import type { Emulation } from './screen/emulation.ts';

const count = z.number().int().nonnegative();

/** What goes on in the next segment: plain JSON of bounded size. */
export const finderStateSchema = z.strictObject({
  v: z.literal(1),
  terminal: z.boolean(),
  running: z.array(runningSchema),
  back: z.strictObject({ at: count, prompt: z.string() }).optional(),
  typing: typingStateSchema,
});
export type FinderState = z.infer<typeof finderStateSchema>;

export interface FinderOptions {
  /** Of the finder that saw everything before. */
  state?: FinderState | undefined;
  /** Told when a command begins, and when another line is added to it (the `text` then has it); `report` follows when it is over. */
  began?: (began: Began) => void;
}

/**
 * Finds the commands of a channel in one pass over its events, together with the emulation that shows them. A command
 * is reported when it is over, or when nobody will ever tell, so it may have begun in an earlier segment; those within
 * it come first.
 *
 * Whose output it sees may want to hide a command or to invent one. So what Enter was pressed on is always reported,
 * at least as a line that did not show; it is `marked` only where the shell's marks, the keys and the screen agree.
 */
export class CommandFinder {
  readonly #running: RunningCommands;
  readonly #typing: Typing;
  #terminal: boolean;
  #emulation: Emulation | undefined;

  constructor(report: (command: Command) => void, { state, began = () => undefined }: FinderOptions = {}) {
    this.#terminal = state?.terminal ?? false;
    this.#running = new RunningCommands(report, state?.running, state?.back);
    this.#typing = new Typing(this.#running, began, state?.typing);
  }

  /** The header of the channel's cast, when it comes. */
  begin(header: CastHeader): void {
    this.#terminal ||= header.pty;
  }

  /** Whether a line feed in output may begin a command: to know at which one, output is shown line by line. */
  get awaits(): boolean {
    return this.#typing.awaits;
  }

  /** Whether output without any sequence can change nothing of what is found, but for the screen that it leaves behind. */
  get indifferent(): boolean {
    return this.#typing.indifferent;
  }

  /** Before `emulation` shows the event. Without a terminal there may be no emulation. */
  before(event: CastEvent, emulation: Emulation | undefined): void {
    this.#typing.now = event.at;
    if (event.kind === 'note') this.#terminal ||= event.note.t === 'terminal';
    if (!this.#terminal || emulation === undefined || emulation.plain) return;
    if (this.#emulation !== emulation) {
      this.#emulation = emulation;
      this.#typing.attach(emulation.core);
    }
    if (event.kind === 'data' && event.stream === 'i') this.#typing.type(event.text);
    else if (event.kind === 'data') this.#typing.shows(event.text.length);
    else if (event.kind === 'note' && event.note.t === 'redact') this.#typing.typeSecret();
    else if (event.kind === 'resize') this.#typing.look();
    else if (event.kind === 'damage') this.#typing.loseSight();
  }

  /** After it was shown. */
  after(event: CastEvent, _emulation?: Emulation): void {
    if (event.kind === 'data' && event.stream !== 'i') this.#typing.shown();
    else if (event.kind === 'note') this.#takeNote(event.at, event.note);
    else if (event.kind === 'exit') this.#exit(event.at, event.status);
  }

  /** At the end of the recording. */
  end(): void {
    this.#typing.end();
    this.#running.end();
    this.#typing.detach();
    this.#emulation = undefined;
  }

  /** To go on in the next segment, with the emulation as it is now or one made from its dump. Lets go of the emulation. */
  state(): FinderState {
    const { back } = this.#running;
    const state: FinderState = {
      v: 1,
      terminal: this.#terminal,
      running: this.#running.all.map((one) => ({ ...one, command: { ...one.command } })),
      ...(back === undefined ? {} : { back }),
      typing: this.#typing.state(),
    };
    this.#typing.detach();
    this.#emulation = undefined;
    return state;
  }

  #takeNote(at: number, note: Note): void {
    if (note.t === 'ssh.exit-signal') this.#exit(at, undefined);
    if (note.t !== 'ssh.request' || note.request !== 'exec' || note.passed === false || typeof note.command !== 'string') return;
    this.#typing.beginExec(note.command);
  }

  #exit(at: number, status: string | undefined): void {
    this.#typing.end();
    this.#running.exit(at, status !== undefined && /^-?\d{1,10}$/.test(status) ? Number(status) : undefined);
  }
}
