import { TextDecoder } from 'node:util';
import { type LiveChannel, type LiveMessage, liveMessage, readLiveFrames } from '../../contract/live-frames.ts';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { nodeCodecHost } from '../recording/codec-host.ts';
import { type OperatorOptions, whoAsks } from './operator-client.ts';
import { PlayerTerminal } from './player-terminal.ts';
import { ScreenPainter } from './screen-painter.ts';
import { liveSessionNamed } from './supervise.ts';
import { type OpenSocket, openWebSocket } from './web-socket.ts';

const PAINT_MILLIS = 40;
/** A delay below this is none that a person would notice. */
const NOTICED_MILLIS = 500;

/** Shows a running session in this terminal until it is over or somebody presses q. */
export async function watch(name: string, options: OperatorOptions): Promise<number> {
  const [prefix = '', wanted] = name.split('/');
  if (wanted !== undefined && !/^\d{1,6}$/.test(wanted))
    throw new SallyportError('USAGE', `${printable(wanted)} is not the number of a channel`, { remedy: 'write it as SESSION/CHANNEL' });
  const terminal = new PlayerTerminal(process.stdin, process.stdout);
  if (!terminal.interactive)
    throw new SallyportError('USAGE', 'Watching takes a terminal, for its screen and its keys', {
      remedy: 'run it in one; programs use the WebSocket that docs/operator-api.md describes',
    });
  const session = await liveSessionNamed(prefix, options);
  const asked = await whoAsks(options);
  const watching = new Watching(terminal, wanted === undefined ? undefined : Number(wanted));
  const socket = await openWebSocket(asked, `/api/sessions/${session}/live`, watching);
  try {
    await watching.run(socket);
  } finally {
    terminal.restore();
  }
  if (watching.refused !== undefined) throw watching.refused;
  process.stdout.write(`${printable(watching.over)}\n`);
  return terminal.signalled ?? 0;
}

class Watching {
  /** Why it is over, for whoever watched. */
  over = 'You have left.';
  refused: SallyportError | undefined;
  readonly #terminal: PlayerTerminal;
  readonly #wanted: number | undefined;
  readonly #painter = new ScreenPainter();
  readonly #channels = new Map<number, LiveChannel>();
  #channel: number | undefined;
  #screen: Emulation | undefined;
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #who = '';
  #note = 'waiting for its screen';
  #state = '';
  #delay = 0;
  #timer: NodeJS.Timeout | undefined;
  #painting = false;
  #done: () => void = () => undefined;
  #finished = false;

  constructor(terminal: PlayerTerminal, wanted: number | undefined) {
    this.#terminal = terminal;
    this.#wanted = wanted;
  }

  async run(socket: OpenSocket): Promise<void> {
    const over = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    if (this.#finished) return;
    this.#terminal.open((key) => {
      if (key === 'quit') this.#finish();
    });
    // A screen of its own, so that what was in the terminal before is there again afterwards.
    await this.#terminal.write('\x1b[?1049h');
    this.#terminal.alternateScreen = true;
    const repaint = () => this.#repaint();
    process.stdout.on('resize', repaint);
    this.#repaint();
    await over;
    process.stdout.off('resize', repaint);
    clearTimeout(this.#timer);
    socket.close();
  }

  text(text: string): void {
    let message: LiveMessage;
    try {
      message = liveMessage.parse(JSON.parse(text));
    } catch (error) {
      this.#refuse(
        new SallyportError('GATEWAY_UNREACHABLE', 'The gateway sent a message that this command does not understand', {
          remedy: 'one of the two is older: use the same version',
          cause: error,
        }),
      );
      return;
    }
    this.#take(message);
    this.#repaint();
  }

  binary(message: Uint8Array): void {
    const read = readLiveFrames(message, nodeCodecHost);
    if (read === undefined || read.channel !== this.#channel) return;
    const opened = this.#channels.get(read.channel)?.openedAt ?? 0;
    for (const frame of read.frames) {
      this.#delay = Date.now() - (opened / 1000 + frame.at / 1e6);
      if (frame.kind === 'resize') this.#screen?.resize(frame.cols, frame.rows);
      else if (frame.kind === 'data' && frame.stream !== 'i') this.#show(frame.bytes);
    }
    this.#repaint();
  }

  ended(code: number | undefined, reason: string): void {
    if (code === undefined || code === 1000) this.over = reason === '' ? 'The session is over.' : `Over: ${reason}.`;
    else this.#refuse(new SallyportError('CONFLICT', `The gateway ended it: ${reason} (${code})`));
    this.#finish();
  }

  #take(message: LiveMessage): void {
    switch (message.type) {
      case 'hello':
        this.#who = `${message.principal} on ${message.target}`;
        for (const channel of message.channels) this.#channels.set(channel.channel, channel);
        this.#state = stateOf(message);
        this.#choose();
        return;
      case 'channel-opened':
        this.#channels.set(message.channel, message);
        if (this.#channel === undefined) this.#choose();
        return;
      case 'channel-closed':
        this.#channels.delete(message.channel);
        if (message.channel !== this.#channel) return;
        this.#note = 'this channel is closed';
        if (this.#wanted !== undefined) return;
        this.#channel = undefined;
        this.#choose();
        return;
      case 'snapshot':
        if (message.channel === this.#channel) this.#begin(message);
        return;
      case 'no-screen':
        if (message.channel === this.#channel) this.#note = `no screen: ${message.reason}`;
        return;
      case 'resync':
        if (message.channel === this.#channel) this.#note = `too slow: ${message.leftOut} bytes were left out`;
        return;
      case 'state':
        this.#state = stateOf(message);
        return;
      case 'cast': // for whoever continues a recording
        return;
      case 'end':
        this.over = `Over: ${message.reason}.`;
        if (message.code === 'SESSION_NOT_LIVE' || message.code === 'CONFLICT')
          this.#refuse(
            new SallyportError(message.code, `It cannot be watched: ${message.reason}`, { remedy: 'sallyport sessions lists sessions' }),
          );
        else this.#finish();
    }
  }

  /** The channel that was asked for; else the first with a terminal, else the first. */
  #choose(): void {
    const channels = [...this.#channels.values()];
    const chosen =
      this.#wanted === undefined
        ? (channels.find(({ terminal }) => terminal !== undefined) ?? channels[0])
        : channels.find(({ channel }) => channel === this.#wanted);
    if (chosen === undefined) {
      this.#note = this.#wanted === undefined ? 'no channel is open' : `channel ${this.#wanted} is not open`;
      return;
    }
    this.#channel = chosen.channel;
    this.#screen = undefined;
    this.#note = 'waiting for its screen';
    if (chosen.terminal !== undefined) return;
    // Lines of a program without a terminal end with a line feed alone.
    const { cols, rows } = this.#terminal.size ?? { cols: 80, rows: 24 };
    this.#screen = new Emulation(cols, Math.max(1, rows - 1));
    this.#screen.show('\x1b[20h');
    this.#note = 'no terminal: what it writes from here on';
  }

  #begin({ cols, rows, data, partial, behind }: Extract<LiveMessage, { type: 'snapshot' }>): void {
    this.#screen?.dispose();
    this.#screen = new Emulation(cols, rows);
    this.#decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    this.#show(Buffer.from(data, 'base64'));
    this.#note = behind ? 'catching up' : partial ? 'from the middle: parts of the screen may be missing' : '';
  }

  #show(bytes: Uint8Array): void {
    this.#screen?.show(this.#decoder.decode(bytes, { stream: true }));
  }

  #repaint(): void {
    if (this.#timer !== undefined || this.#finished) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#paint();
    }, PAINT_MILLIS);
  }

  /** A terminal that is slow is painted less often, and nothing is kept for it. */
  async #paint(): Promise<void> {
    const size = this.#terminal.size;
    if (size === undefined || this.#finished) return;
    if (this.#painting) {
      this.#repaint();
      return;
    }
    this.#painting = true;
    await this.#terminal.write(this.#painter.paint(this.#screen, [this.#status()], size));
    this.#painting = false;
  }

  #status(): string {
    const delay = this.#delay >= NOTICED_MILLIS ? `${(this.#delay / 1000).toFixed(1)} s behind` : '';
    const channel = this.#channel === undefined ? '' : `channel ${this.#channel}`;
    return ` ${['watching', this.#who, channel, this.#state, 'q leaves', delay, this.#note].filter((part) => part !== '').join('  ')}`;
  }

  #refuse(error: SallyportError): void {
    this.refused ??= error;
    this.#finish();
  }

  #finish(): void {
    this.#finished = true;
    this.#done();
  }
}

function stateOf({ paused, stepping }: { paused: boolean; stepping: boolean }): string {
  return [paused ? 'PAUSED' : '', stepping ? 'stepping' : ''].filter((part) => part !== '').join(' ');
}
